/* SPDX-License-Identifier: MIT */
#include "image/tiny.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/import.h"

/* Made by tiny.sh: a gzip'ed tarball. */
extern const char _binary_tiny_tar_gz_start[], _binary_tiny_tar_gz_end[];

int img_tiny_import(struct img_store *store, struct err *err)
{
	size_t n = (size_t) (_binary_tiny_tar_gz_end - _binary_tiny_tar_gz_start);
	char id[SHA256_HEX_LEN + 1];
	int r;

	_cleanup_close_ int fd = memfd_create(IMG_TINY, MFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "create a file in memory");
	r = fd_write_full(fd, _binary_tiny_tar_gz_start, n);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? r : -errno, "copy the embedded image");
	return img_import(store, fd, IMG_TINY, "sh", "embedded in cleave: busybox", id, err);
}
