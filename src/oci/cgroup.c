/* SPDX-License-Identifier: MIT */
#include "oci/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"
#include "sys/proc.h"

#define JOIN_TRIES 10

void oci_cgroup_free(struct oci_cgroup *cg)
{
	if (cg == NULL)
		return;
	for (size_t i = 0; i < cg->nr_dirs; i++)
		if (cg->dirs[i].fd >= 0)
			(void) close(cg->dirs[i].fd); /* a directory */
	arena_fini(&cg->arena);
	free(cg);
}

int cg_dir_init(struct oci_cgroup *cg, struct cg_dir *d, const char *controllers, const char *mount,
		const char *path)
{
	*d = (struct cg_dir){
		.controllers = arena_strdup(&cg->arena, controllers),
		.mount = arena_strdup(&cg->arena, mount),
		.path = arena_strdup(&cg->arena, path),
		.fd = -EBADF,
	};
	if (d->controllers == NULL || d->mount == NULL || d->path == NULL)
		return -ENOMEM;
	if (strchr(controllers, ',') == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(d->links) && *controllers != '\0'; i++) {
		size_t n = strcspn(controllers, ",");

		d->links[i] = arena_strndup(&cg->arena, controllers, n);
		if (d->links[i] == NULL)
			return -ENOMEM;
		controllers += n;
		controllers += *controllers == ',';
	}
	return 0;
}

const struct cg_dir *cg_v1(const struct oci_cgroup *cg, const char *controller)
{
	for (size_t i = 0; i < cg->nr_dirs; i++)
		if (cg_hier_has(cg->dirs[i].controllers, controller))
			return &cg->dirs[i];
	return NULL;
}

const struct cg_dir *cg_v2(const struct oci_cgroup *cg)
{
	const struct cg_dir *last = cg->nr_dirs != 0 ? &cg->dirs[cg->nr_dirs - 1] : NULL;

	return last != NULL && *last->controllers == '\0' ? last : NULL;
}

const struct cg_dir *cg_main(const struct oci_cgroup *cg)
{
	const struct cg_dir *d = cg_v1(cg, "devices");

	return d != NULL || cg->nr_dirs == 0 ? d : &cg->dirs[0];
}

int oci_cgroup_create(const struct oci_cgroup_want *want, struct oci_cgroup **ret, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = calloc(1, sizeof(*cg));
	_cleanup_(cg_layout_fini) struct cg_layout layout = { 0 };
	int r;

	if (cg == NULL)
		return err_set(err, -ENOMEM, "allocate cgroup");
	cg->want = *want;
	cg->rootless = want->rootless || proc_in_userns();
	if (want->systemd) {
		r = cg_unit_place(cg, err);
		if (r == 0 && want->pid != 0)
			r = cg_unit_start(cg, want->pid, err);
		if (r == 0)
			*ret = take_ptr(cg);
		return r;
	}
	r = cg_layout_read(&layout);
	if (r < 0)
		return r == -ENOENT ? err_msg(err, r, "no cgroup file system is mounted") :
				      err_set(err, r, "read the cgroup mounts of this host");
	r = cg_place(cg, &layout, err);
	if (r == 0)
		r = cg_make(cg, err);
	if (r == 0)
		*ret = take_ptr(cg);
	return r;
}

void oci_cgroup_save(const struct oci_cgroup *cg, struct str *ret)
{
	str_printf(ret, "{\"unified\":%s,\"rootless\":%s", cg->unified ? "true" : "false",
		   cg->rootless ? "true" : "false");
	if (cg->unit.name != NULL) {
		str_puts(ret, ",\"unit\":");
		str_json(ret, cg->unit.name);
		str_puts(ret, ",\"slice\":");
		str_json(ret, cg->unit.slice);
		str_printf(ret, ",\"user\":%s", cg->unit.user ? "true" : "false");
	}
	str_puts(ret, ",\"dirs\":[");
	for (size_t i = 0; i < cg->nr_dirs; i++) {
		str_puts(ret, i != 0 ? ",[" : "[");
		str_json(ret, cg->dirs[i].controllers);
		str_puts(ret, ",");
		str_json(ret, cg->dirs[i].mount);
		str_puts(ret, ",");
		str_json(ret, cg->dirs[i].path);
		str_puts(ret, "]");
	}
	str_puts(ret, "]}");
}

/* One element of "dirs" into @cg. */
static int load_dir(struct oci_cgroup *cg, struct json_in *in, const struct json *node, struct err *err)
{
	const struct json *e = node->kind == JSON_KIND_ARRAY ? node->first : NULL;
	const char *s[3];
	struct cg_dir *d;

	for (size_t i = 0; i < ARRAY_LEN(s); i++, e = e->next) {
		if (e == NULL)
			return err_msg(err, -EINVAL, "saved cgroup: dirs: not three strings");
		s[i] = json_to_str(in, e);
		if (s[i] == NULL)
			return in->code;
	}
	if (s[1][0] != '/' || !str_starts(s[2], s[1]) || s[2][strlen(s[1])] != '/' ||
	    strlen(s[2]) >= PATH_MAX - NAME_MAX || cg->nr_dirs == ARRAY_LEN(cg->dirs))
		return err_msg(err, -EINVAL, "saved cgroup: dirs: '%.64s' is no path below '%.64s'", s[2], s[1]);
	d = &cg->dirs[cg->nr_dirs];
	if (cg_dir_init(cg, d, s[0], s[1], s[2]) < 0)
		return err_set(err, -ENOMEM, "allocate cgroup");
	if (*d->controllers == '\0')
		d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		d->fd = -EBADF; /* the cgroup is gone; who needs it will notice */
	cg->nr_dirs++;
	return 0;
}

static int load(struct oci_cgroup *cg, struct json_in *in, struct err *err)
{
	const struct json *dirs;
	int r = 0;

	if (!json_to_object(in, in->root) || !json_need(in, in->root, "dirs"))
		return in->code;
	dirs = json_get_array(in, in->root, "dirs", ARRAY_LEN(cg->dirs));
	cg->unified = json_get_bool(in, in->root, "unified", false);
	cg->rootless = json_get_bool(in, in->root, "rootless", false);
	cg->unit.name = json_get_str(in, in->root, "unit");
	cg->unit.slice = json_get_str(in, in->root, "slice");
	cg->unit.user = json_get_bool(in, in->root, "user", false);
	cg->unit.started = cg->unit.name != NULL && dirs != NULL;
	if (in->code < 0)
		return in->code;
	for (const struct json *d = dirs != NULL ? dirs->first : NULL; d != NULL && r == 0; d = d->next)
		r = load_dir(cg, in, d, err);
	return r;
}

int oci_cgroup_open(const char *saved, struct oci_cgroup **ret, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = calloc(1, sizeof(*cg));
	_cleanup_(json_fini) struct json_in in = { 0 };
	int r;

	if (cg == NULL)
		return err_set(err, -ENOMEM, "allocate cgroup");
	r = json_parse(&in, "saved cgroup", &cg->arena, saved, strlen(saved), err);
	if (r == 0)
		r = load(cg, &in, err);
	if (r == 0)
		*ret = take_ptr(cg);
	return r;
}

int oci_cgroup_clone_fd(const struct oci_cgroup *cg)
{
	const struct cg_dir *v2 = cg_v2(cg);

	return v2 != NULL ? v2->fd : -EBADF;
}

int oci_cgroup_task_fds(const struct oci_cgroup *cg, int *fds, size_t max, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < cg->nr_dirs; i++) {
		char path[PATH_MAX];
		int r;

		if (*cg->dirs[i].controllers == '\0')
			continue;
		(void) snprintf(path, sizeof(path), "%s/tasks", cg->dirs[i].path);
		fds[n] = n < max ? open(path, O_WRONLY | O_CLOEXEC) : -1;
		if (fds[n] >= 0) {
			n++;
			continue;
		}
		r = n < max ? -errno : -ENFILE;
		while (n > 0)
			(void) close(fds[--n]); /* nothing was written */
		return err_set(err, r, "open %s", path);
	}
	return (int) n;
}

int oci_cgroup_join_fds(const int *fds, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (write(fds[i], "0", 1) < 0)
			return err_set(err, -errno, "join the container's cgroup (hierarchy %zu)", i);
	return 0;
}

/* Move @pid; a process that is being created cannot be moved yet (EINVAL). */
static int enter(const char *dir, pid_t pid)
{
	char text[16];
	int r = -EINVAL;

	(void) snprintf(text, sizeof(text), "%d", (int) pid);
	for (int i = 0; i < JOIN_TRIES; i++) {
		r = cg_write(dir, "cgroup.procs", text);
		if (r == -EOPNOTSUPP) /* a threaded cgroup; a single-threaded process can enter */
			r = cg_write(dir, "cgroup.threads", text);
		if (r != -EINVAL)
			break;
		(void) usleep(30000); /* interrupted: tried again sooner */
	}
	return r;
}

int oci_cgroup_enter_pid(struct oci_cgroup *cg, pid_t pid, struct err *err)
{
	if (cg->unit.name != NULL && !cg->unit.started)
		return cg_unit_start(cg, pid, err);
	for (size_t i = 0; i < cg->nr_dirs; i++) {
		int r = enter(cg->dirs[i].path, pid);

		if (r < 0 && !(cg->rootless && cg->want.path == NULL && cg_is_forbidden(r)))
			return err_set(err, r, "move process %d to %s", (int) pid, cg->dirs[i].path);
	}
	return 0;
}

void oci_cgroup_view(const struct oci_cgroup *cg, struct oci_cgroup_view *ret)
{
	*ret = (struct oci_cgroup_view){ .v2 = cg->unified };
	for (size_t i = 0; i < cg->nr_dirs && ret->n < ARRAY_LEN(ret->v); i++) {
		const struct cg_dir *d = &cg->dirs[i];
		const char *name = strrchr(d->mount, '/');

		if (*d->controllers == '\0' && !cg->unified) {
			ret->hybrid = true; /* what is mounted in a container is v1 */
			continue;
		}
		ret->v[ret->n].name = cg->unified ? "" : name + 1;
		ret->v[ret->n].host_path = d->path;
		ret->v[ret->n].controllers = d->controllers;
		for (size_t l = 0; l < ARRAY_LEN(d->links) && !cg->unified; l++)
			ret->v[ret->n].links[l] = d->links[l];
		ret->n++;
	}
}
