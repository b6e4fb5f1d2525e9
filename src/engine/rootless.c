/* SPDX-License-Identifier: MIT */
/**
 * DOC: without root
 *
 * Processes of two user namespaces have no rights over each other, even if both belong to one user.  So all
 * commands of a user enter the same one, and a process that does nothing keeps it while no command runs: the keeper,
 * whose pid is in the file "keeper" of the run root.  In it the user is root, and the ranges of /etc/subuid and
 * /etc/subgid are the other ids; everything else of the engine works as for root.
 *
 * Every command shares a lock of that file to its end.  Who finds it free when it ends itself is the last, and if no
 * instance has a directory in the run root, ends the keeper.  The lock of the run root itself is for the moments in
 * which the keeper is looked for, made or ended.
 */
#include "engine/rootless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/keeper.h"
#include "engine/net/home.h"
#include "engine/stop.h"
#include "engine/subid.h"
#include "oci/userns.h"
#include "sys/proc.h"

#define PASSWD_MAX (1u << 20) /* bytes */

/* Name of a user in /etc/passwd: this program is static, so it has no other source.  Others have numbers. */
static char *user_name(const char *number)
{
	_cleanup_(str_fini) struct str text = { 0 };
	size_t n = strlen(number);

	if (file_read(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text) < 0)
		return NULL;
	for (const char *p = text.p; p != NULL && *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t name = strcspn(p, ":\n");
		const char *id = p + name;

		id += *id == ':';
		id += strcspn(id, ":\n");
		id += *id == ':';
		if (name > 0 && strncmp(id, number, n) == 0 && id[n] == ':')
			return strndup(p, name);
	}
	return NULL;
}

struct maps {
	struct oci_idmap v[ENG_SUBID_MAX + 1];
	struct oci_idmaps list;
};

/* The user is root; what the file gives follows. */
static int fill(struct maps *m, uint32_t self, const char *path, const char *name,
		const char *number, struct err *err)
{
	struct eng_subid ranges[ENG_SUBID_MAX];
	int n = eng_subid_read(path, name, number, ranges, err);
	uint32_t next = 1;

	if (n < 0)
		return n;
	m->v[0] = (struct oci_idmap) { 0, self, 1 };
	m->list = (struct oci_idmaps) { m->v, 1 };
	for (int i = 0; i < n && ranges[i].size < UINT32_MAX - next; i++) {
		m->v[m->list.n++] = (struct oci_idmap) { next, (uint32_t) ranges[i].start,
							 (uint32_t) ranges[i].size };
		next += (uint32_t) ranges[i].size;
	}
	return 0;
}

static int write_maps(pid_t pid, struct err *err)
{
	_cleanup_free_ struct maps *m = calloc(2, sizeof(*m));
	char uid[16], gid[16];
	int r;

	if (m == NULL)
		return err_set(err, -ENOMEM, "read the user's ids");
	(void) snprintf(uid, sizeof(uid), "%u", geteuid());
	(void) snprintf(gid, sizeof(gid), "%u", getegid());
	_cleanup_free_ char *name = user_name(uid);
	r = fill(&m[0], geteuid(), ENG_SUBUID, name, uid, err);
	if (r == 0)
		r = fill(&m[1], getegid(), ENG_SUBGID, name, uid, err);
	if (r == 0 && (m[0].list.n == 1) != (m[1].list.n == 1))
		m[0].list.n = m[1].list.n = 1; /* one without the other is of no use */
	return r < 0 ? r : oci_userns_map(pid, &m[0].list, &m[1].list, err);
}

/*
 * The namespace of an instance that runs though somebody killed the keeper.  Its first process may have made more
 * below it.  Return: descriptor; -ENOENT.
 */
static int find_namespace(const struct engine *e)
{
	int fd = openat(e->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct stat own, st;
	struct dirent *d;

	if (stat("/proc/self/ns/user", &own) < 0)
		return -ENOENT;
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		struct eng_instance i = { .id = d->d_name };
		int pid = strlen(d->d_name) == ENG_ID_LEN ? eng_pid((struct engine *) e, &i) : -ESRCH;
		char path[32];

		(void) snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		int ns = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		while (ns >= 0) {
			_cleanup_close_ int below = ns;

			ns = ioctl(below, NS_GET_PARENT); /* refused above ours */
			if (ns >= 0 && fstat(ns, &st) == 0 && st.st_ino == own.st_ino) {
				(void) close(ns); /* of /proc */
				return take_fd(below);
			}
		}
	}
	return -ENOENT;
}

/* @flags: CLONE_NEWUSER, or 0: of the namespace that this process is in */
static int make_keeper(const struct engine *e, uint64_t flags, struct err *err)
{
	return keeper_make(e->monitor, flags, flags != 0 ? write_maps : NULL, e->keeper, err);
}

/* What was opened before belongs to the mounts of the host, of which an overlay can be made only there. */
static int open_again(const char *path, int fd, struct err *err)
{
	_cleanup_close_ int now = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return now < 0 || dup3(now, fd, O_CLOEXEC) < 0 ? err_set(err, -errno, "open directory '%s'", path)
						       : 0;
}

static int enter_userns(const struct engine *e, struct err *err)
{
	_cleanup_close_ int keeper = keeper_find(e->keeper, NULL);
	_cleanup_close_ int ns = keeper == -ESRCH ? find_namespace(e) : -EBADF;
	int r = 0;

	if (keeper == -ESRCH && ns < 0) {
		r = make_keeper(e, CLONE_NEWUSER, err);
		keeper = r == 0 ? keeper_find(e->keeper, NULL) : r;
	}
	if (r == 0 && keeper < 0 && ns < 0)
		return err_set(err, keeper, "find the keeper of the user namespace");
	if (r == 0 && setns(ns >= 0 ? ns : keeper, CLONE_NEWUSER) < 0)
		return err_set(err, -errno, "enter the user namespace");
	return r == 0 && ns >= 0 ? make_keeper(e, 0, err) : r;
}

static int enter(const struct engine *e, struct err *err)
{
	int r = enter_userns(e, err);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS) < 0) /* the kernel cuts it off from the host's */
		return err_set(err, -errno, "create a mount namespace");
	r = open_again(e->root, e->root_fd, err);
	return r < 0 ? r : open_again(e->runroot, e->run_fd, err);
}

/* Return: descriptor, which holds the lock until it is closed; -errno. */
static int lock_keeper(const struct engine *e)
{
	_cleanup_close_ int fd = openat(e->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || flock(fd, LOCK_EX) < 0 ? -errno : take_fd(fd);
}

int eng_rootless_enter(struct engine *e, struct err *err)
{
	bool user = geteuid() != 0;

	if (!user && !proc_in_userns())
		return 0;
	e->rootless = true;
	_cleanup_close_ int lock = lock_keeper(e);
	if (lock < 0)
		return err_set(err, lock, "lock '%s'", e->runroot);
	e->keeper = openat(e->run_fd, ENG_KEEPER, O_RDWR | O_CLOEXEC | (user ? O_CREAT : 0), 0600);
	if (e->keeper < 0) /* root of a namespace that is not ours needs none */
		return user ? err_set(err, -errno, "open '%s/" ENG_KEEPER "'", e->runroot) : 0;
	if (flock(e->keeper, LOCK_SH) < 0)
		return err_set(err, -errno, "lock '%s/" ENG_KEEPER "'", e->runroot);
	return user ? enter(e, err) : 0;
}

/* An instance has a directory there from before it has a row until it is cleaned up. */
static bool is_idle(const struct engine *e)
{
	int fd = openat(e->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strlen(d->d_name) == ENG_ID_LEN)
			return false;
	return dir != NULL;
}

void eng_rootless_leave(struct engine *e)
{
	if (e->keeper < 0)
		return;
	_cleanup_close_ int lock = lock_keeper(e);
	if (lock >= 0 && flock(e->keeper, LOCK_EX | LOCK_NB) == 0 && is_idle(e)) {
		home_end(e);
		keeper_end(e->keeper);
	}
	cleanup_closep(&e->keeper);
	e->keeper = -EBADF;
}
