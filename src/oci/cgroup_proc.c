/* SPDX-License-Identifier: MIT */
/**
 * DOC: the processes of a container's cgroup
 *
 * Listing walks the sub-tree because a container may make cgroups of its own.  Killing has to win
 * against a container that forks: v2 has cgroup.kill, else everything is frozen first, so that what
 * was listed is all there is and no pid is used again meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

#define FREEZE_TRIES 1000
#define FREEZE_TIMEOUT_MS 10000
#define RMDIR_WAIT_FIRST 200000L /* ns, doubled each time */
#define RMDIR_WAIT_MAX 50000000L /* ns */
#define RMDIR_TRIES 48 /* about two seconds */

struct pid_list {
	pid_t *v;
	size_t n, cap;
};

static void sleep_ns(long ns)
{
	struct timespec t = { .tv_nsec = ns };

	(void) nanosleep(&t, NULL); /* shorter is fine */
}

static int add_pids(struct pid_list *l, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		char *end;
		long pid = strtol(p, &end, 10);

		if (end == p)
			return 0;
		if (l->n == l->cap) {
			size_t cap = l->cap != 0 ? l->cap * 2 : 64;
			pid_t *v = reallocarray(l->v, cap, sizeof(*v));

			if (v == NULL)
				return -ENOMEM;
			l->v = v;
			l->cap = cap;
		}
		if (pid > 0) /* 0: in a pid namespace we do not see */
			l->v[l->n++] = (pid_t) pid;
		p = end + (*end == '\n');
	}
	return 0;
}

static int list_one(int dirfd, struct pid_list *l)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r = file_read(dirfd, "cgroup.procs", CGROUP_FILE_MAX, &s);

	if (r == -EOPNOTSUPP) { /* threaded */
		str_fini(&s);
		r = file_read(dirfd, "cgroup.threads", CGROUP_FILE_MAX, &s);
	}
	if (r < 0)
		return cg_is_gone(r) ? 0 : r;
	return add_pids(l, s.p);
}

/* Call @one for the sub-directories of the directory @fd, which is taken over. */
static int each_child(int fd, int (*one)(int dirfd, const char *name, int depth, void *arg), int depth,
		      void *arg)
{
	struct dirent *e;
	int r = 0;

	_cleanup_closedir_ DIR *d = fdopendir(fd);
	if (d == NULL) {
		(void) close(fd); /* fdopendir() did not take it */
		return -ENOMEM;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			r = one(dirfd(d), e->d_name, depth, arg);
	return r;
}

static int list_tree(int dirfd, const char *name, int depth, void *arg)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return cg_is_gone(-errno) ? 0 : -errno;
	r = depth < CGROUP_DEPTH_MAX ? list_one(fd, arg) : -ELOOP;
	if (r == 0)
		return each_child(fd, list_tree, depth + 1, arg);
	(void) close(fd); /* a directory */
	return r;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

	return (x > y) - (x < y);
}

ssize_t oci_cgroup_pids(const struct oci_cgroup *cg, pid_t **ret, struct err *err)
{
	const struct cg_dir *d = cg_main(cg);
	struct pid_list l = { 0 };
	size_t n = 0;
	int r;

	if (d == NULL)
		return err_msg(err, -ENOENT, "the container has no cgroup");
	r = list_tree(AT_FDCWD, d->path, 0, &l);
	if (r < 0) {
		free(l.v);
		return err_set(err, r, "list the processes in %s", d->path);
	}
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), compare_pids);
	for (size_t i = 0; i < l.n; i++) /* threads of one process in two cgroups */
		if (n == 0 || l.v[n - 1] != l.v[i])
			l.v[n++] = l.v[i];
	*ret = l.v;
	return (ssize_t) n;
}

/*
 * v1 freezer: while processes are being made it may stay in FREEZING for ever, so the request is
 * repeated and now and then taken back.
 */
static int freeze_v1(const struct cg_dir *d)
{
	for (int i = 0; i < FREEZE_TRIES; i++) {
		_cleanup_(str_fini) struct str s = { 0 };
		int r;

		if (i % 50 == 49) {
			(void) cg_write(d->path, "freezer.state", "THAWED"); /* the next write tells */
			sleep_ns(10000000);
		}
		r = cg_write(d->path, "freezer.state", "FROZEN");
		if (r == 0)
			r = cg_read(d->path, "freezer.state", &s);
		if (r < 0)
			return r;
		if (str_starts(s.p, "FROZEN"))
			return 0;
		if (i > 2)
			sleep_ns(20000L * (i < 20 ? i : 20));
	}
	(void) cg_write(d->path, "freezer.state", "THAWED"); /* half frozen is worse than not */
	return -EBUSY;
}

/* v2: the kernel notifies a change of cgroup.events by POLLPRI. */
static int wait_frozen_v2(const struct cg_dir *d, uint64_t want)
{
	char path[PATH_MAX], text[256];
	int r;

	(void) snprintf(path, sizeof(path), "%s/cgroup.events", d->path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		const char *key;

		if (n < 0)
			return -errno;
		text[n] = '\0';
		key = strstr(text, "frozen ");
		if (key == NULL || (uint64_t) (key[strlen("frozen ")] - '0') == want)
			return 0;
		r = poll(&p, 1, FREEZE_TIMEOUT_MS);
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* The directory with a freezer; NULL without. */
static const struct cg_dir *freezer(const struct oci_cgroup *cg)
{
	const struct cg_dir *d = cg_v1(cg, "freezer");

	return d != NULL ? d : cg_v2(cg);
}

int oci_cgroup_freeze(struct oci_cgroup *cg, bool freeze, struct err *err)
{
	const struct cg_dir *d = freezer(cg);
	int r;

	if (d == NULL)
		return err_msg(err, -ENOENT, "cannot %s: the container has no cgroup with a freezer",
			       freeze ? "pause" : "resume");
	if (*d->controllers == '\0') {
		r = cg_write(d->path, "cgroup.freeze", freeze ? "1" : "0");
		if (r == 0)
			r = wait_frozen_v2(d, freeze);
		if (r < 0 && freeze)
			(void) cg_write(d->path, "cgroup.freeze", "0"); /* half frozen is worse than not */
	} else if (freeze) {
		r = freeze_v1(d);
	} else {
		r = cg_write(d->path, "freezer.state", "THAWED");
	}
	return r < 0 ? err_set(err, r, "%s %s", freeze ? "freeze" : "thaw", d->path) : 0;
}

static int frozen_v1(const struct cg_dir *d)
{
	_cleanup_(str_fini) struct str s = { 0 };
	uint64_t self = 1;
	int r = cg_read(d->path, "freezer.state", &s);

	if (r < 0)
		return cg_is_gone(r) ? 0 : r;
	if (str_starts(s.p, "THAWED"))
		return 0;
	/* frozen by an ancestor is not the container's state */
	r = cg_read_u64(d->path, "freezer.self_freezing", &self);
	return r < 0 && !cg_is_gone(r) ? r : self != 0;
}

int oci_cgroup_frozen(const struct oci_cgroup *cg)
{
	const struct cg_dir *d = freezer(cg);
	uint64_t v;
	int r;

	if (d == NULL)
		return 0;
	if (*d->controllers != '\0')
		return frozen_v1(d);
	r = cg_read_u64(d->path, "cgroup.freeze", &v);
	if (r < 0)
		return cg_is_gone(r) ? 0 : r;
	return v != 0;
}

int oci_cgroup_kill(const struct oci_cgroup *cg, int signal, struct err *err)
{
	struct oci_cgroup *rw = (struct oci_cgroup *) cg; /* freezing changes no member */
	_cleanup_free_ pid_t *pids = NULL;
	int was = oci_cgroup_frozen(cg), r = 0;
	ssize_t n;

	if (signal == SIGKILL && cg->unified && cg_v2(cg) != NULL) {
		r = cg_write(cg_v2(cg)->path, "cgroup.kill", "1");
		if (r == 0 || r == -ENODEV)
			return 0;
	}
	if (was == 0)
		(void) oci_cgroup_freeze(rw, true, NULL); /* without freezer new processes may escape */
	n = oci_cgroup_pids(cg, &pids, err);
	r = n < 0 ? (int) n : 0;
	for (ssize_t i = 0; i < n; i++)
		if (kill(pids[i], signal) < 0 && errno != ESRCH && r == 0)
			r = err_set(err, -errno, "send signal %d to process %d", signal, (int) pids[i]);
	if (was == 0 || signal == SIGKILL) /* v1: a frozen process does not even die */
		(void) oci_cgroup_freeze(rw, false, NULL);
	return r;
}

/* Remove the cgroups the container made.  Return: 0; -errno. */
static int remove_children(int dirfd, const char *name, int depth, void *arg)
{
	int fd, r;

	if (depth > 0 && (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT))
		return 0;
	if (depth > CGROUP_DEPTH_MAX)
		return -ELOOP;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = each_child(fd, remove_children, depth + 1, arg);
	if (r == 0 && depth > 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

/*
 * rmdir(2) says EBUSY for children and for processes.  Children are removed at once; processes that
 * were killed need a moment, but living ones that nobody has killed are not waited for.
 */
static int remove_dir(const struct cg_dir *d)
{
	long wait = RMDIR_WAIT_FIRST;
	int r = 0;

	for (int i = 0; i < RMDIR_TRIES; i++) {
		if (rmdir(d->path) == 0 || errno == ENOENT)
			return 0;
		r = -errno;
		if (r == -EROFS && access(d->path, F_OK) < 0)
			return 0;
		if (r != -EBUSY)
			return r;
		r = remove_children(AT_FDCWD, d->path, 0, NULL);
		if (r < 0 && r != -EBUSY)
			return r;
		if (rmdir(d->path) == 0 || errno == ENOENT)
			return 0;
		r = -EBUSY;
		sleep_ns(wait);
		wait = wait * 2 < RMDIR_WAIT_MAX ? wait * 2 : RMDIR_WAIT_MAX;
	}
	return r;
}

int oci_cgroup_delete(struct oci_cgroup *cg, struct err *err)
{
	int r = 0;

	if (cg->unit.name != NULL && cg->unit.started)
		r = cg_unit_stop(cg, err);
	for (size_t i = 0; i < cg->nr_dirs; i++) {
		const struct cg_dir *d = &cg->dirs[i];
		int q = remove_dir(d);

		if (q < 0 && r == 0 && !(cg->rootless && cg_is_forbidden(q)))
			r = err_set(err, q, "remove cgroup %s", d->path);
	}
	return r;
}
