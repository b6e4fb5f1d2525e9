/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct reg_session;

#define REG_CHUNK (16u << 20) /* bytes of a piece, when a blob could not be sent at once */

/**
 * struct reg_upload - a blob for the repository
 * @fd: borrows; @size bytes from its beginning
 * @from: another repository of the registry that may have it, NULL for none
 * @sent: counts bytes, may be NULL
 */
struct reg_upload {
	const char *digest;
	int fd;
	uint64_t size;
	const char *from;
	atomic_uint_least64_t *sent;
	const atomic_bool *cancel;
};

enum reg_uploaded { REG_UPLOAD_EXISTS, REG_UPLOAD_MOUNTED, REG_UPLOAD_SENT };

/**
 * reg_upload() - see to it that the repository has a blob
 * At once; when that breaks, in pieces, each from where the registry says the last one ended.
 * Return: enum reg_uploaded; -EACCES; -ECOMM; -errno; with a message.
 * Spec: distribution-spec 1.1, "Pushing blobs".
 */
int reg_upload(struct reg_session *s, const struct reg_upload *u, struct err *err);

/**
 * reg_upload_text() - the same for a small blob in memory
 * @ret_digest: "sha256:<hex>", 72 bytes
 * Return: 0; as of reg_upload().
 */
int reg_upload_text(struct reg_session *s, const char *text, size_t len, char *ret_digest, struct err *err);
