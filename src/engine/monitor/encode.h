/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ENCODE_GROWTH 6 /* a byte becomes at most six, e.g. \u0001 */
#define ENCODE_ENTRY_MAX 192 /* bytes of an entry beside the text */

/**
 * struct encode_stamp - what is the same in all entries of a stream and moment
 * @tail: the end of an entry, from after the text
 */
struct encode_stamp {
	size_t len;
	char tail[64];
};

/** encode_stamp() - for a stream ("stdout", "stderr") and a time, UTC */
void encode_stamp(struct encode_stamp *ret, const char *stream, int64_t s, uint32_t ns);

/**
 * encode_entry() - a line of a log as Docker's json-file driver writes it
 * @to: room for ENCODE_GROWTH * @n + ENCODE_ENTRY_MAX bytes
 * @text: @n bytes; what is no UTF-8 is replaced by U+FFFD
 * @lost: entries that are missing before this one, told as attribute "lost" unless 0
 *
 * Allocates nothing, calls nothing.
 * Return: the new end.
 */
char *encode_entry(char *to, const char *text, size_t n, const struct encode_stamp *stamp,
		   uint64_t lost);

/** encode_newline() - bytes up to the first newline, without it; @n when there is none */
size_t encode_newline(const char *p, size_t n);
