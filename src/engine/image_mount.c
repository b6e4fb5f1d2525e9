/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounted images
 *
 * A directory images/ID of the run directory is where an image is mounted, and says that it is.  The run
 * directory and mounts end together, with the machine.
 */
#include "engine/image_mount.h"

#include <errno.h>
#include <fcntl.h>
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

	str_printf(&path, "images/%s", id);
	if (path.failed || faccessat(e->run_fd, path.p, F_OK, 0) < 0)
		return false;
	if (ret != NULL)
		append_path(e, id, ret);
	return true;
}

int eng_image_mount(struct engine *e, const struct img_image *image, struct str *ret,
		    struct err *err)
{
	_cleanup_(str_fini) struct str path = { 0 };
	int r = 0;

	append_path(e, image->id, &path);
	if (path.failed)
		return err_set(err, -ENOMEM, "mount the image");
	str_puts(ret, path.p);
	if (eng_image_mounted(e, image->id, NULL))
		return 0;
	_cleanup_close_ int mnt = eng_image_open(e, image, err);
	if (mnt < 0)
		return mnt;
	if ((mkdirat(e->run_fd, "images", 0700) < 0 && errno != EEXIST) ||
	    mkdir(path.p, 0700) < 0)
		return err_set(err, -errno, "create directory '%s'", path.p);
	_cleanup_close_ int to = open(path.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = to < 0 ? -errno : mnt_move(mnt, to);
	if (r < 0) {
		(void) rmdir(path.p); /* the failure is told */
		return err_set(err, r, "mount the image on '%s'", path.p);
	}
	return 0;
}

int eng_image_umount(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(str_fini) struct str path = { 0 };

	if (!eng_image_mounted(e, id, &path))
		return err_msg(err, -ENOENT, "image %.12s is not mounted", id);
	if (path.failed)
		return err_set(err, -ENOMEM, "unmount the image");
	if (umount2(path.p, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL) /* EINVAL: by somebody else */
		return err_set(err, -errno, "unmount '%s'", path.p);
	if (rmdir(path.p) < 0)
		return err_set(err, -errno, "remove directory '%s'", path.p);
	(void) unlinkat(e->run_fd, "images", AT_REMOVEDIR); /* others may be mounted */
	return 0;
}
