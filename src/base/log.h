/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;

enum log_level { LOG_LEVEL_NONE, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_PLAIN };

/**
 * log_open() - where this program's records go
 * @path: file to append to, NULL for standard error
 * @format: text or one JSON object per line, as runc writes them; plain "WARNING: ..." for people, as Docker's client
 * @level: least important level that is written
 *
 * The only process-wide state of the project; called once by a main().
 * Return: 0; -errno of open(2).
 */
int log_open(const char *path, enum log_format format, enum log_level level, struct err *err);

/** log_fd() - descriptor records go to, for a child that outlives an exec of the log's owner */
int log_fd(void);

/** log_enabled() - true when records of @level are written */
bool log_enabled(enum log_level level);

/** log_write() - write one record; never fails, a full disk loses it */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
