/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_instance;
struct eng_log_entry;
struct engine;
struct err;

#define ENG_LOG_ALL UINT64_MAX

/**
 * struct eng_log_query - what of a log
 * @follow: go on until the instance has ended
 * @tail: only so many entries from the end, ENG_LOG_ALL for all
 * @since: not older, ns since 1970, 0 for all
 * @until: not newer, 0 for all
 */
struct eng_log_query {
	bool follow;
	uint64_t tail;
	int64_t since, until;
};

/**
 * struct eng_log_taker - who gets the entries
 * @entry: in their order; 0; -errno ends reading and is returned
 * @idle: nothing more at present: what was buffered should be shown; 0; -errno
 */
struct eng_log_taker {
	int (*entry)(void *data, const struct eng_log_entry *entry);
	int (*idle)(void *data);
	void *data;
};

/**
 * eng_log_read() - read the log of an instance, whatever its driver
 * Context: blocks with @follow.
 * Return: 0; -EOPNOTSUPP the driver keeps nothing; -errno with a message.
 */
int eng_log_read(struct engine *e, const struct eng_instance *i, const struct eng_log_query *q,
		 const struct eng_log_taker *taker, struct err *err);
