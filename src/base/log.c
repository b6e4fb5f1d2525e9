/* SPDX-License-Identifier: MIT */
/**
 * DOC: the program's log
 *
 * runc's two line formats, because podman, containerd and people parse them:
 *   time="2026-01-02T03:04:05Z" level=error msg="text"
 *   {"level":"error","msg":"text","time":"2026-01-02T03:04:05Z"}
 * and for people
 *   WARNING: text
 * One write(2) per record, so that records of several processes do not mix.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

static struct {
	int fd;
	enum log_format format;
	enum log_level level;
} log_state = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

int log_open(const char *path, enum log_format format, enum log_level level, struct err *err)
{
	log_state.format = format;
	log_state.level = level;
	if (path == NULL)
		return 0;

	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, -errno, "open log file '%s'", path);
	log_state.fd = fd;
	return 0;
}

int log_fd(void)
{
	return log_state.fd;
}

bool log_enabled(enum log_level level)
{
	return level <= log_state.level;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "none", "error", "warning", "info", "debug" };
	static const char *const words[] = { "", "ERROR", "WARNING", "INFO", "DEBUG" };
	_cleanup_(str_fini) struct str line = { 0 }, quoted = { 0 };
	char text[2048], when[32];
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	(void) gmtime_r(&now, &tm); /* UTC needs no time zone files */
	(void) strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);

	str_json(&quoted, text);
	if (log_state.format == LOG_FORMAT_JSON)
		str_printf(&line, "{\"level\":\"%s\",\"msg\":%s,\"time\":\"%s\"}\n", names[level],
			   quoted.p, when);
	else if (log_state.format == LOG_FORMAT_PLAIN)
		str_printf(&line, "%s: %s\n", words[level], text);
	else
		str_printf(&line, "time=\"%s\" level=%s msg=%s\n", when, names[level], quoted.p);
	if (!line.failed)
		(void) fd_write_full(log_state.fd, line.p, line.len); /* nowhere to report to */
}
