/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/**
 * utf8_len() - bytes of the valid UTF-8 sequence at @p, 0 if there is none
 * @n: bytes that may be read, not 0; of a string 4: its end is no part of any sequence
 * Overlong forms and surrogates are not valid.
 * Spec: RFC 3629, section 4.
 */
static inline size_t utf8_len(const unsigned char *p, size_t n)
{
	size_t want = p[0] < 0x80                    ? 1
		      : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
		      : (p[0] & 0xf0) == 0xe0        ? 3
		      : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						     : 0;

	if (want == 0 || want > n)
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return want;
}
