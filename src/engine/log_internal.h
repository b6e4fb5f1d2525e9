/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_instance;
struct eng_log_entry;
struct eng_log_query;
struct eng_log_taker;
struct engine;
struct err;

/**
 * struct eng_log_watch - notices the end of an instance, and that its log changes
 * @fd: inotify; readable when it is worth to look
 * @ended: it does not run, and is not about to be started again
 * Release with eng_log_watch_fini().
 */
struct eng_log_watch {
	struct engine *e;
	const struct eng_instance *i;
	int fd, run_wd;
	bool ended;
	int64_t checked; /* ns since 1970 */
};

/** eng_log_watch_init() - 0; -errno with a message */
int eng_log_watch_init(struct eng_log_watch *w, struct engine *e, const struct eng_instance *i,
		       struct err *err);

/**
 * eng_log_watch_wait() - until something changes
 * @fd: another descriptor to wait for, or -EBADF
 * @until: ns since 1970 when to return at the latest, 0 for never
 * Sets @w->ended.
 * Return: 0; -errno with a message.
 */
int eng_log_watch_wait(struct eng_log_watch *w, int fd, int64_t until, struct err *err);

/** eng_log_watch_fini() - release */
void eng_log_watch_fini(struct eng_log_watch *w);

/** eng_log_give() - to the taker what the query asks for; 0; 1 it is newer than that; -errno of the taker */
int eng_log_give(const struct eng_log_query *q, const struct eng_log_taker *taker,
		 const struct eng_log_entry *entry);

/** eng_log_read_journal() - eng_log_read() of driver journald */
int eng_log_read_journal(struct engine *e, const struct eng_instance *i,
			 const struct eng_log_query *q, const struct eng_log_taker *taker,
			 struct err *err);
