/* SPDX-License-Identifier: MIT */
/*
 * The event loop that devices and the control socket live on: one thread, callbacks one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOOP_SOURCES_MAX 256 /* descriptors watched at a time */
#define LOOP_LATER_MS 1 /* of loop_later() */

struct err;

/**
 * struct loop_source - a watched descriptor; embed it in what owns the descriptor
 * @fd: borrowed; -1 while it is not watched
 * @ready: called with the EPOLL bits that came, on the loop's thread, with the loop's lock held
 * @arg: handed to @ready
 */
struct loop_source {
	int fd;
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

/**
 * struct loop_later - something that has time; embed it in what it belongs to, zero-initialised
 * @run: called on the loop's thread, with the loop's lock held
 */
struct loop_later {
	void (*run)(void *arg);
	void *arg;
	struct loop_later *next;
	bool waits;
};

struct loop;

/**
 * loop_new() - make a loop
 * @lock, @unlock: called around callbacks with @lock_arg
 * Return: 0; -errno with a message.
 */
int loop_new(struct loop **ret, void (*lock)(void *arg), void (*unlock)(void *arg), void *lock_arg,
	     struct err *err);

/** loop_free() - release; NULL is fine.  No source may be watched any more */
void loop_free(struct loop *l);

/**
 * loop_add() - watch a descriptor
 * @s: borrowed until loop_remove()
 * @fd: borrowed; a regular file is refused
 * @events: EPOLLIN, EPOLLOUT; 0 reports hang-ups only
 * Context: any thread that holds the lock.
 * Return: 0; -errno of epoll_ctl(2).
 */
int loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events,
	     void (*ready)(void *arg, uint32_t events), void *arg);

/** loop_change() - other events for a watched descriptor; 0 or -errno */
int loop_change(struct loop *l, struct loop_source *s, uint32_t events);

/**
 * loop_remove() - stop watching; its callback is not called any more, also not for what is pending
 * Context: any thread that holds the lock.  A source that is not watched is fine.
 */
void loop_remove(struct loop *l, struct loop_source *s);

/**
 * loop_later() - call @later->run soon, at the latest after LOOP_LATER_MS; nothing when it is waiting already
 * Context: any thread that holds the lock.
 */
void loop_later(struct loop *l, struct loop_later *later);

/** loop_not_later() - it is not called any more; one that does not wait is fine.  Context: who holds the lock */
void loop_not_later(struct loop *l, struct loop_later *later);

/**
 * loop_round() - wait for something, and call back for what there is then
 * @timeout_ms: -1 waits for ever
 * Return: callbacks called; -errno of epoll_wait(2).
 */
int loop_round(struct loop *l, int timeout_ms);

/** loop_run() - call back until loop_stop(); 0 or -errno of epoll_wait(2) */
int loop_run(struct loop *l);

/** loop_stop() - let loop_run() return; any thread, any time */
void loop_stop(struct loop *l);
