/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_config;
struct eng_instance;
struct engine;
struct err;
struct img_words;
struct str;

enum eng_log_driver {
	ENG_LOG_FILES, /* "json-file" */
	ENG_LOG_JOURNAL, /* "journald" */
	ENG_LOG_NONE, /* "none" */
};

/**
 * struct eng_log - how an instance's output is logged
 * @max_size: bytes of a file until it is rotated, 0 = no limit
 * @max_files: kept, with the one that is written
 * @tag: template of the journal's tag, NULL: the short id
 */
struct eng_log {
	enum eng_log_driver driver;
	uint64_t max_size;
	unsigned max_files;
	const char *tag;
};

/**
 * eng_log_parse() - --log-driver and --log-opt
 * @driver: NULL or "": json-file
 * @opts: "name=value"
 * @ret: filled; borrows from @opts
 * Return: 0; -EINVAL with a message.
 */
int eng_log_parse(const char *driver, const struct img_words *opts, struct eng_log *ret,
		  struct err *err);

/**
 * struct eng_log_sink - where a monitor logs to
 * @fd: MON_FD_LOG, or -EBADF
 * @dir: MON_FD_LOG_DIR
 */
struct eng_log_sink {
	int fd, dir;
};

/**
 * eng_log_open() - the log of an instance that is about to be started
 * @ret: the caller closes both
 * @how: appended to: the argument LOG of cleave-monitor
 *
 * A line that was torn by the death of an earlier monitor is cut off.
 * Return: 0; -EINVAL, -errno with a message.
 */
int eng_log_open(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		 struct eng_log_sink *ret, struct str *how, struct err *err);
