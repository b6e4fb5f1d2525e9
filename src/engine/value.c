/* SPDX-License-Identifier: MIT */
/**
 * DOC: numbers with units, as people type them
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "engine/config.h"


/* "12" or "12.5" times @unit.  Return: what follows; NULL with *code set. */
static const char *scaled(const char *p, uint64_t unit, uint64_t *ret, int *code)
{
	uint64_t whole = 0, part = 0, scale = 1;

	*code = -ERANGE;
	for (; isdigit((unsigned char) *p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t) (*p - '0'), &whole))
			return NULL;
	if (*p == '.')
		for (p++; isdigit((unsigned char) *p); p++)
			if (scale < 1000000000) {
				part = part * 10 + (uint64_t) (*p - '0');
				scale *= 10;
			}
	if (__builtin_mul_overflow(whole, unit, &whole))
		return NULL;
	part = (uint64_t) ((__uint128_t) part * unit / scale);
	if (__builtin_add_overflow(whole, part, ret) || *ret > INT64_MAX)
		return NULL;
	*code = 0;
	return p;
}

/* Length of the number that @p begins with; 0 there is none */
static size_t number_len(const char *p)
{
	size_t n = strspn(p, "0123456789"), m;

	if (p[n] != '.')
		return n;
	m = strspn(p + n + 1, "0123456789");
	return n + m > 0 ? n + 1 + m : 0;
}

int eng_size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "bkmgtp";
	size_t n = isdigit((unsigned char) *text) ? number_len(text) : 0;
	const char *p = text + n, *unit;
	unsigned shift = 0;
	int code;

	if (n == 0)
		return -EINVAL;
	p += *p == ' ';
	if (*p != '\0') {
		unit = strchr(units, tolower((unsigned char) *p));
		if (unit == NULL)
			return -EINVAL;
		shift = 10 * (unsigned) (unit - units);
		p++;
		if (shift > 0 && tolower((unsigned char) *p) == 'i')
			p++;
		if (shift > 0 && tolower((unsigned char) *p) == 'b')
			p++;
	}
	if (*p != '\0')
		return -EINVAL;
	(void) scaled(text, 1ull << shift, ret, &code);
	return code;
}

int eng_cpus_parse(const char *text, uint64_t *ret)
{
	uint64_t v = 0, scale = 1000000000;
	const char *p = text;

	if (!isdigit((unsigned char) *p) && !(*p == '.' && isdigit((unsigned char) p[1])))
		return -EINVAL;
	for (; isdigit((unsigned char) *p); p++) {
		v = v * 10 + (uint64_t) (*p - '0');
		if (v > 100000)
			return -ERANGE;
	}
	v *= scale;
	if (*p == '.')
		for (p++; isdigit((unsigned char) *p); p++) {
			scale /= 10;
			v += (uint64_t) (*p - '0') * scale;
		}
	if (*p != '\0')
		return -EINVAL;
	*ret = v;
	return 0;
}

int eng_duration_parse(const char *text, uint64_t *ret)
{
	return time_duration_parse(text, ret);
}
