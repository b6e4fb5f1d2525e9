/* SPDX-License-Identifier: MIT */
/**
 * DOC: the machine's process in its sandbox
 *
 * Root of the new mount namespace is an empty, read-only file system.  When the guest may connect to sockets of the
 * host, their directory is the one thing in it, at its own place, so that paths stay as they are.  Without the
 * right to make namespaces a user namespace gives it; where that is forbidden too, system calls are still limited.
 */
#include "vmm/machine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/cap.h"
#include "sys/mnt.h"
#include "sys/path.h"

#define NOBODY 65534
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Needs a capability: who has none has nothing to lose. */
static void shrink_bounding_set(void)
{
	for (unsigned long cap = 0; cap <= (unsigned long) cap_last(); cap++)
		(void) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int give_up_capabilities(struct err *err)
{
	static const struct cap_sets none;
	int r;

	shrink_bounding_set();
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_set(err, -errno, "drop ambient capabilities");
	r = cap_set(&none);
	if (r < 0)
		return err_set(err, r, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "give up new privileges");
	return 0;
}

/* Ours are close-on-exec, all of them; what is not was inherited. */
static int close_inherited(struct err *err)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;
	uint64_t fd;

	if (d == NULL)
		return err_set(err, -errno, "sandbox: list open files");
	while ((e = readdir(d)) != NULL) {
		int flags;

		if (str_to_u64(e->d_name, &fd) < 0 || fd <= STDERR_FILENO)
			continue;
		flags = fcntl((int) fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			(void) close((int) fd); /* not ours: nothing of it is ours to lose */
	}
	return 0;
}

static int write_text(const char *path, const char *text, struct err *err)
{
	int r = file_write(AT_FDCWD, path, text);

	return r < 0 ? err_set(err, r, "sandbox: write %s", path) : 0;
}

/* A user namespace in which we stay who we are */
static int unshare_user(int flags, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	int r;

	if (unshare(CLONE_NEWUSER | flags) < 0)
		return err_set(err, -errno, "sandbox: make a user namespace");
	r = write_text("/proc/self/setgroups", "deny", err);
	(void) snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (r == 0)
		r = write_text("/proc/self/uid_map", map, err);
	(void) snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return r == 0 ? write_text("/proc/self/gid_map", map, err) : r;
}

/* Return: 1 as a privileged process, 0 by a user namespace; -errno with a message. */
static int unshare_all(const struct confine_config *c, struct err *err)
{
	int flags = NAMESPACES | (c->network ? 0 : CLONE_NEWNET), r;

	if (unshare(flags) == 0)
		return 1;
	if (errno != EPERM)
		return err_set(err, -errno, "sandbox: make namespaces");
	r = unshare_user(flags, err);
	return r < 0 ? r : 0;
}

static int make_directories(int root, const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 1; path[i] != '\0'; i++) {
		size_t n = i + strcspn(path + i, "/");

		memcpy(part, path + 1, n - 1);
		part[n - 1] = '\0';
		if (mkdirat(root, part, 0755) < 0 && errno != EEXIST)
			return -errno;
		i = path[n] == '\0' ? n - 1 : n;
	}
	return 0;
}

/* The directory @path in the new root, at the same place */
static int keep_directory(int root, int tree, const char *path, struct err *err)
{
	_cleanup_close_ int target = -EBADF;
	int r = make_directories(root, path);

	if (r == 0) {
		target = openat(root, path + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = target < 0 ? -errno : mnt_move(tree, target);
	}
	if (r == 0)
		r = mnt_attr(tree, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			     0, 0);
	return r < 0 ? err_set(err, r, "sandbox: keep directory '%s'", path) : 0;
}

static int enter(int root, struct err *err)
{
	if (fchdir(root) < 0)
		return err_set(err, -errno, "sandbox: enter the new root");
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		return umount2(".", MNT_DETACH) < 0 ? err_set(err, -errno, "sandbox: leave the old root") : 0;
	/* the initial file system of a kernel cannot be left: it stays, out of reach */
	if (errno != EINVAL || chroot(".") < 0)
		return err_set(err, -errno, "sandbox: change the root");
	return 0;
}

static int empty_root(void)
{
	_cleanup_close_ int fs = mnt_fs_open("tmpfs", NULL);

	if (fs < 0 || mnt_fs_set(fs, "size", "64k", NULL) < 0)
		return fs < 0 ? fs : -EINVAL;
	return mnt_fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL);
}

/* @sockets: absolute path of a directory, "" for none; @cwd: where we were */
static int change_root(const char *sockets, const char *cwd, struct err *err)
{
	_cleanup_close_ int root = -EBADF, tree = -EBADF, top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = top < 0 ? -errno : 0;

	if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = -errno;
	if (r == 0 && *sockets != '\0') {
		tree = mnt_clone(AT_FDCWD, sockets, AT_RECURSIVE);
		r = tree < 0 ? tree : 0;
	}
	if (r == 0) {
		root = empty_root();
		r = root < 0 ? root : mnt_move(root, top);
	}
	if (r < 0)
		return err_set(err, r, "sandbox: make an empty root");
	if (tree >= 0) {
		r = keep_directory(root, tree, sockets, err);
		if (r == 0)
			(void) make_directories(root, cwd); /* relative paths begin there; without it, absolute ones work */
	}
	if (r == 0)
		r = enter(root, err);
	if (r == 0 && mnt_attr(root, false, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		r = err_set(err, -errno, "sandbox: make the new root read-only");
	if (r == 0 && tree >= 0)
		(void) !chdir(cwd); /* likewise */
	return r;
}

/* Nobody; but who owns the sockets' directory where there is one, since sockets are for their owners */
static int change_user(const char *sockets, struct err *err)
{
	struct stat st = { .st_uid = NOBODY, .st_gid = NOBODY };

	if (*sockets != '\0' && stat(sockets, &st) < 0)
		return err_set(err, -errno, "sandbox: look at directory '%s'", sockets);
	/* this thread alone: one that serves files stays who it is */
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, st.st_gid, st.st_gid, st.st_gid) < 0 ||
	    syscall(SYS_setresuid, st.st_uid, st.st_uid, st.st_uid) < 0)
		return err_set(err, -errno, "sandbox: become user %u", st.st_uid);
	return 0;
}

static int find_sockets(const struct confine_config *c, const char *cwd, char sockets[PATH_MAX], struct err *err)
{
	char path[2 * PATH_MAX];
	char *slash;

	sockets[0] = '\0';
	if (c->sockets == NULL)
		return 0;
	(void) snprintf(path, sizeof(path), "%s%s%s", c->sockets[0] == '/' ? "" : cwd,
			c->sockets[0] == '/' ? "" : "/", c->sockets);
	if (path_clean(path, sockets, PATH_MAX) < 0)
		return err_set(err, -ENAMETOOLONG, "sandbox: directory of '%s'", c->sockets);
	slash = strrchr(sockets, '/');
	if (slash == sockets)
		return err_msg(err, -EINVAL, "sandbox: sockets in the root directory, '%s', would keep all of it in reach",
			       c->sockets);
	*slash = '\0';
	return 0;
}

static int leave_host(const struct confine_config *c, struct err *err)
{
	char cwd[PATH_MAX] = "/", sockets[PATH_MAX];
	int privileged, r;

	if (c->sockets != NULL && getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set(err, -errno, "sandbox: find the working directory");
	r = find_sockets(c, cwd, sockets, err);
	if (r < 0)
		return r;
	privileged = unshare_all(c, err);
	if (privileged < 0)
		return privileged;
	r = change_root(sockets, cwd, err);
	shrink_bounding_set(); /* before the user changes, and with it what it takes to do so */
	return r == 0 && privileged ? change_user(sockets, err) : r;
}

int confine(const struct confine_config *c, struct err *missing, struct err *err)
{
	struct err why = { 0 };
	int r = 0;

	if (c->mode != CONFINE_OFF) {
		tzset(); /* reads a file */
		r = close_inherited(&why);
		if (r == 0)
			r = leave_host(c, &why);
	}
	if (r < 0 && c->mode == CONFINE_FULL) {
		if (err != NULL)
			*err = why;
		return r;
	}
	if (r < 0)
		*missing = why;
	return give_up_capabilities(err);
}
