/* SPDX-License-Identifier: MIT */
/**
 * DOC: what instances that do not run have left on the host
 *
 * Directories of the run root, state of the runtime, cgroups, mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/check.h"
#include "engine/check_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "oci/cgroup.h"
#include "sys/cg_layout.h"
#include "sys/mnt.h"

#define PATH_SIZE 4096
#define DEFAULT_PARENT "/cleave"

/* Return: 1 nobody looks after it, and its row, if there is one, does not say that it runs; 0; -errno. */
static int is_idle(struct check_run *k, const char *id, struct err *err)
{
	struct eng_instance i;
	bool unlocked = eng_lock_shared(k->e, id) == 0;
	int r = check_row(k, id, &i, err);

	if (r < 0)
		return r;
	return unlocked && (r == 0 || (i.state != ENG_STATE_RUNNING &&
				       i.state != ENG_STATE_RESTARTING));
}

static int check_run_dir(struct check_run *k, const char *name, struct err *err)
{
	int r = check_is_id(name) ? is_idle(k, name, err) : 0;

	if (r == 1)
		r = check_settled(k->e->run_fd, name) ? is_idle(k, name, err) : 0;
	if (r != 1)
		return r;
	check_found(k, k->c->repair && eng_reconcile_one(k->e, name, NULL) == 0 ? "removed" : NULL,
		    "directory %s/%s was left behind", k->e->runroot, name);
	return 0;
}

static int check_state(struct check_run *k, const char *name, struct err *err)
{
	char path[128];
	int r = check_is_id(name) ? is_idle(k, name, err) : 0;

	(void) snprintf(path, sizeof(path), "oci/%.64s", name);
	if (r == 1)
		r = check_settled(k->e->run_fd, path) ? is_idle(k, name, err) : 0;
	if (r != 1)
		return r;
	check_found(k, k->c->repair && eng_container.stop(k->e, name, NULL) == 0 ? "removed" : NULL,
		    "state of the runtime %s/oci/%s was left behind", k->e->runroot, name);
	return 0;
}

/* The cgroup that an instance has had: @ret as of cgroupsPath */
static void cgroup_path(struct check_run *k, const char *id, char ret[PATH_SIZE])
{
	struct eng_instance i = { .id = id, .name = id };
	struct eng_config c;
	const char *parent = DEFAULT_PARENT;
	bool read = eng_instance_config(k->e, &i, &c, NULL) == 0;

	if (read && c.cgroup_parent != NULL)
		parent = c.cgroup_parent;
	if (snprintf(ret, PATH_SIZE, "%s%s/%s", parent[0] == '/' ? "" : "/", parent, id) >= PATH_SIZE)
		ret[0] = '\0'; /* not possible: a parent has a limit */
	if (read)
		eng_config_fini(&c);
}

static bool exists_in(const struct cg_hier *h, const char *path, char ret[PATH_SIZE])
{
	return h->mount != NULL && snprintf(ret, PATH_SIZE, "%s%s", h->mount, path) < PATH_SIZE &&
	       access(ret, F_OK) == 0;
}

/* Of one hierarchy: a process may be in some of them only. */
static void kill_processes(const char *cgroup)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[PATH_SIZE + 16];

	(void) snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	if (file_read(AT_FDCWD, path, CG_TEXT_MAX, &text) < 0 || text.p == NULL)
		return;
	for (const char *p = text.p; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		long pid = strtol(p, NULL, 10);

		if (pid > 1 && pid < INT_MAX)
			(void) kill((pid_t) pid, SIGKILL); /* it may be gone */
	}
}

static bool remove_cgroup(const struct cg_layout *l, const char *id, const char *path)
{
	char full[PATH_SIZE];
	const struct oci_cgroup_want want = { .id = id, .path = path, .busy = true };
	struct oci_cgroup *cg = NULL;
	int r = oci_cgroup_create(&want, &cg, NULL);

	for (size_t n = 0; r == 0 && n < l->nr_v1; n++)
		if (exists_in(&l->v1[n], path, full))
			kill_processes(full);
	if (r == 0) {
		(void) oci_cgroup_kill(cg, SIGKILL, NULL); /* most are empty */
		r = oci_cgroup_delete(cg, NULL);
	}
	oci_cgroup_free(cg);
	return r == 0;
}

static int check_cgroup(struct check_run *k, const struct cg_layout *l, const char *id,
			struct err *err)
{
	char path[PATH_SIZE], full[PATH_SIZE];
	bool found;
	int r = is_idle(k, id, err);

	if (r != 1)
		return r;
	cgroup_path(k, id, path);
	found = exists_in(&l->v2, path, full);
	for (size_t n = 0; !found && n < l->nr_v1; n++)
		found = exists_in(&l->v1[n], path, full);
	if (found)
		check_found(k, k->c->repair && remove_cgroup(l, id, path) ? "removed" : NULL,
			    "cgroup %s was left behind", full);
	return 0;
}

static int check_cgroups(struct check_run *k, struct err *err)
{
	struct cg_layout l = { 0 };
	int r = 0;

	if (cg_layout_read(&l) < 0)
		return 0; /* then there are none */
	for (size_t n = 0; r == 0 && n < k->idle.n; n++)
		r = check_cgroup(k, &l, k->idle.v[n], err);
	cg_layout_fini(&l);
	return r;
}

/* Nothing is ever mounted there but in other mount namespaces. */
static bool is_ours(const struct engine *e, const char *path)
{
	static const char *const dirs[] = { "instances/", "layers/", "images/", "tmp/" };
	size_t n = strlen(e->root), m = strlen(e->runroot);

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (strncmp(path, e->root, n) == 0 && path[n] == '/' &&
		    str_starts(path + n + 1, dirs[i]))
			return true;
	if (strncmp(path, e->runroot, m) != 0 || path[m] != '/')
		return false;
	return strspn(path + m + 1, "0123456789abcdef") == ENG_ID_LEN;
}

static int check_mounts(struct check_run *k, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", MNT_INFO_MAX, &text);

	if (r < 0 || text.p == NULL)
		return r < 0 ? err_set(err, r, "read /proc/self/mountinfo") : 0;
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *field = line, *point = NULL;

		for (int n = 0; n < 5 && field != NULL; n++)
			point = strsep(&field, " ");
		if (point == NULL || field == NULL)
			continue;
		mnt_unescape(point);
		if (is_ours(k->e, point))
			check_found(k, k->c->repair && umount2(point, MNT_DETACH) == 0 ? "unmounted"
										       : NULL,
				    "something is mounted at %s", point);
	}
	return 0;
}

int check_host(struct check_run *k, struct err *err)
{
	int r = check_each(k, k->e->run_fd, "oci", check_state, err);

	if (r == 0 || r == -ENOENT)
		r = check_each(k, k->e->run_fd, ".", check_run_dir, err);
	if (r == 0)
		r = check_cgroups(k, err);
	return r == 0 ? check_mounts(k, err) : r;
}
