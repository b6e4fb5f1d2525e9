/* SPDX-License-Identifier: MIT */
/**
 * DOC: root file systems
 *
 * An overlay of the image's layers, made with the new mount API and handed to the container as a
 * descriptor: no mount point on the host, nothing to unmount, gone with the container's mount namespace.
 *
 * Below all layers lies one that holds the mount points every container needs (/proc, /dev,
 * /etc/hosts, ...), so that none is ever created in the writable layer and a read-only instance needs none.
 */
#include "engine/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "image/store.h"
#include "sys/mnt.h"

#define KERNEL_TEXT_MAX 256 /* bytes of a string option */

/* What is done with the writable layer: nothing, it is written, it is read as if it were one of the image's */
enum use { IMAGE, WRITE, VIEW };

int eng_overlay_prepare(int dir, uint32_t owner, struct err *err)
{
	if (mkdirat(dir, ENG_OVERLAY_DIR, 0755) < 0 || mkdirat(dir, ENG_OVERLAY_UPPER, 0755) < 0 ||
	    mkdirat(dir, ENG_OVERLAY_WORK, 0700) < 0 ||
	    (owner != 0 && fchownat(dir, ENG_OVERLAY_UPPER, owner, owner, AT_SYMLINK_NOFOLLOW) < 0))
		return err_set(err, -errno, "create the writable layer");
	return 0;
}

/* Made in tmp/ and renamed, like a layer. */
static int make_points(struct engine *e, struct err *err)
{
	static const char *const dirs[] = { "p",        "p/fs",     "p/fs/proc",
					    "p/fs/sys", "p/fs/dev", "p/fs/etc" };
	static const char *const files[] = { "p/fs/etc/hosts", "p/fs/etc/hostname",
					     "p/fs/etc/resolv.conf" };
	struct img_work work;
	int r = img_work_begin(e->images, &work, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs); i++)
		if (mkdirat(work.dir, dirs[i], 0755) < 0)
			r = err_set(err, -errno, "create a layer of mount points");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
		_cleanup_close_ int fd = openat(work.dir, files[i],
						O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0)
			r = err_set(err, -errno, "create a layer of mount points");
	}
	if (r == 0)
		r = img_work_layer(e->images, &work, "p", ENG_OVERLAY_POINTS, err);
	img_work_end(&work);
	return r;
}

/* Relative to the instance's directory: the kernel takes no more than 255 bytes. */
static int add_layer(int fs, const char *option, const char *name, size_t n)
{
	char path[KERNEL_TEXT_MAX];

	if (snprintf(path, sizeof(path), "../../layers/%.*s/fs", (int) n, name) >=
	    (int) sizeof(path))
		return -ENAMETOOLONG;
	return fsconfig(fs, FSCONFIG_SET_STRING, option, path, 0) < 0 ? -errno : 0;
}

static const char *last_word(const char *text, const char *end)
{
	while (end > text && end[-1] != ' ')
		end--;
	return end;
}

static int set_layers(int fs, const char *chain, enum use use, struct err *err)
{
	const char *end = chain + strlen(chain);
	unsigned count = 0;
	int r = 0;

	if (use == VIEW && fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", ENG_OVERLAY_UPPER, 0) < 0)
		r = -errno;

	while (r == 0 && end > chain) { /* from the top */
		const char *begin = last_word(chain, end);

		if (++count > IMG_LAYERS_MAX - 1)
			return err_msg(err, -E2BIG, "the image has over %d layers",
				       IMG_LAYERS_MAX - 1);
		r = add_layer(fs, "lowerdir+", begin, (size_t) (end - begin));
		end = begin > chain ? begin - 1 : chain;
	}
	if (r == 0)
		r = add_layer(fs, "lowerdir+", ENG_OVERLAY_POINTS, strlen(ENG_OVERLAY_POINTS));
	return r < 0 ? err_set(err, r, "add a layer to the root file system") : 0;
}

static int open_layer(int dir, const char *path, struct err *err)
{
	int fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* until this process ends */

	return fd < 0 ? err_set(err, -errno, "open layer '%s'", path) : fd;
}

/*
 * Kernels before 6.8 know no "lowerdir+" and want all layers in one text.  Numbers of descriptors, from
 * where those have names, make it short.
 */
static int set_layers_old(struct engine *e, int fs, int dir, const char *chain, enum use use, struct err *err)
{
	_cleanup_(str_fini) struct str list = { 0 };
	int layers = img_store_layers_fd(e->images), fd = 0;
	const char *end = chain + strlen(chain);

	if (use == VIEW) {
		fd = open_layer(dir, ENG_OVERLAY_UPPER, err);
		str_printf(&list, "%d:", fd);
	}

	while (fd >= 0 && end > chain) {
		const char *begin = last_word(chain, end);
		char path[KERNEL_TEXT_MAX];

		(void) snprintf(path, sizeof(path), "%.*s/fs", (int) (end - begin), begin);
		fd = open_layer(layers, path, err);
		str_printf(&list, "%d:", fd);
		end = begin > chain ? begin - 1 : chain;
	}
	if (fd >= 0)
		fd = open_layer(layers, ENG_OVERLAY_POINTS "/fs", err);
	if (fd < 0)
		return fd;
	str_printf(&list, "%d", fd);
	if (list.failed)
		return err_set(err, -ENOMEM, "add the layers to the root file system");
	if (list.len >= KERNEL_TEXT_MAX)
		return err_msg(
			err, -E2BIG,
			"the image has more layers than this kernel takes; Linux 6.8 takes 500");
	return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", list.p, 0) < 0
		       ? err_set(err, -errno, "add the layers to the root file system")
		       : 0;
}

static int set_writable(int fs, const char *upper, const char *work, bool volatile_ok,
			struct err *err)
{
	if (fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", upper, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "workdir", work, 0) < 0)
		return err_set(err, -errno, "add the writable layer to the root file system");
	/* else the end of the container waits until all its files are on disk */
	if (volatile_ok)
		(void) fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0); /* Linux 5.10 */
	return 0;
}

static int create_fs(int fs, struct err *err)
{
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0
		       ? err_set(err, -errno, "mount the root file system")
		       : 0;
}

static int configure_old(struct engine *e, int fs, int dir, const char *chain, enum use use,
			 bool volatile_ok, struct err *err)
{
	int r = set_layers_old(e, fs, dir, chain, use, err);

	if (r == 0 && use == WRITE) {
		int upper = open_layer(dir, ENG_OVERLAY_UPPER, err);
		int work = upper < 0 ? upper : open_layer(dir, ENG_OVERLAY_WORK, err);
		char names[2][16];

		if (work < 0)
			return work;
		(void) snprintf(names[0], sizeof(names[0]), "%d", upper);
		(void) snprintf(names[1], sizeof(names[1]), "%d", work);
		r = set_writable(fs, names[0], names[1], volatile_ok, err);
	}
	if (r == 0 && chdir("/proc/self/fd") < 0)
		r = err_set(err, -errno, "enter '/proc/self/fd'");
	if (r == 0)
		r = create_fs(fs, err);
	if (fchdir(dir) < 0 && r == 0)
		r = err_set(err, -errno, "enter the instance's directory");
	return r;
}

#define IDMAP_KERNEL "the user namespace needs Linux 6.13"

/*
 * A clone of a directory whose owners are mapped, as a layer.  Overlays themselves cannot be mapped, and a
 * writable layer cannot because its maker has no id there: its files have the host's ids.
 */
static int add_mapped(int fs, const char *option, int dir, const char *path, const char *below,
		      int userns, struct err *err)
{
	int mnt = mnt_clone(dir, path, 0); /* kept: closed, it were gone before the overlay is made */
	int r = mnt < 0 ? mnt : mnt_idmap(mnt, false, userns);

	if (r < 0)
		return err_set(err, r, "map the owners of layer '%s'", path);
	_cleanup_close_ int at = openat(mnt, below, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_set(err, -errno, "open layer '%s/%s'", path, below);
	return fsconfig(fs, FSCONFIG_SET_FD, option, NULL, at) < 0
		       ? err_set(err, -errno, "add a layer with mapped owners (" IDMAP_KERNEL ")")
		       : 0;
}

static int set_mapped(struct engine *e, int fs, const char *chain, int userns, struct err *err)
{
	int layers = img_store_layers_fd(e->images), r = 0;
	const char *end = chain + strlen(chain);

	while (r == 0 && end > chain) { /* from the top */
		const char *begin = last_word(chain, end);
		char name[KERNEL_TEXT_MAX];

		(void) snprintf(name, sizeof(name), "%.*s", (int) (end - begin), begin);
		r = add_mapped(fs, "lowerdir+", layers, name, "fs", userns, err);
		end = begin > chain ? begin - 1 : chain;
	}
	if (r == 0)
		r = add_mapped(fs, "lowerdir+", layers, ENG_OVERLAY_POINTS, "fs", userns, err);
	return r;
}

static int configure(struct engine *e, int fs, const char *chain, enum use use, bool volatile_ok,
		     int userns, struct err *err)
{
	int r = userns >= 0 ? set_mapped(e, fs, chain, userns, err)
			    : set_layers(fs, chain, use, err);

	if (r == 0 && use == WRITE)
		r = set_writable(fs, ENG_OVERLAY_UPPER, ENG_OVERLAY_WORK, volatile_ok, err);
	return r == 0 ? create_fs(fs, err) : r;
}

/* In a user namespace its marks are attributes that users may set, as those that layer.c sets. */
static int open_fs(const struct engine *e, struct err *err)
{
	_cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_set(err, -errno, "open the overlay file system");
	if (e->rootless && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return err_set(err, -errno, "open the overlay file system for a user namespace");
	return take_fd(fs);
}

void eng_overlay_adopt(int dir)
{
	if (faccessat(dir, "upper", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	(void) mkdirat(dir, ENG_OVERLAY_DIR, 0755); /* opening tells */
	(void) renameat(dir, "work", dir, ENG_OVERLAY_WORK);
	(void) renameat(dir, "upper", dir, ENG_OVERLAY_UPPER); /* last: it is looked for */
}

static int open_overlay(struct engine *e, int dir, const char *chain, enum use use, bool volatile_ok, int userns,
			struct err *err)
{
	int r = 0;

	if (use == WRITE)
		eng_overlay_adopt(dir);
	if (faccessat(img_store_layers_fd(e->images), ENG_OVERLAY_POINTS "/fs", F_OK, 0) < 0)
		r = make_points(e, err);
	if (r < 0)
		return r;
	if (fchdir(dir) < 0)
		return err_set(err, -errno, "enter the instance's directory");
	_cleanup_close_ int fs = open_fs(e, err);
	if (fs < 0)
		return fs;
	r = configure(e, fs, chain, use, volatile_ok, userns, err);
	if (r == -EINVAL && userns < 0) { /* before 6.5 it is noticed only at the end */
		cleanup_closep(&fs);
		fs = open_fs(e, err);
		r = fs < 0 ? fs : configure_old(e, fs, dir, chain, use, volatile_ok, err);
	}
	if (r < 0)
		return r;
	int mnt = fsmount(fs, FSMOUNT_CLOEXEC, use == WRITE ? 0 : MOUNT_ATTR_RDONLY);
	return mnt < 0 ? err_set(err, -errno, "mount the root file system") : mnt;
}

int eng_overlay_open(struct engine *e, int dir, const char *chain, bool writable, bool volatile_ok,
		     int userns, struct err *err)
{
	return open_overlay(e, dir, chain, writable ? WRITE : IMAGE, volatile_ok, userns, err);
}

int eng_overlay_view(struct engine *e, int dir, const char *chain, bool layer, struct err *err)
{
	return open_overlay(e, dir, chain, layer ? VIEW : IMAGE, false, -EBADF, err);
}
