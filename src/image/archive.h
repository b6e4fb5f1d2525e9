/* SPDX-License-Identifier: MIT */
/*
 * What images are handed around in, a tar archive or a directory, as named pieces of files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct img_archive;
struct img_fetch;
struct img_flow;
struct img_work;
struct str;

#define IMG_MEMBERS_MAX (1u << 17) /* files in an archive of images */

/**
 * struct img_member - a piece of a file; @fd is owned if @own
 * @flow: NULL, or the whole file is the member and still grows; it may be linked to where it is wanted
 */
struct img_member {
	int fd, own;
	uint64_t at, size;
	const struct img_flow *flow;
};

/**
 * struct img_remote - an OCI image layout that is somewhere else
 * @text: append a small file
 * @begin: the layers of the images, in the order in which they will be opened; those with @home are not
 * @open: open a layer
 * @done: a layer is here, or failed: nothing more is wanted then
 * Context: @open and @done are called from several threads.
 */
struct img_remote {
	void *data;
	int (*text)(void *data, const char *name, struct str *ret, struct err *err);
	int (*begin)(void *data, const struct img_fetch *list, size_t n, struct err *err);
	int (*open)(void *data, const char *name, struct img_member *ret, struct err *err);
	void (*done)(void *data, const char *name, int r);
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
 * img_archive_remote() - the same for a layout that is somewhere else
 * @remote: borrows
 * Return: 0; -ENOMEM with a message.
 */
int img_archive_remote(const struct img_remote *remote, struct img_archive **ret, struct err *err);

/** img_archive_is_layout() - true when it is an OCI image layout */
bool img_archive_is_layout(const struct img_archive *a);

/** img_archive_begin() - tell a remote layout what will be opened; 0 or -errno with a message */
int img_archive_begin(const struct img_archive *a, const struct img_fetch *list, size_t n,
		      struct err *err);

/** img_archive_done() - tell a remote layout what became of a member */
void img_archive_done(const struct img_archive *a, const char *name, int r);

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
