/* SPDX-License-Identifier: MIT */
#include "oci/cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

#define WORD_BITS (8 * sizeof(unsigned long))

/* Read a number at *@p and step over it.  Return: 0; -EINVAL none there; -ERANGE too large. */
static int number(const char **p, const char *end, unsigned *ret)
{
	unsigned v = 0;

	if (*p == end || !isdigit((unsigned char) **p))
		return -EINVAL;
	for (; *p < end && isdigit((unsigned char) **p); (*p)++) {
		v = v * 10 + (unsigned) (**p - '0');
		if (v > CPULIST_MAX)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

/* Read "N" or "N-M" that fills @p to @end. */
static int range(const char *p, const char *end, unsigned *first, unsigned *last)
{
	int r = number(&p, end, first);

	if (r < 0)
		return r;
	*last = *first;
	if (p < end && *p == '-') {
		p++;
		r = number(&p, end, last);
		if (r < 0)
			return r;
	}
	return p == end && *first <= *last ? 0 : -EINVAL;
}

int cpulist_parse(const char *text, struct cpulist *ret, struct err *err)
{
	const char *p = text;

	*ret = (struct cpulist) { 0 };
	while (*p != '\0') {
		const char *end = p + strcspn(p, ","), *next = *end == ',' ? end + 1 : end;
		unsigned first, last;
		int r;

		while (p < end && isspace((unsigned char) *p))
			p++;
		while (p < end && isspace((unsigned char) end[-1]))
			end--;
		if (p == end) {
			p = next;
			continue;
		}
		r = range(p, end, &first, &last);
		if (r == -ERANGE)
			return err_msg(err, -EINVAL, "values larger than %d are not supported: '%.*s'",
				       CPULIST_MAX, (int) (end - p), p);
		if (r < 0)
			return err_msg(err, r, "invalid range: '%.*s'", (int) (end - p), p);
		for (unsigned i = first; i <= last; i++) {
			unsigned long bit = 1UL << (i % WORD_BITS);

			ret->count += (ret->bits[i / WORD_BITS] & bit) == 0;
			ret->bits[i / WORD_BITS] |= bit;
		}
		if (last > ret->highest)
			ret->highest = last;
		p = next;
	}
	return ret->count > 0 ? 0 : err_msg(err, -EINVAL, "no members found in set '%s'", text);
}
