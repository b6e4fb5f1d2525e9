/* SPDX-License-Identifier: MIT */
/**
 * DOC: making images
 *
 * Everything is made below tmp/.  Whoever makes something holds a shared lock on that directory; who
 * gets the exclusive lock knows that nobody makes anything, so what lies there was left by somebody
 * who died, and removes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/internal.h"
#include "image/store.h"

int img_work_sweep(int tmp, struct err *err)
{
	int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = fd < 0 ? -errno : 0;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL && fd >= 0) {
		(void) close(fd); /* fdopendir() did not take it */
		r = -ENOMEM;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			r = dir_remove(tmp, e->d_name);
	return r < 0 ? err_set(err, r, "remove what was left in directory tmp of the store") : 0;
}

/*
 * ext4 puts a new directory and what is in it near its parent, and there it steps over every inode that was freed in
 * the last minutes, for each new one: making an image after another was removed took three times as long.  Directories
 * below one with this flag are spread over the disk instead.
 */
static void spread(int tmp)
{
	unsigned flags = 0;

	if (ioctl(tmp, FS_IOC_GETFLAGS, &flags) < 0 || (flags & FS_TOPDIR_FL) != 0)
		return;
	flags |= FS_TOPDIR_FL;
	(void) ioctl(tmp, FS_IOC_SETFLAGS, &flags); /* other file systems have no such flag */
}

int img_work_begin(struct img_store *store, struct img_work *ret, struct err *err)
{
	struct img_work w = { .dir = -EBADF, .meter = store->meter };
	uint64_t id;
	int r = 0;

	_cleanup_close_ int lock = openat(store->root, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_set(err, -errno, "open directory tmp of the store");
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		r = img_work_sweep(lock, err);
	if (r < 0)
		return r;
	if (flock(lock, LOCK_SH) < 0)
		return err_set(err, -errno, "lock directory tmp of the store");
	spread(lock);
	if (getrandom(&id, sizeof(id), 0) != (ssize_t) sizeof(id))
		return err_set(err, -EIO, "get random bytes");
	(void) snprintf(w.name, sizeof(w.name), "%016llx", (unsigned long long) id); /* 16 digits */
	if (mkdirat(lock, w.name, 0700) < 0)
		return err_set(err, -errno, "create a directory in tmp of the store");
	w.dir = openat(lock, w.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w.dir < 0)
		return err_set(err, -errno, "open a directory in tmp of the store");
	w.lock = take_fd(lock);
	*ret = w;
	return 0;
}

static int write_size(int layer, uint64_t size)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long) size);
	_cleanup_close_ int fd = openat(layer, "size", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
					0644);

	return fd < 0 ? -errno : fd_write_full(fd, text, (size_t) n);
}

int img_work_unpack(const struct img_work *work, const char *name, struct img_stream *s,
		    enum img_layer_kind kind, uint64_t *ret_size, struct err *err)
{
	int r;

	if (mkdirat(work->dir, name, 0700) < 0)
		return err_set(err, -errno, "create a directory in the store");
	_cleanup_close_ int layer = openat(work->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer < 0 || mkdirat(layer, "fs", 0755) < 0)
		return err_set(err, -errno, "create a directory in the store");
	_cleanup_close_ int fs = openat(layer, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs < 0)
		return err_set(err, -errno, "open a directory in the store");
	r = img_layer_unpack(s, fs, kind, ret_size, err);
	if (r < 0)
		return r;
	r = write_size(layer, *ret_size);
	return r < 0 ? err_set(err, r, "write the size of a layer") : 0;
}

int img_work_blob(struct img_store *store, const struct img_work *work, const char *name,
		  const char *digest, struct err *err)
{
	char path[IMG_BLOB_PATH_SIZE];

	img_blob_path(digest, path);
	if (fchmodat(work->dir, name, 0644, 0) < 0 ||
	    renameat(work->dir, name, store->root, path) < 0)
		return err_set(err, -errno, "store blob '%s'", digest);
	return 0;
}

int img_work_put(struct img_store *store, const struct img_work *work, const char *text, size_t len,
		 char *ret_digest, struct err *err)
{
	int r = file_replace(work->dir, "json", text, len, 0644);

	if (r < 0)
		return err_set(err, r, "write a blob");
	memcpy(ret_digest, "sha256:", 7);
	sha256_hex(text, len, ret_digest + 7);
	return img_work_blob(store, work, "json", ret_digest, err);
}

int img_work_layer(struct img_store *store, const struct img_work *work, const char *name,
		   const char *chain, struct err *err)
{
	if (renameat(work->dir, name, store->layers, chain) == 0 || errno == EEXIST ||
	    errno == ENOTEMPTY)
		return 0;
	return err_set(err, -errno, "store layer '%s'", chain);
}

int img_work_sync(const struct img_work *work, struct err *err)
{
	return syncfs(work->dir) < 0 ? err_set(err, -errno, "write the image to disk") : 0;
}

void img_work_end(struct img_work *work)
{
	(void) dir_remove(work->lock, work->name); /* what stays is removed by the next one */
	(void) close(work->dir); /* both read-only */
	(void) close(work->lock);
}
