/* SPDX-License-Identifier: MIT */
#include "engine/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define MAX_FILES 1000
#define TAG_MAX 256 /* bytes */
#define SHORT_ID 12 /* digits */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_WAIT_S 1 /* for a journal that takes nothing, then an entry is lost */

static const char *const driver_names[] = { "json-file", "journald", "none" };

static int parse_size(const char *text, struct eng_log *log, struct err *err)
{
	uint64_t size;

	if (strcmp(text, "-1") == 0)
		return 0;
	if (eng_size_parse(text, &size) < 0)
		return err_msg(err, -EINVAL, "--log-opt max-size: invalid size '%s'", text);
	if (size == 0)
		return err_msg(err, -EINVAL, "--log-opt max-size must be a positive number");
	log->max_size = size;
	return 0;
}

static int parse_files(const char *text, struct eng_log *log, struct err *err)
{
	uint64_t n;

	if (str_to_u64(text, &n) < 0)
		n = 0;
	if (n < 1 || n > MAX_FILES)
		return err_msg(err, -EINVAL, "--log-opt max-file must be from 1 to %d, not '%s'",
			       MAX_FILES, text);
	log->max_files = (unsigned) n;
	return 0;
}

static int parse_tag(const char *text, struct eng_log *log, struct err *err)
{
	if (strlen(text) > TAG_MAX)
		return err_msg(err, -EINVAL, "--log-opt tag: longer than the limit of %d bytes",
			       TAG_MAX);
	log->tag = text;
	return 0;
}

static int parse_mode(const char *text, struct eng_log *log, struct err *err)
{
	(void) log;
	return strcmp(text, "blocking") == 0
		       ? 0
		       : err_msg(err, -EINVAL, "--log-opt mode: '%s' is not supported: use blocking",
				 text);
}

static const struct log_opt {
	const char *name;
	unsigned drivers; /* bits */
	int (*parse)(const char *text, struct eng_log *log, struct err *err);
} log_opts[] = {
	{ "max-size", 1u << ENG_LOG_FILES, parse_size },
	{ "max-file", 1u << ENG_LOG_FILES, parse_files },
	{ "tag", 1u << ENG_LOG_JOURNAL, parse_tag },
	{ "mode", ~0u, parse_mode },
};

static int parse_opt(const char *text, struct eng_log *log, struct err *err)
{
	size_t n = strcspn(text, "=");

	if (log->driver == ENG_LOG_NONE)
		return err_msg(err, -EINVAL, "invalid logging opts for driver none: '%s'", text);
	if (text[n] == '\0')
		return err_msg(err, -EINVAL, "--log-opt '%s': expected NAME=VALUE", text);
	for (size_t i = 0; i < ARRAY_LEN(log_opts); i++)
		if (strlen(log_opts[i].name) == n && strncmp(log_opts[i].name, text, n) == 0 &&
		    (log_opts[i].drivers & 1u << log->driver) != 0)
			return log_opts[i].parse(text + n + 1, log, err);
	return err_msg(err, -EINVAL, "unknown log opt '%.*s' for %s log driver", (int) n, text,
		       driver_names[log->driver]);
}

int eng_log_parse(const char *driver, const struct img_words *opts, struct eng_log *ret,
		  struct err *err)
{
	struct eng_log log = { .max_files = 1 };
	size_t i = 0;
	int r = 0;

	while (driver != NULL && *driver != '\0' && i < ARRAY_LEN(driver_names) &&
	       strcmp(driver, driver_names[i]) != 0)
		i++;
	if (i == ARRAY_LEN(driver_names))
		return err_msg(err, -EINVAL,
			       "no log driver named '%s': json-file, journald and none are known",
			       driver);
	log.driver = (enum eng_log_driver) i;
	for (i = 0; r == 0 && i < opts->n; i++)
		r = parse_opt(opts->v[i], &log, err);
	if (r == 0)
		*ret = log;
	return r;
}

/* Cut off what follows the last newline. */
static int cut_torn_line(int fd)
{
	char buf[4096];
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0)
		return -errno;
	for (end = st.st_size; end > 0;) {
		size_t want = (size_t) (end < (off_t) sizeof(buf) ? end : (off_t) sizeof(buf));
		ssize_t n = pread(fd, buf, want, end - (off_t) want);
		const char *newline;

		if (n != (ssize_t) want)
			return n < 0 ? -errno : -EIO;
		newline = memrchr(buf, '\n', want);
		end -= (off_t) want;
		if (newline != NULL) {
			end += newline + 1 - buf;
			break;
		}
	}
	return end == st.st_size || ftruncate(fd, end) == 0 ? 0 : -errno;
}

static int open_file(struct engine *e, const char *id, struct eng_log_sink *ret, struct err *err)
{
	char path[ENG_ID_LEN + 32];
	int r;

	(void) snprintf(path, sizeof(path), "instances/%.64s", id);
	_cleanup_close_ int dir = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open '%s/%s'", e->root, path);
	_cleanup_close_ int fd = openat(dir, "log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : cut_torn_line(fd);
	if (r < 0)
		return err_set(err, r, "open '%s/%s/log'", e->root, path);
	ret->dir = take_fd(dir);
	ret->fd = take_fd(fd);
	return 0;
}

static int open_journal(struct eng_log_sink *ret, struct err *err)
{
	struct timeval wait = { .tv_sec = JOURNAL_WAIT_S };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return err_set(err, -errno, "create a socket for the journal");
	if (access(JOURNAL_SOCKET, W_OK) < 0)
		return err_set(err, -errno,
			       "--log-driver journald: journald does not run here: '%s'",
			       JOURNAL_SOCKET);
	ret->fd = take_fd(fd);
	return 0;
}

/* Docker's names of what a tag may hold */
static void put_tag(const char *tag, const struct eng_instance *i, struct str *ret)
{
	const struct {
		const char *name, *value;
		int max;
	} fields[] = {
		{ "{{.ID}}", i->id, SHORT_ID },         { "{{.FullID}}", i->id, ENG_ID_LEN },
		{ "{{.Name}}", i->name, INT_MAX },      { "{{.ImageName}}", i->image, INT_MAX },
		{ "{{.ImageID}}", i->image_id, INT_MAX }, { "{{.ImageFullID}}", i->image_id, INT_MAX },
		{ "{{.DaemonName}}", "cleave", INT_MAX },
	};

	while (*tag != '\0') {
		size_t n = 0;

		while (n < ARRAY_LEN(fields) && !str_starts(tag, fields[n].name))
			n++;
		if (n < ARRAY_LEN(fields)) {
			str_printf(ret, "%.*s", fields[n].max, fields[n].value);
			tag += strlen(fields[n].name);
		} else {
			str_add(ret, *tag == '\n' ? " " : tag, 1);
			tag++;
		}
	}
}

static void put_journal_fields(const struct eng_instance *i, const char *tag, struct str *ret)
{
	str_printf(ret, "CONTAINER_ID=%.*s\nCONTAINER_ID_FULL=%s\nCONTAINER_NAME=%s\n", SHORT_ID,
		   i->id, i->id, i->name);
	str_printf(ret, "IMAGE_NAME=%s\nCONTAINER_TAG=", i->image);
	put_tag(tag, i, ret);
	str_puts(ret, "\nSYSLOG_IDENTIFIER=");
	put_tag(tag, i, ret);
	str_puts(ret, "\n");
}

int eng_log_open(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		 struct eng_log_sink *ret, struct str *how, struct err *err)
{
	struct eng_log_sink sink = { -EBADF, -EBADF };
	struct eng_log log;
	int r = eng_log_parse(config->log_driver, &config->log_opts, &log, err);

	if (r < 0)
		return r;
	switch (log.driver) {
	case ENG_LOG_FILES:
		str_printf(how, "json %llu %u", (unsigned long long) log.max_size, log.max_files);
		r = open_file(e, i->id, &sink, err);
		break;
	case ENG_LOG_JOURNAL:
		str_puts(how, "journal ");
		put_journal_fields(i, log.tag != NULL ? log.tag : "{{.ID}}", how);
		r = open_journal(&sink, err);
		break;
	case ENG_LOG_NONE:
		str_puts(how, "none");
		break;
	}
	if (r == 0 && how->failed)
		r = err_set(err, -ENOMEM, "open the log of the instance");
	if (r < 0) {
		cleanup_closep(&sink.fd);
		cleanup_closep(&sink.dir);
		return r;
	}
	*ret = sink;
	return 0;
}
