/* SPDX-License-Identifier: MIT */
#include "engine/monitor/log.h"

#include <stdbool.h>

#include "engine/monitor/sys.h"

#define OUT_SIZE 32768 /* bytes; entries are collected here for one write */

static char out[OUT_SIZE];
static size_t out_len;

static void flush(void)
{
	(void) sys_write_all(MON_FD_LOG, out, out_len); /* nobody to tell */
	out_len = 0;
}

static void put(const char *data, size_t n)
{
	while (n > 0) {
		size_t room = sizeof(out) - out_len, take = n < room ? n : room;

		__builtin_memcpy(out + out_len, data, take);
		out_len += take;
		data += take;
		n -= take;
		if (out_len == sizeof(out))
			flush();
	}
}

/* Bytes of the valid UTF-8 sequence at @p, 0 if there is none.  Spec: RFC 3629, section 4. */
static size_t utf8_len(const unsigned char *p, size_t n)
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

static void put_escape(unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	char text[] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	if (c == '\n')
		put("\\n", 2);
	else if (c == '\r')
		put("\\r", 2);
	else if (c == '\t')
		put("\\t", 2);
	else
		put(text, sizeof(text));
}

static void put_json(const char *data, size_t n)
{
	const unsigned char *p = (const unsigned char *) data;

	while (n > 0) {
		size_t plain = 0, used;

		while (plain < n && p[plain] >= 0x20 && p[plain] < 0x7f && p[plain] != '"' &&
		       p[plain] != '\\')
			plain++;
		put((const char *) p, plain);
		p += plain;
		n -= plain;
		if (n == 0)
			break;
		used = utf8_len(p, n);
		if (used == 0) {
			put("\\ufffd", 6);
			used = 1;
		} else if (*p == '"' || *p == '\\') {
			put("\\", 1);
			put((const char *) p, 1);
		} else if (*p < 0x20)
			put_escape(*p);
		else
			put((const char *) p, used);
		p += used;
		n -= used;
	}
}

/* RFC 3339 in UTC.  The day is found in years that begin in March, so that leap days come last. */
static char *text_time(char *to)
{
	int64_t s;
	uint32_t ns;
	uint64_t day, era, doe, yoe, doy, month, year;

	sys_now(&s, &ns);
	day = (uint64_t) s / 86400 + 719468; /* since 0000-03-01 */
	era = day / 146097;
	doe = day % 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	month = (5 * doy + 2) / 153;
	year = yoe + era * 400 + (month >= 10);
	to = text_number(to, year, 4);
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

static void put_entry(const struct log_stream *s, const char *line, size_t n, const char *when,
		      size_t when_len)
{
	put("{\"log\":\"", 8);
	put_json(line, n);
	put("\",\"stream\":\"", 12);
	put(s->name, text_len(s->name));
	put("\",\"time\":\"", 10);
	put(when, when_len);
	put("\"}\n", 3);
}

void log_add(struct log_stream *s, const char *data, size_t n)
{
	char when[40];
	size_t when_len = (size_t) (text_time(when) - when);

	while (n > 0) {
		size_t end = 0, limit = sizeof(s->line) - s->len;
		const char *line = data;
		bool whole;

		while (end < n && end < limit && data[end] != '\n')
			end++;
		whole = end < n && end < limit;
		end += whole;
		data += end;
		n -= end;
		if (s->len == 0 && whole) { /* the usual case needs no copy */
			put_entry(s, line, end, when, when_len);
			continue;
		}
		__builtin_memcpy(s->line + s->len, line, end);
		s->len += end;
		if (whole || s->len == sizeof(s->line)) {
			put_entry(s, s->line, s->len, when, when_len);
			s->len = 0;
		}
	}
	if (out_len > 0)
		flush();
}

void log_end(struct log_stream *s)
{
	char when[40];

	if (s->len == 0)
		return;
	put_entry(s, s->line, s->len, when, (size_t) (text_time(when) - when));
	s->len = 0;
	flush();
}
