/* SPDX-License-Identifier: MIT */
/**
 * DOC: archives of root file systems
 *
 * The input is an archive as `image import` gets it, compressed or not. Whatever is in it, unpacking ends and
 * nothing appears beside the directory that it is unpacked into.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "fuzz.h"
#include "image/layer.h"
#include "image/stream.h"

static int entries(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_close_ int file = memfd_create("archive", MFD_CLOEXEC);
	char top[] = "/tmp/fuzz-archive.XXXXXX", root[64];
	struct err err = { 0 };
	uint64_t bytes;

	if (file < 0 || fd_write_full(file, data, size) < 0 || lseek(file, 0, SEEK_SET) < 0 ||
	    mkdtemp(top) == NULL)
		abort();
	(void) snprintf(root, sizeof(root), "%s/root", top);
	if (mkdir(root, 0755) < 0)
		abort();
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	if (img_stream_open(file, -EBADF, &s, &err) == 0 &&
	    img_layer_unpack(s, fd, IMG_LAYER_CHANGES, &bytes, &err) < 0 && err.text[0] == '\0')
		abort(); /* a failure without a reason */
	if (entries(top) != 3 || dir_remove(AT_FDCWD, top) < 0)
		abort();
	return 0;
}
