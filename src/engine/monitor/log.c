/* SPDX-License-Identifier: MIT */
/**
 * DOC: from streams to entries
 *
 * Cuts what comes from the instance into lines and gives each to the driver that was chosen.  Lines
 * over LOG_LINE_MAX become several entries, of which only the last ends in a newline, as Docker does.
 */
#include "engine/monitor/log.h"

#include "engine/monitor/logfile.h"
#include "engine/monitor/journal.h"
#include "bare/sys.h"

static enum { NONE, FILES, JOURNAL } driver;

static const char *take_number(const char *p, uint64_t *ret)
{
	*ret = 0;
	while (*p == ' ')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		*ret = *ret * 10 + (uint64_t) (*p - '0');
	return p;
}

void log_open(const char *how)
{
	uint64_t size, files;

	if (how[0] == 'j' && how[1] == 's') {
		driver = FILES;
		(void) take_number(take_number(how + 4, &size), &files);
		logfile_open(size, files > 0 ? (unsigned) files : 1);
	} else if (how[0] == 'j') {
		driver = JOURNAL;
		journal_open(how + 8);
	}
}

static void add_entry(const struct log_stream *s, const char *text, size_t n,
		      const struct encode_stamp *stamp)
{
	bool whole = text[n - 1] == '\n';

	if (driver == FILES)
		logfile_add(text, n, stamp);
	else
		journal_add(text, n - whole, s->name[3] == 'e', !whole);
}

static void make_stamp(const struct log_stream *s, struct encode_stamp *ret)
{
	int64_t now;
	uint32_t ns;

	sys_now(&now, &ns);
	encode_stamp(ret, s->name, now, ns);
}

void log_add(struct log_stream *s, const char *data, size_t n)
{
	struct encode_stamp stamp;

	if (driver == NONE)
		return;
	make_stamp(s, &stamp);
	while (n > 0) {
		size_t room = sizeof(s->line) - s->len, limit = n < room ? n : room;
		size_t end = encode_newline(data, limit);
		bool whole = end < limit;

		end += whole;
		if (s->len == 0 && (whole || end == room)) /* the usual case needs no copy */
			add_entry(s, data, end, &stamp);
		else {
			__builtin_memcpy(s->line + s->len, data, end);
			s->len += end;
			if (whole || s->len == sizeof(s->line)) {
				add_entry(s, s->line, s->len, &stamp);
				s->len = 0;
			}
		}
		data += end;
		n -= end;
	}
}

void log_flush(void)
{
	if (driver == FILES)
		logfile_flush();
}

void log_end(struct log_stream *s)
{
	struct encode_stamp stamp;

	if (s->len > 0) {
		make_stamp(s, &stamp);
		add_entry(s, s->line, s->len, &stamp);
		s->len = 0;
	}
	log_flush();
}

void log_release(void)
{
	if (driver == FILES)
		logfile_release();
}
