/* SPDX-License-Identifier: MIT */
/**
 * DOC: devices
 *
 * Nodes are made by mknod(2) in the directory that holds them, opened once.  In a user namespace,
 * or where mknod(2) is refused, the host's node of the same path is bind-mounted.  umask is 0, so a
 * new node has its mode right away.  /dev is most often our own tmpfs, which nobody else can reach;
 * elsewhere a new node is opened and compared before its owner is set.
 */
#include "oci/device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/mount.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/mnt.h"
#include "sys/path.h"

#define NULL_MAJOR   1
#define NULL_MINOR   3
#define CONSOLE_MODE 0620

static const struct oci_device default_devices[] = {
	{ (char *) "/dev/null", 'c', NULL_MAJOR, NULL_MINOR, 0666, 0, 0 },
	{ (char *) "/dev/zero", 'c', 1, 5, 0666, 0, 0 },
	{ (char *) "/dev/full", 'c', 1, 7, 0666, 0, 0 },
	{ (char *) "/dev/random", 'c', 1, 8, 0666, 0, 0 },
	{ (char *) "/dev/urandom", 'c', 1, 9, 0666, 0, 0 },
	{ (char *) "/dev/tty", 'c', 5, 0, 0666, 0, 0 },
};

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
}

static mode_t type_of(const struct oci_device *d)
{
	switch (d->type) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return S_IFCHR;
	}
}

static bool is_device(const struct stat *st, const struct oci_device *d)
{
	mode_t type = type_of(d);

	return (st->st_mode & S_IFMT) == type &&
	       (type == S_IFIFO ||
		st->st_rdev == makedev((unsigned) d->major, (unsigned) d->minor));
}

static int refuse(const struct oci_device *d, const char *what, struct err *err)
{
	return err_msg(err, -EEXIST, "device \"%s\": %s is not %c %lld:%lld", d->path, what,
		       d->type, (long long) d->major, (long long) d->minor);
}

/* Bind the host's node; verified first, so that the container gets the device it was promised */
static int bind_node(int dir, const char *name, const struct oci_device *d, struct err *err)
{
	_cleanup_close_ int mnt = mnt_clone(AT_FDCWD, d->path, 0);
	struct stat st;
	int fd, r;

	if (mnt < 0)
		return err_set(err, mnt, "device \"%s\": open the host's", d->path);
	if (fstat(mnt, &st) < 0)
		return err_set(err, -errno, "device \"%s\"", d->path);
	if (!is_device(&st, d))
		return refuse(d, "the host's file", err);
	fd = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0);
	if (fd < 0 && errno == EEXIST)
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "device \"%s\": create mount point", d->path);
	r = mnt_attr(mnt, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0);
	if (r == 0)
		r = mnt_move(mnt, fd);
	(void) close(fd); /* nothing was written */
	return r < 0 ? err_set(err, r, "device \"%s\": bind", d->path) : 0;
}

/* Owner of a node in a directory that others may reach: only after it was seen to be the right one
 */
static int own_node(int dir, const char *name, const struct oci_device *d, struct err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "device \"%s\"", d->path);
	if (!is_device(&st, d))
		return refuse(d, "the new file", err);
	if (fchownat(fd, "", d->uid, d->gid, AT_EMPTY_PATH) < 0)
		return err_set(err, -errno, "device \"%s\": set owner", d->path);
	return 0;
}

/* @own: @dir is on a file system that is only ours */
static int make_node(const struct oci_init *init, int dir, const char *name,
		     const struct oci_device *d, bool own, struct err *err)
{
	mode_t type = type_of(d);
	struct stat st;

	if ((init->in_userns || init->rootless) && type != S_IFIFO)
		return bind_node(dir, name, d, err);
	if (mknodat(dir, name, type | (d->mode & 07777),
		    type == S_IFIFO ? 0 : makedev((unsigned) d->major, (unsigned) d->minor)) == 0) {
		if (own && d->uid == 0 && d->gid == 0)
			return 0;
		return own_node(dir, name, d, err);
	}
	if (errno == EPERM)
		return bind_node(dir, name, d, err);
	if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, -errno, "device \"%s\": make node", d->path);
	return is_device(&st, d) ? 0 : refuse(d, "what exists in the container", err);
}

static bool is_configured(const struct oci_linux *linux, const char *path)
{
	for (size_t i = 0; i < linux->nr_devices; i++)
		if (str_eq(linux->devices[i].path, path))
			return true;
	return false;
}

static int make_configured(struct oci_init *init, int dev_dir, bool own, const struct oci_device *d,
			   struct err *err)
{
	char name[NAME_MAX + 1], clean[PATH_MAX];
	const char *in_dev;

	if (path_clean(d->path, clean, sizeof(clean)) < 0)
		return err_set(err, -ENAMETOOLONG, "device \"%.64s...\"", d->path);
	if (strcmp(clean, "/dev/ptmx") == 0)
		return 0; /* a link to pts/ptmx */
	in_dev = path_below("/dev", clean);
	if (in_dev != NULL && *in_dev == '/' && strchr(in_dev + 1, '/') == NULL &&
	    strlen(in_dev + 1) <= NAME_MAX)
		return make_node(init, dev_dir, in_dev + 1, d, own, err);

	_cleanup_close_ int dir = path_make_parent(init->rootfs_fd, clean, name);
	if (dir < 0)
		return err_set(err, dir, "device \"%s\": open directory", d->path);
	return make_node(init, dir, name, d, false, err);
}

static int make_links(const struct oci_init *init, int dev, struct err *err)
{
	static const struct {
		const char *target, *name;
	} links[] = {
		{ "/proc/self/fd", "fd" },       { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "/proc/kcore", "core" },
	};
	size_t n = ARRAY_LEN(links) - (faccessat(init->proc_fd, "kcore", F_OK, 0) < 0);

	for (size_t i = 0; i < n; i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make link /dev/%s", links[i].name);
	if (symlinkat("pts/ptmx", dev, "ptmx") == 0)
		return 0;
	if (errno == EEXIST && unlinkat(dev, "ptmx", 0) == 0 &&
	    symlinkat("pts/ptmx", dev, "ptmx") == 0)
		return 0;
	return err_set(err, -errno, "make link /dev/ptmx");
}

static int make_console(const struct oci_init *init, int dev, struct err *err)
{
	int fd;

	if (init->process == NULL || !init->process->terminal)
		return 0;
	fd = openat(dev, "console",
		    O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_WRONLY | O_NONBLOCK | O_NOCTTY,
		    CONSOLE_MODE);
	if (fd < 0 && errno != EEXIST && errno != ENXIO && errno != ENODEV && errno != EIO)
		return err_set(err, -errno, "make /dev/console");
	cleanup_closep(&fd);
	return 0;
}

/* A bind mount exactly at /dev brings its own content */
static bool covered_by_bind(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->nr_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];
		char clean[sizeof("/dev") + 1];
		struct oci_mount_opts o;

		if (path_clean(m->destination, clean, sizeof(clean)) > 0 &&
		    strcmp(clean, "/dev") == 0 && oci_mount_opts_parse(m, &o, NULL) == 0 &&
		    (o.flags & MS_BIND) != 0 && (o.flags & MS_REMOUNT) == 0)
			return true;
	}
	return false;
}

int oci_device_make_all(struct oci_init *init, struct err *err)
{
	const struct oci_linux *linux = &init->spec->linux;
	_cleanup_close_ int opened = -EBADF;
	int dev = init->rootfs->dev_fd, r = 0;
	bool own = dev >= 0;

	if (covered_by_bind(init->spec))
		return 0;
	if (dev < 0)
		dev = opened = path_make(init->rootfs_fd, "/dev", S_IFDIR);
	if (dev < 0)
		return err_set(err, dev, "open /dev of the container");
	for (size_t i = 0; i < ARRAY_LEN(default_devices) && r == 0; i++)
		if (!is_configured(linux, default_devices[i].path))
			r = make_node(init, dev, default_devices[i].path + strlen("/dev/"),
				      &default_devices[i], own, err);
	for (size_t i = 0; i < linux->nr_devices && r == 0; i++)
		r = make_configured(init, dev, own, &linux->devices[i], err);
	if (r == 0)
		r = make_links(init, dev, err);
	return r < 0 ? r : make_console(init, dev, err);
}

int oci_device_clone_null(struct err *err)
{
	_cleanup_close_ int mnt = mnt_clone(AT_FDCWD, "/dev/null", AT_SYMLINK_NOFOLLOW);
	struct stat st;
	int r;

	if (mnt < 0)
		return err_set(err, mnt, "clone /dev/null");
	if (fstat(mnt, &st) < 0)
		return err_set(err, -errno, "stat /dev/null");
	if (!is_null(&st))
		return err_msg(err, -ENODEV, "/dev/null is not the character device %d:%d",
			       NULL_MAJOR, NULL_MINOR);
	r = mnt_attr(mnt, false, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE);
	return r < 0 ? err_set(err, r, "make the clone of /dev/null read-only") : take_fd(mnt);
}

int oci_device_reopen_null(struct err *err)
{
	_cleanup_close_ int null = -EBADF;
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) < 0 || !is_null(&st))
			continue;
		if (null < 0) {
			null = open("/dev/null", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
			if (null < 0 && (errno == ENOENT || errno == ENOTDIR))
				return 0; /* this container has none */
			if (null < 0 || fstat(null, &st) < 0)
				return err_set(err, -errno, "open the container's /dev/null");
			if (!is_null(&st))
				return err_msg(err, -ENODEV,
					       "the container's /dev/null is invalid");
		}
		if (dup2(null, fd) < 0)
			return err_set(err, -errno, "replace descriptor %d", fd);
	}
	return 0;
}
