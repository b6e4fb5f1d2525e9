/* SPDX-License-Identifier: MIT */
#include "image/tiny.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/edit.h"
#include "image/import.h"
#include "image/store.h"

/* Made by tiny.sh: a gzip'ed tarball. */
extern const char _binary_tiny_tar_gz_start[], _binary_tiny_tar_gz_end[];

int img_tiny_import(struct img_store *store, struct err *err)
{
	size_t n = (size_t) (_binary_tiny_tar_gz_end - _binary_tiny_tar_gz_start);
	_cleanup_(arena_fini) struct arena arena = { 0 };
	static const char *const changes[] = { "CMD [\"sh\"]" };
	struct img_edit edit = { changes, 1, .comment = "embedded in cleave: busybox",
				 .created = time_now_ns() };
	struct img_image image;
	char id[SHA256_HEX_LEN + 1];
	int r;

	/* two that do it at once would make two images */
	_cleanup_close_ int lock = openat(img_store_layers_fd(store), ".",
					  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_set(err, -errno, "lock the image store");
	if (img_store_find(store, IMG_TINY, &arena, &image, NULL) == 0)
		return 0;
	_cleanup_close_ int fd = memfd_create(IMG_TINY, MFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "create a file in memory");
	r = fd_write_full(fd, _binary_tiny_tar_gz_start, n);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? r : -errno, "copy the embedded image");
	return img_import(store, fd, IMG_TINY, &edit, id, err);
}
