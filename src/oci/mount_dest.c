/* SPDX-License-Identifier: MIT */
/**
 * DOC: destinations of mounts
 *
 * A destination is resolved by the kernel inside the container's root, and made where it is
 * missing. proc and sysfs want one without any symbolic link on the way.  Nothing but a short list
 * of files may be mounted below /proc, and only procfs on it: a container that brings its own /proc
 * could fool whoever looks for security labels there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/mount.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/path.h"

/* Files below /proc that lxcfs and the like provide */
static const char *const proc_files[] = {
	"/cpuinfo",
	"/diskstats",
	"/meminfo",
	"/stat",
	"/swaps",
	"/uptime",
	"/loadavg",
	"/slabinfo",
	"/sys/kernel/ns_last_pid",
	"/sys/crypto/fips_enabled",
};

static bool is_provided(const char *below)
{
	for (size_t i = 0; i < ARRAY_LEN(proc_files); i++)
		if (strcmp(below, proc_files[i]) == 0)
			return true;
	return false;
}

/* May this be mounted at @clean, as far as /proc goes?  @mnt: bind source, or -EBADF */
static int check_proc(const struct oci_mount *m, const char *clean, int mnt, struct err *err)
{
	const char *below = path_below("/proc", clean);

	if (below == NULL || is_provided(below))
		return 0;
	if (*below != '\0')
		return err_msg(err, -EPERM, "\"%s\" cannot be mounted because it is inside /proc",
			       clean);
	if (mnt >= 0 ? path_verify_fs(mnt, PROC_SUPER_MAGIC) == 0 : str_eq(m->type, "proc"))
		return 0;
	return err_msg(err, -EPERM, "\"%s\" cannot be mounted because it is not of type proc",
		       clean);
}

static int check_reached(int fd, const struct oci_mount_dest *d, struct err *err)
{
	if (path_below("/proc", d->clean) == NULL && path_verify_fs(fd, PROC_SUPER_MAGIC) == 0)
		return err_msg(err, -EPERM, "\"%s\" cannot be mounted because it is inside /proc",
			       d->clean);
	return 0;
}

/* For proc and sysfs: a directory without any link on the way */
static int open_ordinary(const struct oci_init *init, const struct oci_mount *m, const char *path,
			 struct oci_mount_dest *d, struct err *err)
{
	int fd = path_open_plain(init->rootfs_fd, path, O_PATH | O_DIRECTORY);

	d->existed = fd >= 0;
	if (fd == -ENOENT) {
		fd = path_create(init->rootfs_fd, path, S_IFDIR);
		if (fd >= 0) {
			(void) close(fd); /* O_PATH */
			fd = path_open_plain(init->rootfs_fd, path, O_PATH | O_DIRECTORY);
		}
	}
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_msg(err, fd, "filesystem \"%s\" must be mounted on ordinary directory",
			       m->type);
	return fd < 0 ? err_set(err, fd, "open destination") : fd;
}

int oci_mount_dest_open(const struct oci_init *init, const struct oci_mount *m,
			const struct oci_mount_opts *o, int mnt, struct oci_mount_dest *d,
			struct err *err)
{
	const char *path = m->destination, *inside;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	if (path_clean(path, d->clean, sizeof(d->clean)) < 0)
		return err_set(err, -ENAMETOOLONG, "destination");
	inside = path_below(init->rootfs->root, d->clean);
	if (inside != NULL) { /* given as a host path */
		memmove(d->clean, inside, strlen(inside) + 1);
		if (d->clean[0] == '\0')
			memcpy(d->clean, "/", 2);
		path = d->clean;
	}
	r = check_proc(m, d->clean, mnt, err);
	if (r < 0)
		return r;
	if (mnt < 0 && (str_eq(m->type, "proc") || str_eq(m->type, "sysfs")))
		return open_ordinary(init, m, path, d, err);

	if (o->dest_nofollow)
		fd = path_open(init->rootfs_fd, path, O_PATH | O_NOFOLLOW);
	else
		fd = path_open_plain(init->rootfs_fd, path, O_PATH);
	d->existed = fd >= 0;
	if (fd >= 0)
		return o->dest_nofollow && (r = check_reached(fd, d, err)) < 0 ? r : take_fd(fd);
	if (fd == -ELOOP) {
		fd = path_open(init->rootfs_fd, path, O_PATH);
		d->existed = fd >= 0;
	}
	if (fd == -ENOENT) {
		mode_t kind = S_IFDIR;

		if (mnt >= 0 && fstat(mnt, &st) == 0 && !S_ISDIR(st.st_mode))
			kind = S_IFREG;
		fd = path_create(init->rootfs_fd, path, kind);
	}
	if (fd < 0)
		return err_set(err, fd, "open destination");
	r = check_reached(fd, d, err);
	return r < 0 ? r : take_fd(fd);
}
