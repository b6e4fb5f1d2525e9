/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

/* "a/../b" stays below, "..", "/..", "a/../.." do not. */
static bool stays_below(const char *path)
{
	int depth = 0;

	while (*path != '\0') {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && strncmp(path, "..", 2) == 0)
			depth--;
		else if (n != 0 && !(n == 1 && *path == '.'))
			depth++;
		if (depth < 0)
			return false;
		path += n;
	}
	return true;
}

/* Sub path of --cgroup for a hierarchy: "" when none names it. */
static const char *sub_for(const struct cg_dir *d, const char *const *subs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *colon = strchr(subs[i], ':');
		size_t len;

		if (colon == NULL)
			return subs[i];
		for (const char *p = subs[i]; p < colon; p += len + (p[len] == ',')) {
			char name[64];

			len = strcspn(p, ",:");
			(void) snprintf(name, sizeof(name), "%.*s", (int) len, p); /* cut is unknown */
			if (cg_hier_has(d->controllers, name))
				return colon + 1;
		}
	}
	return "";
}

static int check_subs(const struct oci_cgroup *cg, const char *const *subs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *colon = strchr(subs[i], ':');
		size_t len;

		if (!stays_below(colon != NULL ? colon + 1 : subs[i]))
			return err_msg(err, -EINVAL, "bad sub cgroup path: %s", subs[i]);
		for (const char *p = subs[i]; colon != NULL && p < colon; p += len + (p[len] == ',')) {
			char name[64];

			len = strcspn(p, ",:");
			(void) snprintf(name, sizeof(name), "%.*s", (int) len, p); /* cut is unknown */
			if (cg->unified || cg_v1(cg, name) == NULL)
				return err_msg(err, -EINVAL, "unknown controller %s in --cgroup '%s'", name, subs[i]);
		}
	}
	return 0;
}

/* v2: processes may not be beside children that got controllers; then init moved, follow it. */
static int open_v2(const struct cg_dir *d, pid_t init_pid, const char *sub, struct err *err)
{
	_cleanup_(str_fini) struct str control = { 0 }, own = { 0 };
	char path[PATH_MAX], proc[64], *line;
	int fd;

	(void) snprintf(path, sizeof(path), "%s/%s", d->path, sub);
	(void) snprintf(proc, sizeof(proc), "/proc/%d", (int) init_pid);
	if (*sub == '\0' && cg_read(d->path, "cgroup.subtree_control", &control) == 0 && control.len > 1 &&
	    cg_read(proc, "cgroup", &own) == 0 && (line = strstr(own.p, "0::")) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		(void) snprintf(path, sizeof(path), "%s%s", d->mount, line + 3);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open the cgroup '%s' of the container", path) : fd;
}

int oci_cgroup_exec_fds(const struct oci_cgroup *cg, pid_t init_pid, const char *const *subs, size_t nr_subs,
			int *fds, size_t max, size_t *ret_n, int *ret_clone_fd, struct err *err)
{
	int r = check_subs(cg, subs, nr_subs, err);
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < cg->nr_dirs; i++) {
		const struct cg_dir *d = &cg->dirs[i];
		const char *sub = sub_for(d, subs, nr_subs);
		char path[PATH_MAX];

		if (*d->controllers == '\0') {
			r = open_v2(d, init_pid, sub, err);
			if (r >= 0)
				*ret_clone_fd = r;
			r = r < 0 ? r : 0;
			continue;
		}
		if (n == max)
			r = err_msg(err, -E2BIG, "more than %zu cgroup hierarchies", max);
		if (snprintf(path, sizeof(path), "%s/%s/tasks", d->path, sub) >= (int) sizeof(path))
			r = err_set(err, -ENAMETOOLONG, "join the cgroup '%s'", d->path);
		if (r < 0)
			break;
		fds[n] = open(path, O_WRONLY | O_CLOEXEC);
		if (fds[n] < 0)
			r = err_set(err, -errno, "join the cgroup: adding pid to '%s'", path);
		else
			n++;
	}
	while (r < 0 && n > 0)
		(void) close(fds[--n]);
	if (r == 0)
		*ret_n = n;
	return r;
}
