/* SPDX-License-Identifier: MIT */
/**
 * DOC: creating the container's cgroup
 *
 * This is in the way of every start, so the usual case does one mkdir(2) per hierarchy and nothing
 * that could be left out.  Only a missing parent makes us walk, and only a directory that exists
 * already is looked into: its processes or a frozen state are a reason to refuse it.
 *
 * v1 cpuset: a new directory has no CPUs and no memory nodes and takes no process until it has; the
 * configured or the parent's are written.
 * v2: controllers have to be enabled in every ancestor.  Writing cgroup.subtree_control waits for
 * dying cgroups below, so it is done only if the new directory lacks a controller that the root has.
 */
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
#include "base/str.h"
#include "oci/cgroup_priv.h"

/* Message of a failed creation; permission in small letters, as every other runtime writes it. */
static int make_failed(const char *path, int r, struct err *err)
{
	if (r == -EACCES)
		return err_msg(err, r, "unable to apply cgroup configuration: mkdir %s: permission denied", path);
	return err_set(err, r, "unable to apply cgroup configuration: mkdir %s", path);
}

/* Read @file of the parent of @path, which is @parent; fill the parent first if it has none. */
static int cpuset_inherit(const char *parent, size_t mount_len, const char *file, struct str *ret)
{
	_cleanup_(str_fini) struct str up = { 0 };
	char grand[PATH_MAX], *slash;
	int r = cg_read(parent, file, ret);

	if (r < 0 || ret->p[0] != '\n' || strlen(parent) <= mount_len)
		return r;
	memcpy(grand, parent, strlen(parent) + 1);
	slash = strrchr(grand, '/');
	*slash = '\0';
	r = cpuset_inherit(grand, mount_len, file, &up);
	if (r == 0)
		r = cg_write(parent, file, up.p);
	if (r == 0) {
		str_fini(ret);
		str_puts(ret, up.p);
	}
	return r;
}

/* Give @path the CPUs or memory nodes @value, or the parent's if NULL. */
static int cpuset_fill(const char *path, size_t mount_len, const char *file, const char *value)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char parent[PATH_MAX];
	int r = value != NULL ? cg_write(path, file, value) : -EACCES;

	if (r != -EACCES) /* that is what a parent without any says */
		return r;
	memcpy(parent, path, strlen(path) + 1);
	*strrchr(parent, '/') = '\0';
	r = cpuset_inherit(parent, mount_len, file, &s);
	return r < 0 ? r : cg_write(path, file, value != NULL ? value : s.p);
}

/* mkdir -p of a directory @len bytes long in @path, not above @mount_len. */
static int make_parents(char *path, size_t mount_len)
{
	char *slash = strrchr(path, '/');
	int r;

	if (slash == NULL || (size_t) (slash - path) <= mount_len)
		return -ENOENT;
	*slash = '\0';
	r = mkdir(path, 0755) < 0 ? -errno : 0;
	if (r == -ENOENT) {
		r = make_parents(path, mount_len);
		if (r == 0)
			r = mkdir(path, 0755) < 0 ? -errno : 0;
	}
	*slash = '/';
	return r == -EEXIST ? 0 : r;
}

/* Return: 1 made; 0 it exists; -errno. */
static int make_dir(const struct cg_dir *d)
{
	char path[PATH_MAX];

	if (mkdir(d->path, 0755) == 0)
		return 1;
	if (errno == ENOENT) {
		int r;

		memcpy(path, d->path, strlen(d->path) + 1);
		r = make_parents(path, strlen(d->mount));
		if (r < 0)
			return r;
		if (mkdir(d->path, 0755) == 0)
			return 1;
	}
	/* a read-only mount says EROFS also for what exists */
	if (errno == EEXIST || (errno == EROFS && access(d->path, F_OK) == 0))
		return 0;
	return -errno;
}

int cg_check_unused(const struct oci_cgroup *cg, const struct cg_dir *d, struct err *err)
{
	struct oci_cgroup one = { .dirs = { *d }, .nr_dirs = 1, .unified = cg->unified };
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = oci_cgroup_pids(&one, &pids, err);

	if (n < 0)
		return (int) n;
	if (n > 0)
		return err_msg(err, -EBUSY, "container's cgroup is not empty: %zd process(es) found in %s",
			       n, d->path);
	if ((*d->controllers == '\0' || cg_hier_has(d->controllers, "freezer")) &&
	    oci_cgroup_frozen(&one) > 0)
		return err_msg(err, -EBUSY, "container's cgroup unexpectedly frozen: %s", d->path);
	return 0;
}

/* True when every word of @want is a word of @have; both end lines. */
static bool has_words(const char *have, const char *want)
{
	char word[64], line[CG_V1_MAX * 64];

	if (snprintf(line, sizeof(line), " %s ", have) >= (int) sizeof(line))
		return false;
	for (char *p = line; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	while (*(want += strspn(want, " \n")) != '\0') {
		int n = (int) strcspn(want, " \n");

		if (snprintf(word, sizeof(word), " %.*s ", n, want) >= (int) sizeof(word) ||
		    strstr(line, word) == NULL)
			return false;
		want += n;
	}
	return true;
}

/* Enable the controllers listed in @list in cgroup @path, all or as many as it takes. */
static void enable_in(const char *path, const char *list)
{
	_cleanup_(str_fini) struct str all = { 0 }, one = { 0 };
	const char *p = list;

	while (*(p += strspn(p, " \n")) != '\0') {
		size_t n = strcspn(p, " \n");

		str_puts(&all, all.len != 0 ? " +" : "+");
		str_add(&all, p, n);
		p += n;
	}
	if (all.len == 0 || all.failed || cg_write(path, "cgroup.subtree_control", all.p) == 0)
		return;
	for (p = all.p; *p != '\0'; p += strspn(p, " ")) { /* a limit that needs a missing one will say so */
		size_t n = strcspn(p, " ");

		str_fini(&one);
		str_add(&one, p, n);
		if (!one.failed)
			(void) cg_write(path, "cgroup.subtree_control", one.p);
		p += n;
	}
}

/* A threaded cgroup cannot have domain controllers, an invalid one cannot have processes. */
static int check_type(const struct oci_cgroup *cg, const struct cg_dir *d, struct err *err)
{
	_cleanup_(str_fini) struct str type = { 0 };
	const struct oci_resources *r = cg->want.resources;
	struct oci_resources rest;

	if (cg_read(d->path, "cgroup.type", &type) < 0 || str_eq(type.p, "domain\n"))
		return 0;
	type.p[strcspn(type.p, "\n")] = '\0';
	if (r != NULL) { /* pids and cpusets are threaded controllers */
		rest = *r;
		rest.pids_limit.set = false;
		rest.cpu.cpus = rest.cpu.mems = NULL;
		if (cg_has_limits(&rest))
			return err_msg(err, -EOPNOTSUPP,
				       "cannot enter cgroupv2 %s with domain controllers: its type is '%s'",
				       d->path, type.p);
	}
	if (str_eq(type.p, "domain invalid") && cg_write(d->path, "cgroup.type", "threaded") < 0)
		return err_msg(err, -EOPNOTSUPP, "cgroupv2 %s cannot have processes: its type is '%s'",
			       d->path, type.p);
	return 0;
}

static int enable_controllers(const struct oci_cgroup *cg, const struct cg_dir *d, struct err *err)
{
	_cleanup_(str_fini) struct str top = { 0 }, have = { 0 };
	char path[PATH_MAX];
	size_t n = strlen(d->mount);
	int r = cg_read(d->mount, "cgroup.controllers", &top);

	if (r == 0)
		r = cg_read(d->path, "cgroup.controllers", &have);
	if (r < 0)
		return err_set(err, r, "read cgroup.controllers of %s", d->path);
	if (has_words(have.p, top.p))
		return 0;
	memcpy(path, d->path, strlen(d->path) + 1);
	for (char *p = path + n; p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		enable_in(path, top.p);
		*p = '/';
	}
	return check_type(cg, d, err);
}

static int finish_new(struct oci_cgroup *cg, struct cg_dir *d, struct err *err)
{
	const struct oci_cpu *cpu = cg->want.resources != NULL ? &cg->want.resources->cpu : NULL;
	const char *cpus = cpu != NULL ? cpu->cpus : NULL, *mems = cpu != NULL ? cpu->mems : NULL;
	size_t n = strlen(d->mount);
	int r;

	if (*d->controllers == '\0') {
		r = enable_controllers(cg, d, err);
		if (r < 0)
			return r;
		d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return d->fd < 0 ? err_set(err, -errno, "open %s", d->path) : 0;
	}
	if (!cg_hier_has(d->controllers, "cpuset"))
		return 0;
	r = cpuset_fill(d->path, n, "cpuset.cpus", cpus);
	if (r < 0)
		return cg_set_failed(d, "cpu.cpus", "cpuset.cpus", cpus != NULL ? cpus : "", r, err);
	r = cpuset_fill(d->path, n, "cpuset.mems", mems);
	if (r < 0)
		return cg_set_failed(d, "cpu.mems", "cpuset.mems", mems != NULL ? mems : "", r, err);
	cg->cpuset_done = true;
	return 0;
}

static int make_one(struct oci_cgroup *cg, struct cg_dir *d, struct err *err)
{
	int r = make_dir(d);

	if (r < 0)
		return make_failed(d->path, r, err);
	d->made = r > 0;
	if (!d->made && cg->unit.name == NULL && !cg->want.busy) { /* what systemd has made has the process already */
		r = cg_check_unused(cg, d, err);
		if (r < 0)
			return r;
	}
	return finish_new(cg, d, err);
}

void cg_unmake(struct oci_cgroup *cg)
{
	for (size_t i = 0; i < cg->nr_dirs; i++) {
		struct cg_dir *d = &cg->dirs[i];

		if (d->made)
			(void) rmdir(d->path); /* there is an earlier failure to report */
		d->made = false;
		if (d->fd >= 0)
			(void) close(take_fd(d->fd)); /* a directory */
	}
}

int cg_make(struct oci_cgroup *cg, struct err *err)
{
	size_t n = 0, total = cg->nr_dirs;
	int r;

	for (size_t i = 0; i < total; i++) {
		struct cg_dir *d = &cg->dirs[i];

		r = make_one(cg, d, err);
		if (r < 0 && cg->rootless && cg->want.path == NULL && cg_is_forbidden(r)) {
			if (d->made)
				(void) rmdir(d->path); /* it is of no use */
			continue; /* asking for a limit of it fails later */
		}
		if (r < 0) {
			cg_unmake(cg);
			return r;
		}
		cg->dirs[n++] = *d;
	}
	cg->nr_dirs = n;
	if (n == 0 && cg->unified && cg_has_limits(cg->want.resources))
		return err_msg(err, -EACCES,
			       "rootless needs no limits + no cgrouppath when no permission is granted for cgroups");
	return 0;
}
