/* SPDX-License-Identifier: MIT */
#include "oci/container.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/spec.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define ID_MAX 1024 /* bytes, as runc */

static int check_id(const char *id, struct err *err)
{
	size_t n = strlen(id);

	if (n == 0 || n > ID_MAX || id[0] == '.')
		return err_msg(err, -EINVAL, "invalid container ID format: '%.64s'", id);
	for (const char *p = id; *p != '\0'; p++)
		if (!isalnum((unsigned char) *p) && strchr("_+-.", *p) == NULL)
			return err_msg(err, -EINVAL,
				       "invalid container ID format: '%.64s': invalid character '%c'", id, *p);
	return 0;
}

static struct oci_container *container_alloc(const char *root, const char *id)
{
	struct oci_container *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->dir_fd = -EBADF;
	c->root = strdup(root);
	c->id = strdup(id);
	if (c->root == NULL || c->id == NULL) {
		oci_container_free(c);
		return NULL;
	}
	return c;
}

int oci_container_new(const char *root, const char *id, struct oci_container **ret, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = check_id(id, err);

	if (r < 0)
		return r;
	c = container_alloc(root, id);
	if (c == NULL)
		return err_set(err, -ENOMEM, "create container '%s'", id);

	_cleanup_close_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		r = dir_make_all(root, 0711);
		if (r < 0)
			return err_set(err, r, "create state directory '%s'", root);
		root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root_fd < 0)
			return err_set(err, -errno, "open state directory '%s'", root);
	}
	if (mkdirat(root_fd, id, 0711) < 0) {
		if (errno == EEXIST)
			return err_msg(err, -EEXIST, "container with given ID already exists: '%s'", id);
		return err_set(err, -errno, "create directory '%s/%s'", root, id);
	}
	c->dir_fd = openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir_fd < 0)
		return err_set(err, -errno, "open directory '%s/%s'", root, id);
	*ret = take_ptr(c);
	return 0;
}

int oci_container_open(const char *root, const char *id, struct oci_container **ret, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = check_id(id, err);

	if (r < 0)
		return r;
	c = container_alloc(root, id);
	if (c == NULL)
		return err_set(err, -ENOMEM, "open container '%s'", id);

	_cleanup_close_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->dir_fd = root_fd < 0 ? -1 : openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir_fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_msg(err, -ENOENT, "container does not exist: '%s' in '%s'", id, root);
		return err_set(err, -errno, "open container '%s' in '%s'", id, root);
	}
	r = oci_state_load(c->dir_fd, &c->state, err);
	if (r < 0 && r != -ENOENT)
		return err_wrap(err, r, "container '%s'", id);
	c->has_state = r == 0;
	*ret = take_ptr(c);
	return 0;
}

int oci_container_spec(struct oci_container *c, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r;

	if (c->spec != NULL)
		return 0;
	r = file_read(c->dir_fd, OCI_CONFIG_COPY, OCI_SPEC_SIZE_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read %s of container '%s'", OCI_CONFIG_COPY, c->id);
	return oci_spec_parse(OCI_CONFIG_COPY, text.p, text.len, &c->spec, err);
}

int oci_container_cgroup(struct oci_container *c, struct err *err)
{
	if (c->cgroup != NULL || !c->has_state || c->state.cgroup == NULL)
		return 0;
	return oci_cgroup_open(c->state.cgroup, &c->cgroup, err);
}

bool oci_container_alive(const struct oci_container *c)
{
	struct proc_stat st;

	return c->has_state && proc_stat_read(c->state.pid, &st) == 0 && st.state != 'Z' &&
	       st.state != 'X' && st.start_time == c->state.start_time;
}

/* The socket is removed by `start`; one left by a killed `start` has nobody listening. */
static bool waits_for_start(const struct oci_container *c)
{
	struct stat st;

	if (fstatat(c->dir_fd, OCI_START_SOCKET, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	_cleanup_close_ int fd = msg_connect_at(c->dir_fd, OCI_START_SOCKET);
	return fd >= 0;
}

enum oci_status oci_container_status(struct oci_container *c)
{
	if (!c->has_state)
		return OCI_STATUS_CREATING;
	if (!oci_container_alive(c))
		return OCI_STATUS_STOPPED;
	if (oci_container_cgroup(c, NULL) == 0 && c->cgroup != NULL && oci_cgroup_frozen(c->cgroup) == 1)
		return OCI_STATUS_PAUSED; /* before start, too: it can be resumed */
	return waits_for_start(c) ? OCI_STATUS_CREATED : OCI_STATUS_RUNNING;
}

int oci_container_remove(struct oci_container *c, struct err *err)
{
	int r;

	_cleanup_close_ int root_fd = open(c->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, -errno, "open state directory '%s'", c->root);
	r = dir_remove(root_fd, c->id);
	return r < 0 ? err_set(err, r, "remove '%s/%s'", c->root, c->id) : 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void list_freep(char ***ids)
{
	oci_container_list_free(*ids);
}

int oci_container_list(const char *root, char ***ret, struct err *err)
{
	_cleanup_(list_freep) char **ids = calloc(1, sizeof(*ids));
	_cleanup_closedir_ DIR *d = opendir(root);
	struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		return err_set(err, -errno, "open state directory '%s'", root);
	if (ids == NULL)
		return err_set(err, -ENOMEM, "list containers");
	while ((e = readdir(d)) != NULL) {
		char **more;

		if (check_id(e->d_name, NULL) < 0 || e->d_type != DT_DIR)
			continue;
		more = realloc(ids, (n + 2) * sizeof(*ids));
		if (more == NULL)
			return err_set(err, -ENOMEM, "list containers");
		ids = more;
		ids[n + 1] = NULL;
		ids[n] = strdup(e->d_name);
		if (ids[n++] == NULL)
			return err_set(err, -ENOMEM, "list containers");
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	*ret = take_ptr(ids);
	return (int) n;
}

void oci_container_list_free(char **ids)
{
	for (char **p = ids; p != NULL && *p != NULL; p++)
		free(*p);
	free(ids);
}

void oci_container_free(struct oci_container *c)
{
	if (c == NULL)
		return;
	if (c->dir_fd >= 0)
		(void) close(c->dir_fd); /* read-only */
	oci_spec_free(c->spec);
	oci_cgroup_free(c->cgroup);
	oci_state_fini(&c->state);
	free(c->root);
	free(c->id);
	free(c);
}
