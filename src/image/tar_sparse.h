/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define TAR_SPANS_MAX (1u << 18) /* pieces of one sparse file */
#define TAR_SPARSE_MAX (64ull << 30) /* bytes of a sparse file with its holes */

struct tar_span {
	uint64_t offset, size;
};

/**
 * struct tar_sparse - where the content of a sparse member belongs
 * @spans: @n pieces in order; owned
 * @real_size: of the file
 * @half: a piece has its offset and not yet its size
 * @on: the member is sparse; @major: the map is in front of the content (format 1.0)
 */
struct tar_sparse {
	struct tar_span *spans;
	size_t n, room;
	uint64_t real_size;
	bool on, half, major;
};

/** tar_sparse_reset() - no member is sparse; keeps memory */
void tar_sparse_reset(struct tar_sparse *s);

/** tar_sparse_number() - next number of a map: an offset, then a size; 0; -EFBIG, -ENOMEM with a message */
int tar_sparse_number(struct tar_sparse *s, uint64_t v, struct err *err);

/** tar_sparse_list() - the map of format 0.1: numbers with commas; 0; -EBADMSG with a message */
int tar_sparse_list(struct tar_sparse *s, const char *text, struct err *err);

/**
 * tar_sparse_check() - pieces are in order, inside the file, and as many bytes as the archive holds
 * @stored: bytes of content
 * Return: 0; -EBADMSG, -EFBIG with a message.
 */
int tar_sparse_check(const struct tar_sparse *s, uint64_t stored, struct err *err);

/** tar_sparse_fini() - release */
void tar_sparse_fini(struct tar_sparse *s);
