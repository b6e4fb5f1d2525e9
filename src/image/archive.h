/* SPDX-License-Identifier: MIT */
/*
 * What images are handed around in, a tar archive or a directory, as named pieces of files.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct img_archive;
struct img_work;
struct str;

#define IMG_MEMBERS_MAX (1u << 17) /* files in an archive of images */

/** struct img_member - a piece of a file; @fd is owned if @own */
struct img_member {
	int fd, own;
	uint64_t at, size;
};

/**
 * img_archive_open() - look into an archive
 * @fd: borrows; a directory, or a tar archive that may be compressed and a pipe
 * @work: borrows; gets a copy of what cannot be read in place
 * @ret: returns; free with img_archive_free()
 * Return: 0; -errno with a message.
 */
int img_archive_open(int fd, const struct img_work *work, struct img_archive **ret,
		     struct err *err);

/**
 * img_archive_find() - a file by its name
 * @ret: filled; release with img_member_fini()
 * Context: many threads may do so.
 * Return: 0; -ENOENT there is none; -errno; with a message.
 */
int img_archive_find(const struct img_archive *a, const char *name, struct img_member *ret,
		     struct err *err);

/** img_archive_text() - append a small file; codes of img_archive_find(); -EFBIG over IMG_CONFIG_SIZE_MAX */
int img_archive_text(const struct img_archive *a, const char *name, struct str *ret,
		     struct err *err);

/** img_member_fini() - release */
void img_member_fini(struct img_member *m);

/** img_archive_free() - release; NULL is fine */
void img_archive_free(struct img_archive *a);

static inline void img_archive_freep(struct img_archive **a)
{
	img_archive_free(*a);
}
