/* SPDX-License-Identifier: MIT */
/* What the files of eng_check() share.  Functions return 0 or -errno with a message. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "image/config.h"

struct eng_check;
struct eng_config;
struct eng_instance;
struct engine;
struct err;

/**
 * struct check_run - a check on its way
 * @list: rows as they were in the beginning
 * @chains: of all instances, also of those without a row; @busy: of those that run
 * @idle: ids of instances that do not run, with and without a row
 * @unknown: not every instance could be asked for its layers
 */
struct check_run {
	struct engine *e;
	const struct eng_check *c;
	struct arena arena;
	struct eng_instance *list;
	size_t nr_list, room;
	struct img_words chains, busy, idle;
	bool unknown;
};

/** check_found() - tell a finding; @action as of struct eng_check */
void check_found(struct check_run *k, const char *action, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** check_each() - names in a directory below @fd but "." and ".."; -ENOENT without a message when there is none */
int check_each(struct check_run *k, int fd, const char *path,
	       int (*each)(struct check_run *k, const char *name, struct err *err),
	       struct err *err);

/**
 * check_settled() - wait until nobody has changed a directory for a moment
 * Who makes or removes something may do it without a lock, but is soon done.
 * Return: false when it is gone.
 */
bool check_settled(int fd, const char *path);

/** check_is_id() - 64 hexadecimal digits */
bool check_is_id(const char *name);

/** check_row() - the row as it is now; 1; 0 there is none; -errno with a message */
int check_row(struct check_run *k, const char *id, struct eng_instance *ret, struct err *err);

/** check_collect() - read the rows, fill the lists */
int check_collect(struct check_run *k, struct err *err);

/** check_instances() - rows, their directories, and directories without a row */
int check_instances(struct check_run *k, struct err *err);

/** check_host() - what instances that do not run have left on the host */
int check_host(struct check_run *k, struct err *err);

/** check_volumes() - rows and directories of volumes */
int check_volumes(struct check_run *k, struct err *err);
