/* SPDX-License-Identifier: MIT */
/**
 * DOC: the log as files
 *
 * Entries are collected and written together; what cannot be written whole is cut off again, so that the
 * file ends with a whole line whatever fails.  (A kill in the middle of a write can leave a torn line;
 * who opens the file next cuts it.)
 *
 * Rotation makes the new file first, so that a full disk leaves everything as it is, then renames from
 * the oldest on: log.1 to log.2, log to log.1, the new one to log.  At any moment every entry is in
 * one file, and the files in their order hold them in theirs; one number may be missing.
 */
#include "engine/monitor/logfile.h"

#include <errno.h>
#include <stdbool.h>

#include "engine/monitor/log.h"
#include "engine/monitor/protocol.h"
#include "bare/sys.h"

#define OUT_SIZE (256 * 1024) /* bytes */
#define ENTRY_MAX (ENCODE_GROWTH * LOG_LINE_MAX + ENCODE_ENTRY_MAX)
#define NEW "log.new"

static char out[OUT_SIZE];
static size_t out_len;
static int fd = MON_FD_LOG;
static uint64_t size, size_limit; /* of the file; 0: unlimited */
static unsigned files_limit;
static uint64_t lost, told; /* entries that are missing; of them, those the first entry of @out tells */

void logfile_open(uint64_t max_size, unsigned max_files)
{
	long n = sys_size(fd);

	size = n > 0 ? (uint64_t) n : 0;
	size_limit = max_size;
	files_limit = max_files;
}

/* "log", "log.1", ... */
static const char *numbered(char name[16], unsigned n)
{
	__builtin_memcpy(name, "log", 4);
	if (n > 0) {
		name[3] = '.';
		*text_number(name + 4, n, 1) = '\0';
	}
	return name;
}

static void rotate(void)
{
	char from[16], to[16];
	long r = sys_open_log(MON_FD_LOG_DIR, NEW);

	if (r < 0)
		return; /* the old one goes on and the next flush tries again */
	for (unsigned n = files_limit - 1; n > 0; n--)
		(void) sys_rename(MON_FD_LOG_DIR, numbered(from, n - 1),
				  numbered(to, n)); /* some are not there yet */
	(void) sys_rename(MON_FD_LOG_DIR, NEW, "log"); /* the directory is there: it was made there */
	(void) sys_close(fd); /* written */
	fd = (int) r;
	size = 0;
}

void logfile_flush(void)
{
	size_t done = 0, whole;

	while (done < out_len) {
		long r = sys_write(fd, out + done, out_len - done);

		if (r > 0)
			done += (size_t) r;
		else if (r != -EINTR)
			break;
	}
	for (whole = done; whole > 0 && out[whole - 1] != '\n'; whole--)
		;
	size += whole;
	if (whole != done)
		(void) sys_truncate(fd, (int64_t) size); /* readers pass over what remains */
	if (whole > 0)
		lost -= told;
	for (size_t i = whole; i < out_len; i += encode_newline(out + i, out_len - i) + 1)
		lost++;
	/* the entry that told it is lost itself, and the others are still counted */
	out_len = 0;
	told = 0;
}

void logfile_add(const char *text, size_t n, const struct encode_stamp *stamp)
{
	bool full = size_limit != 0 && size + out_len >= size_limit;

	if (full || out_len + ENCODE_GROWTH * n + ENCODE_ENTRY_MAX > sizeof(out))
		logfile_flush();
	if (full && size >= size_limit)
		rotate();
	if (out_len == 0)
		told = lost;
	out_len = (size_t) (encode_entry(out + out_len, text, n, stamp, out_len == 0 ? lost : 0) -
			    out);
}

void logfile_release(void)
{
	sys_release(out, sizeof(out));
}

_Static_assert(ENTRY_MAX <= OUT_SIZE, "an entry fits");
