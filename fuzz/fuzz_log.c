/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading a log
 *
 * The input is the content of a log file.  Whatever is in it: lines come in their order and are inside
 * it, the tail of a log is its end, and an entry that is read can be written and read again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/log_entry.h"
#include "engine/log_lines.h"
#include "engine/log_time.h"
#include "fuzz.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void check_entry(struct eng_log_parser *p, const char *line, size_t n)
{
	_cleanup_free_ char *copy = malloc(n + 1);
	struct eng_log_entry e;
	int64_t t;

	if (copy == NULL)
		return;
	memcpy(copy, line, n);
	if (eng_log_entry_parse(p, copy, n, &e))
		need(e.n <= n && (e.n == 0 || e.text != NULL));
	copy[n] = '\0';
	(void) eng_log_time_parse(copy, 0, &t); /* any answer */
}

static uint64_t read_all(int fd, off_t from)
{
	_cleanup_(eng_log_parser_fini) struct eng_log_parser parser = { 0 };
	struct eng_log_lines l;
	const char *line;
	uint64_t count = 0;
	size_t n;

	need(lseek(fd, from, SEEK_SET) == from);
	if (eng_log_lines_init(&l, fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return 0;
	for (; eng_log_lines_next(&l, &line, &n) == 1; count++)
		check_entry(&parser, line, n);
	eng_log_lines_fini(&l);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
	uint64_t lines = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t) size)
		return 0;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	need(read_all(fd, 0) == lines);
	for (uint64_t want = 0; want < 4; want++) {
		uint64_t missing = want;
		off_t at = eng_log_lines_tail(fd, &missing);

		need(at >= 0 && missing == (want > lines ? want - lines : 0));
		need(read_all(fd, at) == want - missing);
	}
	return 0;
}
