/* SPDX-License-Identifier: MIT */
/**
 * DOC: masked and read-only paths
 *
 * Attaching tells what a path is: a file on a directory and the other way round fail, and a missing
 * path leaves the mask unused for the next one.  So a path costs two or three system calls, and there
 * is no moment between looking at it and covering it.
 * The first mask of a kind is attached, later ones are cloned from it: the kernel clones only what
 * is attached.  Masks are read-only, so nobody changes the host's null device through them.
 */
#include "oci/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/spec.h"
#include "sys/mnt.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* A mask: @origin is attached somewhere, @spare is not yet; -EBADF if there is none */
struct mask {
	int origin, spare;
};

static void mask_fini(struct mask *m)
{
	cleanup_closep(&m->origin);
	cleanup_closep(&m->spare);
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
	return mnt_fs_mount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC, err);
}

/* Cover @path with a mask.  Return: 0; -errno of move_mount(2). */
static int put(struct mask *m, const char *path)
{
	if (move_mount(m->spare, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return -errno;
	if (m->origin < 0)
		m->origin = take_fd(m->spare);
	else
		cleanup_closep(&m->spare);
	m->spare = -EBADF;
	return 0;
}

/* Have a clone to put somewhere */
static int ready(struct mask *m, struct err *err)
{
	if (m->spare >= 0 || m->origin < 0)
		return 0;
	m->spare = mnt_clone(m->origin, "", 0);
	return m->spare < 0 ? err_set(err, m->spare, "clone a mask") : 0;
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

static int mask_one(const struct oci_spec *spec, const char *path, struct mask *file, struct mask *dir,
		    struct err *err)
{
	int r = ready(file, err), first;

	if (r < 0)
		return r;
	first = r = put(file, path);
	if (r == -EINVAL || r == -ENOTDIR) { /* a directory, most likely */
		if (dir->origin < 0 && dir->spare < 0)
			r = dir->spare = new_dir_mask(spec, err);
		else
			r = ready(dir, err);
		if (r < 0)
			return r;
		r = put(dir, path);
		if (first == -ENOTDIR && (r == -ENOTDIR || r == -EINVAL))
			return 0; /* a file in the middle of the path */
	}
	return r < 0 && r != -ENOENT ? err_set(err, r, "can't mask path \"%s\"", path) : 0;
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
			return err_set(err, -errno, "can't make path \"%s\" read-only", paths->v[i]);
		_cleanup_close_ int mnt = mnt_clone(dest, "", AT_RECURSIVE);
		r = mnt < 0 ? mnt : mnt_attr(mnt, false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r == 0)
			r = mnt_move(mnt, dest);
		if (r < 0)
			return err_set(err, r, "can't make path \"%s\" read-only", paths->v[i]);
	}
	return 0;
}
