/* SPDX-License-Identifier: MIT */
#include "registry/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct str *s, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t) p[i] << 16;
		char out[4];

		if (have > 1)
			v |= (uint32_t) p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		for (size_t k = 0; k < 4; k++)
			out[k] = k <= have ? digits[v >> (18 - 6 * k) & 63] : '=';
		str_add(s, out, sizeof(out));
	}
}

int base64_decode(const char *text, struct str *ret)
{
	size_t len = strlen(text);
	uint32_t v = 0;
	unsigned bits = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(digits, text[i]);
		char byte;

		if (digit == NULL || text[i] == '\0')
			return -EINVAL;
		v = v << 6 | (uint32_t) (digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		byte = (char) (v >> bits & 255);
		str_add(ret, &byte, 1);
	}
	return ret->failed ? -ENOMEM : len % 4 == 1 ? -EINVAL : 0;
}
