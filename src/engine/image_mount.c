/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounted images
 *
 * A directory images/ID of the run directory is where an image is mounted.  The run directory and mounts end
 * together, with the machine.
 */
#include "engine/image_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/overlay.h"
#include "image/store.h"
#include "sys/mnt.h"

int eng_image_open(struct engine *e, const struct img_image *image, struct err *err)
{
	_cleanup_close_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int dir = openat(e->root_fd, "images/blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (dir < 0)
		return err_set(err, -errno, "open the blobs of the store");
	fd = eng_overlay_open(e, dir, image->chain, false, false, -EBADF, err);
	if (cwd >= 0)
		(void) fchdir(cwd); /* it is where we were */
	return fd;
}

static void append_path(struct engine *e, const char *id, struct str *ret)
{
	str_printf(ret, "%s/images/%s", e->runroot, id);
}

bool eng_image_mounted(struct engine *e, const char *id, struct str *ret)
{
	_cleanup_(str_fini) struct str path = { 0 };
	struct statx st;

	append_path(e, id, &path);
	if (path.failed || statx(AT_FDCWD, path.p, AT_SYMLINK_NOFOLLOW, 0, &st) < 0 ||
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		return false;
	if (ret != NULL)
		str_puts(ret, path.p);
	return true;
}

/* Of two clients that mount or unmount, one waits.  Return: 0; -errno with a message. */
static int lock_mounts(struct engine *e, int operation, struct err *err)
{
	return flock(e->run_fd, operation) < 0 ? err_set(err, -errno, "lock '%s'", e->runroot) : 0;
}

static int mount_locked(struct engine *e, const struct img_image *image, const char *path,
			struct err *err)
{
	int r;

	if (eng_image_mounted(e, image->id, NULL))
		return 0;
	_cleanup_close_ int mnt = eng_image_open(e, image, err);
	if (mnt < 0)
		return mnt;
	/* it may be there: somebody died before he had mounted */
	if ((mkdirat(e->run_fd, "images", 0700) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return err_set(err, -errno, "create directory '%s'", path);
	_cleanup_close_ int to = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = to < 0 ? -errno : mnt_move(mnt, to);
	if (r < 0) {
		(void) rmdir(path); /* the failure is told */
		return err_set(err, r, "mount the image on '%s'", path);
	}
	return 0;
}

int eng_image_mount(struct engine *e, const struct img_image *image, struct str *ret,
		    struct err *err)
{
	_cleanup_(str_fini) struct str path = { 0 };
	int r;

	if (e->rootless)
		return err_msg(err, -EPERM,
			       "image mount needs root: nobody else would see the mount of a user's namespace; see 'cleave export'");
	append_path(e, image->id, &path);
	if (path.failed)
		return err_set(err, -ENOMEM, "mount the image");
	r = lock_mounts(e, LOCK_EX, err);
	if (r < 0)
		return r;
	r = mount_locked(e, image, path.p, err);
	(void) lock_mounts(e, LOCK_UN, NULL); /* cannot fail once it is locked */
	if (r == 0)
		str_puts(ret, path.p);
	return r;
}

static int umount_locked(struct engine *e, const char *id, const char *path, struct err *err)
{
	bool mounted = eng_image_mounted(e, id, NULL);

	if (mounted && umount2(path, UMOUNT_NOFOLLOW) < 0)
		return err_set(err, -errno, "unmount '%s'", path);
	/* without a mount: somebody else unmounted it, or died before he had mounted it */
	if (rmdir(path) < 0)
		return mounted ? err_set(err, -errno, "remove directory '%s'", path)
			       : err_msg(err, -ENOENT, "image %.12s is not mounted", id);
	(void) unlinkat(e->run_fd, "images", AT_REMOVEDIR); /* others may be mounted */
	return 0;
}

int eng_image_umount(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(str_fini) struct str path = { 0 };
	int r;

	append_path(e, id, &path);
	if (path.failed)
		return err_set(err, -ENOMEM, "unmount the image");
	r = lock_mounts(e, LOCK_EX, err);
	if (r < 0)
		return r;
	r = umount_locked(e, id, path.p, err);
	(void) lock_mounts(e, LOCK_UN, NULL); /* cannot fail once it is locked */
	return r;
}
