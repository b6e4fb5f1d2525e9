/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32 /* bytes of a digest */
#define SHA256_HEX_LEN 64 /* characters of a digest in hexadecimal */

/** struct sha256 - a digest being computed; start with sha256_init() */
struct sha256 {
	uint32_t state[8];
	uint64_t total; /* bytes */
	unsigned char block[64];
};

/** sha256_init() - start over */
void sha256_init(struct sha256 *s);

/** sha256_update() - add @n bytes */
void sha256_update(struct sha256 *s, const void *data, size_t n);

/**
 * sha256_final_hex() - finish
 * @ret: lower case hexadecimal and a terminator
 * Spec: FIPS 180-4.
 */
void sha256_final_hex(struct sha256 *s, char ret[SHA256_HEX_LEN + 1]);

/** sha256_hex() - digest of one piece of memory */
void sha256_hex(const void *data, size_t n, char ret[SHA256_HEX_LEN + 1]);
