/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * struct variant - a basic D-Bus value
 * @type: D-Bus type letter
 * @u: unsigned and boolean types, @i signed ones, @d double, @s strings (owned)
 */
struct variant {
	char type;
	union {
		uint8_t y;
		uint16_t q;
		int16_t n;
		uint32_t u;
		int32_t i;
		uint64_t t;
		int64_t x;
		int b;
		double d;
		char *s;
	};
};

/**
 * variant_parse() - read GVariant text format
 * @text: a basic value ("'x'", "true", "uint64 5", "-3", "1.5") or an array of them ("['a', 'b']");
 *        "@as []" gives the type of an empty array
 * @type: returns; "t" or "as"
 * @v: returns @n values, release with variant_free(); none after a failure
 * Return: 0; -EINVAL not understood; -ERANGE does not fit its type; -E2BIG more than @max; -ENOMEM.
 * Spec: GLib reference, "GVariant Text Format".
 */
int variant_parse(const char *text, char type[3], struct variant *v, size_t max, size_t *n);

/** variant_free() - release the strings in @n values */
void variant_free(struct variant *v, size_t n);

/** variant_number() - value of a number, NaN for other types */
double variant_number(const struct variant *v);

/** variant_data() - what sd_bus_message_append_basic() wants */
const void *variant_data(const struct variant *v);
