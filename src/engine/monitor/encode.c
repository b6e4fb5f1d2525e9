/* SPDX-License-Identifier: MIT */
/**
 * DOC: entries of a json-file log
 *
 *   {"log":"text\n","stream":"stdout","time":"2026-01-31T12:00:00.123456789Z"}
 *
 * Most text is plain, so it is copied in blocks of 16 bytes as long as no byte of the block needs an
 * escape.  Everything behind the text is made once per moment (struct encode_stamp) and copied.
 */
#include "engine/monitor/encode.h"

#include <stdbool.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bare/sys.h"
#include "bare/utf8.h"

#define HEAD "{\"log\":\""
#define MIDDLE "\",\"stream\":\""

/* Constant @n: a few moves, no call */
static inline char *put(char *to, const char *data, size_t n)
{
	__builtin_memcpy(to, data, n);
	return to + n;
}

/* RFC 3339.  The day is found in years that begin in March, so that leap days come last. */
static char *put_time(char *to, int64_t s, uint32_t ns)
{
	uint64_t day = (uint64_t) s / 86400 + 719468; /* since 0000-03-01 */
	uint64_t era = day / 146097, doe = day % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t month = (5 * doy + 2) / 153;

	to = text_number(to, yoe + era * 400 + (month >= 10), 4);
	*to++ = '-';
	to = text_number(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	to = text_number(to, doy - (153 * month + 2) / 5 + 1, 2);
	*to++ = 'T';
	to = text_number(to, (uint64_t) s / 3600 % 24, 2);
	*to++ = ':';
	to = text_number(to, (uint64_t) s / 60 % 60, 2);
	*to++ = ':';
	to = text_number(to, (uint64_t) s % 60, 2);
	*to++ = '.';
	to = text_number(to, ns, 9);
	*to++ = 'Z';
	return to;
}

void encode_stamp(struct encode_stamp *ret, const char *stream, int64_t s, uint32_t ns)
{
	char *to = ret->tail;

	to = put(to, MIDDLE, sizeof(MIDDLE) - 1);
	to = put(to, stream, text_len(stream));
	to = put(to, "\",\"time\":\"", 10);
	to = put_time(to, s, ns);
	to = put(to, "\"}\n", 3);
	ret->len = (size_t) (to - ret->tail);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#if defined(__SSE2__)
/* Copies 16 bytes.  Return: bits of those that are not plain. */
static inline unsigned copy_block(char *to, const char *p)
{
	__m128i v = _mm_loadu_si128((const void *) p);
	__m128i special = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
						    _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))),
				       _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
						    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

	_mm_storeu_si128((void *) to, v);
	return (unsigned) _mm_movemask_epi8(special);
}
#endif

/* Copies plain bytes.  Return: their number; @to has room for 15 more. */
static size_t put_plain(char *to, const char *p, size_t n)
{
	size_t i = 0;

#if defined(__SSE2__)
	while (n >= 16) {
		unsigned mask = copy_block(to + i, p + i);

		if (mask != 0)
			return i + (size_t) __builtin_ctz(mask);
		if (i + 16 == n)
			return n;
		i = i + 32 <= n ? i + 16 : n - 16; /* the last block overlaps: those bytes are plain */
	}
#endif
	for (; i < n && is_plain((unsigned char) p[i]); i++)
		to[i] = p[i];
	return i;
}

static char *put_control(char *to, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	switch (c) {
	case '\n':
		return put(to, "\\n", 2);
	case '\r':
		return put(to, "\\r", 2);
	case '\t':
		return put(to, "\\t", 2);
	default:
		return put(to, text, sizeof(text));
	}
}

/* One byte or sequence that is not plain.  Return: bytes of @p used. */
static size_t put_special(char **to, const unsigned char *p, size_t n)
{
	size_t used = utf8_len(p, n);

	if (used == 0) {
		*to = put(*to, "\\ufffd", 6);
		return 1;
	}
	if (*p == '"' || *p == '\\')
		*(*to)++ = '\\';
	if (*p < 0x20)
		*to = put_control(*to, *p);
	else
		for (size_t i = 0; i < used; i++)
			*(*to)++ = (char) p[i];
	return used;
}

static char *put_lost(char *to, uint64_t lost, const struct encode_stamp *stamp)
{
	size_t stream = sizeof(MIDDLE) - 1 + 6 + 1; /* both names have six letters */

	to = put(to, stamp->tail, stream);
	to = put(to, ",\"attrs\":{\"lost\":\"", 18);
	to = text_number(to, lost, 1);
	to = put(to, "\"}", 2);
	return put(to, stamp->tail + stream, stamp->len - stream);
}

char *encode_entry(char *to, const char *text, size_t n, const struct encode_stamp *stamp,
		   uint64_t lost)
{
	to = put(to, HEAD, sizeof(HEAD) - 1);
	while (n > 0) {
		size_t used = put_plain(to, text, n);

		to += used;
		if (used + 1 == n && text[used] == '\n') {
			to = put(to, "\\n", 2);
			break;
		}
		if (used < n)
			used += put_special(&to, (const unsigned char *) text + used, n - used);
		text += used;
		n -= used;
	}
	if (lost > 0)
		return put_lost(to, lost, stamp);
	(void) put(to, stamp->tail, sizeof(stamp->tail)); /* quicker than the exact length */
	return to + stamp->len;
}

size_t encode_newline(const char *p, size_t n)
{
	size_t i = 0;

#if defined(__SSE2__)
	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const void *) (p + i));
		unsigned mask =
			(unsigned) _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));

		if (mask != 0)
			return i + (size_t) __builtin_ctz(mask);
	}
#endif
	while (i < n && p[i] != '\n')
		i++;
	return i;
}
