/* SPDX-License-Identifier: MIT */
/**
 * DOC: masked and read-only paths
 *
 * The first mask of a kind is attached, later ones are cloned from it: the kernel clones only what
 * is attached.  A clone is made only for a path that exists, since giving up a detached mount costs
 * the kernel a grace period.  Masks are read-only, so nobody changes the host's null device through
 * them.
 */
#include "oci/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/spec.h"
#include "sys/mnt.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* A mask: @origin is attached somewhere and can be cloned, @first waits for its place; or -EBADF */
struct mask {
	int origin, first;
};

static void mask_fini(struct mask *m)
{
	cleanup_closep(&m->origin);
	cleanup_closep(&m->first);
}

static int new_dir_mask(const struct oci_spec *spec, struct err *err)
{
	_cleanup_close_ int fs = mnt_fs_open("tmpfs", err);
	int r = fs;

	if (r >= 0)
		r = mnt_fs_set(fs, "source", "tmpfs", err);
	if (r >= 0)
		r = mnt_fs_set(fs, "nr_inodes", "1", err);
	if (r >= 0 && spec->linux.mount_label != NULL)
		r = mnt_fs_set(fs, "context", spec->linux.mount_label, err);
	if (r < 0)
		return r;
	return mnt_fs_mount(
		fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		err);
}

/* Cover @path with a mask.  Return: 0; -errno of move_mount(2) or open_tree(2). */
static int put(struct mask *m, const char *path)
{
	_cleanup_close_ int mnt = m->origin >= 0 ? mnt_clone(m->origin, "", 0) : take_fd(m->first);

	if (mnt < 0)
		return mnt;
	if (move_mount(mnt, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) <
	    0)
		return -errno;
	if (m->origin < 0)
		m->origin = take_fd(mnt);
	return 0;
}

static bool same_path(const char *a, const char *b)
{
	for (;;) {
		size_t n = strspn(a, "/"), k = strspn(b, "/");

		a += n;
		b += k;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if ((n > 0) != (k > 0))
			return false;
		n = strcspn(a, "/");
		if (strncmp(a, b, n) != 0 || strcspn(b, "/") != n)
			return false;
		a += n;
		b += n;
	}
}

static bool is_repetition(const struct oci_strv *paths, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_path(paths->v[k], paths->v[i]))
			return true;
	return false;
}

static int mask_one(const struct oci_spec *spec, const char *path, struct mask *file,
		    struct mask *dir, struct err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_set(err, -errno, "can't mask path \"%s\"", path);
	}
	if (S_ISDIR(st.st_mode) && dir->origin < 0) {
		dir->first = new_dir_mask(spec, err);
		if (dir->first < 0)
			return err_wrap(err, dir->first, "can't mask path \"%s\"", path);
	}
	r = put(S_ISDIR(st.st_mode) ? dir : file, path);
	return r < 0 ? err_set(err, r, "can't mask path \"%s\"", path) : 0;
}

int oci_mask_paths(const struct oci_spec *spec, int null_mnt, struct err *err)
{
	_cleanup_(mask_fini) struct mask file = { -EBADF, null_mnt }, dir = { -EBADF, -EBADF };
	const struct oci_strv *paths = &spec->linux.masked_paths;

	for (size_t i = 0; i < paths->n; i++) {
		int r = is_repetition(paths, i) ? 0 : mask_one(spec, paths->v[i], &file, &dir, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int oci_mask_readonly(const struct oci_spec *spec, struct err *err)
{
	const struct oci_strv *paths = &spec->linux.readonly_paths;

	for (size_t i = 0; i < paths->n; i++) {
		_cleanup_close_ int dest = open(paths->v[i], O_PATH | O_CLOEXEC);
		int r;

		if (dest < 0 && errno == ENOENT)
			continue;
		if (dest < 0)
			return err_set(err, -errno, "can't make path \"%s\" read-only",
				       paths->v[i]);
		_cleanup_close_ int mnt = mnt_clone(dest, "", AT_RECURSIVE);
		r = mnt < 0 ? mnt : mnt_attr(mnt, false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r == 0)
			r = mnt_move(mnt, dest);
		if (r < 0)
			return err_set(err, r, "can't make path \"%s\" read-only", paths->v[i]);
	}
	return 0;
}
