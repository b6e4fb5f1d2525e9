/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct arena;
struct db_rows;
struct eng_instance;
struct engine;
struct err;

#define ENG_COLUMNS                                                                                   \
	"SELECT id, name, isolation, state, image, image_id, command, auto_remove, created, started," \
	" finished, exit_code, error FROM instance "

/** eng_row_read() - fill @ret from a row of ENG_COLUMNS; 0 or -errno with a message */
int eng_row_read(struct db_rows *rows, struct arena *arena, struct eng_instance *ret,
		 struct err *err);

/**
 * eng_lock_try() - take the lock of an instance
 * @create: make directory and file when they are missing
 * Return: descriptor; -EBUSY somebody holds it; -ENOENT; -errno.
 */
int eng_lock_try(struct engine *e, const char *id, bool create);

/** eng_run_remove() - remove the instance's directory of the run root; the lock goes last */
void eng_run_remove(struct engine *e, const char *id);
