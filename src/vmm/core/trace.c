/* SPDX-License-Identifier: MIT */
#include "vmm/core/trace.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#define LINE_SIZE 256 /* bytes; longer lines are cut */

static const char *const names[TRACE_N_] = {
	[TRACE_PORT] = "port",
	[TRACE_REGISTER] = "register",
	[TRACE_LINE] = "line",
	[TRACE_MESSAGE] = "message",
	[TRACE_POWER] = "power",
	[TRACE_VIRTIO_STATUS] = "virtio-status",
	[TRACE_VIRTIO_NOTIFY] = "virtio-notify",
	[TRACE_VIRTIO_SIGNAL] = "virtio-signal",
	[TRACE_PROCESSOR] = "processor",
	[TRACE_CONTROL] = "control",
};

uint32_t trace_mask;

void trace_names(struct str *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		str_printf(ret, "%s%s", i > 0 ? ", " : "", names[i]);
}

static uint32_t matches(const char *pattern)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fnmatch(pattern, names[i], 0) == 0)
			mask |= 1u << i;
	return mask;
}

int trace_choose(const char *patterns, struct err *err)
{
	_cleanup_free_ char *copy = strdup(patterns);
	_cleanup_(str_fini) struct str all = { 0 };
	char *rest = copy, *word;
	uint32_t mask = 0;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "option --trace");
	while ((word = strsep(&rest, ",")) != NULL) {
		uint32_t found = matches(word);

		trace_names(&all);
		if (found == 0)
			return err_msg(err, -EINVAL, "option --trace: '%s' fits none of %s", word, all.failed ? "them" : all.p);
		mask |= found;
		all.len = 0;
	}
	trace_mask = mask;
	return 0;
}

void trace_write(enum trace_point point, const char *fmt, ...)
{
	char line[LINE_SIZE];
	struct timespec now;
	va_list args;
	size_t n;
	int w;

	(void) clock_gettime(CLOCK_MONOTONIC, &now); /* a clock that exists */
	w = snprintf(line, sizeof(line), "[%lld.%06ld] %s: ", (long long) now.tv_sec, now.tv_nsec / 1000, names[point]);
	n = w > 0 ? (size_t) w : 0;
	va_start(args, fmt);
	w = vsnprintf(line + n, sizeof(line) - n, fmt, args);
	va_end(args);
	n += w > 0 ? (size_t) w : 0;
	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1;
	line[n++] = '\n';
	(void) !write(STDERR_FILENO, line, n); /* whoever asked for it sees what is missing */
}
