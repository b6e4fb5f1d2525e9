/* SPDX-License-Identifier: MIT */
/*
 * partial/<hex> of the store: blobs that are on their way.  Who holds the lock of one writes to it, and
 * whoever wants it next goes on where it ended.  A file becomes a blob by a second name.
 */
#pragma once

#include <stdint.h>

struct err;

#define REG_PARTIAL_DAYS 3 /* until one that nobody went on with is removed */

/** partial_dir() - open that directory of the store, made when missing; descriptor; -errno with a message */
int partial_dir(int store, struct err *err);

/**
 * partial_open() - take one, made when missing
 * @dir: of partial_dir()
 * @ret_have: bytes that are in it
 * Return: descriptor; -EBUSY somebody else has it; -errno with a message.
 */
int partial_open(int dir, const char *hex, uint64_t *ret_have, struct err *err);

/** partial_remove() - forget one */
void partial_remove(int dir, const char *hex);

/** partial_sweep() - remove what is old, or has become a blob, and is in nobody's hands */
void partial_sweep(int dir);
