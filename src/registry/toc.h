/* SPDX-License-Identifier: MIT */
/*
 * Layers whose files are compressed one by one, and which have a table of contents: zstd:chunked.
 *
 * A layer is a row of chunks: the data of a file, or of a part of one, and between them what a tar archive says of files.
 * Chunks that are the same have the same key; what they are is known for sure when the layer has its digest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

#define REG_TOC_MAX (64u << 20) /* bytes of a table, uncompressed */
#define REG_TOC_KEY 16 /* bytes */

/**
 * struct reg_toc - where a table is, as the annotations of its layer say
 * @layer: "sha256:<hex>"
 * @at, @size: bytes of the layer in which it is, compressed; @unpacked: its bytes
 * @digest: "sha256:<hex>" of the compressed bytes
 */
struct reg_toc {
	char layer[72], digest[72];
	uint64_t at, size, unpacked;
};

/** struct reg_chunk - bytes of a layer; @key: only zeros: it is like no other */
struct reg_chunk {
	uint64_t at, size;
	unsigned char key[REG_TOC_KEY];
};

/**
 * reg_tocs_find() - the layers of a manifest that have a table
 * @manifest: @len bytes
 * @ret: array in @arena
 * Return: number; annotations that make no sense are none; -errno of a manifest that makes no sense.
 */
int reg_tocs_find(const char *manifest, size_t len, struct arena *arena, struct reg_toc **ret);

/**
 * reg_toc_read() - read a table
 * @packed: @t->size bytes
 * @ret: array in the order of the layer, from its beginning to the last file; the caller frees it
 * Return: 0; -EBADMSG it has another digest, or is damaged; -EFBIG; -ENOMEM; with a message.
 */
int reg_toc_read(const struct reg_toc *t, const void *packed, struct reg_chunk **ret, size_t *ret_n, struct err *err);

/** reg_toc_parse() - the same for what is in it, @len bytes of @text */
int reg_toc_parse(const struct reg_toc *t, const char *text, size_t len, struct reg_chunk **ret, size_t *ret_n, struct err *err);
