/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct img_stream;
struct img_tar;

#define TAR_PATH_MAX 4096 /* bytes of a name or link target */
#define TAR_PAX_MAX (1u << 20) /* bytes of one extended header */
#define TAR_XATTRS_MAX 64 /* of one entry */

struct img_tar_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/**
 * struct img_tar_entry - one member of an archive
 * @path: as written, never empty
 * @link: target of a link, "" for others
 * @mode: type (S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO; 0 for a hard link) and permissions
 * @size: bytes of content that follow
 * @sparse: the content comes in pieces: img_tar_read() tells where each belongs, the rest is holes
 * @real_size: bytes of the file with its holes
 */
struct img_tar_entry {
	const char *path, *link;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size, real_size;
	bool sparse;
	int64_t mtime, mtime_nsec;
	unsigned dev_major, dev_minor;
	struct img_tar_xattr xattrs[TAR_XATTRS_MAX];
	size_t nr_xattrs;
};

/**
 * img_tar_new() - read a tar archive
 * @s: borrows
 * @ret: returns; free with img_tar_free()
 * Return: 0; -ENOMEM.
 */
int img_tar_new(struct img_stream *s, struct img_tar **ret, struct err *err);

/**
 * img_tar_next() - next member; what is left of the content of the last one is skipped
 * @ret: filled; strings are valid until the next call
 *
 * Reads ustar, pax, GNU long names and GNU sparse files (old, 0.0, 0.1, 1.0).
 * Return: 1; 0 at the end; -EBADMSG damaged; -EOPNOTSUPP a kind that is not understood; -EFBIG a limit;
 *         codes of img_stream_read().
 * Spec: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
int img_tar_next(struct img_tar *t, struct img_tar_entry *ret, struct err *err);

/**
 * img_tar_read() - content of the current member
 * @ret_at: where in the file it belongs; NULL if that does not matter
 * Return: bytes; 0 at its end; codes of img_stream_read().
 */
ssize_t img_tar_read(struct img_tar *t, void *buf, size_t n, uint64_t *ret_at, struct err *err);

/** img_tar_free() - release; NULL is fine */
void img_tar_free(struct img_tar *t);

static inline void img_tar_freep(struct img_tar **t)
{
	img_tar_free(*t);
}
