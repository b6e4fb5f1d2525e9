/* SPDX-License-Identifier: MIT */
#include "sys/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define LOG_LINE_MAX 512
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* The context keeps messages for the person: "e tmpfs: Bad value for 'size'" */
static int fs_err(int fs, int code, const char *what, const char *name, struct err *err)
{
	char line[LOG_LINE_MAX];
	ssize_t n = read(fs, line, sizeof(line) - 1);

	if (n <= 2)
		return err_set(err, code, "%s '%s'", what, name);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return err_set(err, code, "%s '%s': %s", what, name, line + 2);
}

int mnt_fs_open(const char *type, struct err *err)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC);

	return fs < 0 ? err_set(err, -errno, "open file system '%s'", type) : fs;
}

int mnt_fs_set(int fs, const char *key, const char *value, struct err *err)
{
	unsigned cmd = value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	if (fsconfig(fs, cmd, key, value, 0) < 0)
		return fs_err(fs, -errno, "set mount option", key, err);
	return 0;
}

int mnt_fs_mount(int fs, uint64_t attrs, struct err *err)
{
	int fd;

	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_err(fs, -errno, "create", "file system", err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attrs);
	return fd < 0 ? fs_err(fs, -errno, "mount", "file system", err) : fd;
}

int mnt_fs_reconfigure(int target, int (*set)(int fs, const void *arg, struct err *err),
		       const void *arg, struct err *err)
{
	_cleanup_close_ int fs = fspick(target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	int r;

	if (fs < 0)
		return err_set(err, -errno, "pick file system");
	r = set(fs, arg, err);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return fs_err(fs, -errno, "reconfigure", "file system", err);
	return 0;
}

int mnt_clone(int dirfd, const char *path, unsigned flags)
{
	int fd = open_tree(dirfd, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags |
				   (*path == '\0' ? AT_EMPTY_PATH : 0));

	return fd < 0 ? -errno : fd;
}

int mnt_move(int mnt, int target)
{
	return move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
			       0
		       ? -errno
		       : 0;
}

int mnt_attr(int mnt, bool recursive, uint64_t set, uint64_t clr, uint64_t propagation)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clr, .propagation = propagation };
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return mount_setattr(mnt, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mnt_idmap(int mnt, bool recursive, int userns_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (uint64_t) userns_fd };
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return mount_setattr(mnt, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

void mnt_unescape(char *field)
{
	char *to = field;

	for (const char *p = field; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to++ = (char) ((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else
			*to++ = *p;
	}
	*to = '\0';
}
