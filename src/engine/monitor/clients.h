/* SPDX-License-Identifier: MIT */
/*
 * Those who are attached.  One record of output is under way at a time and every client gets it before
 * the next, so nothing is lost or reordered.  The owner, who started the instance in the foreground,
 * may be as slow as it likes and slows the instance down; another client that takes nothing for
 * CLIENT_SLOW_MS is dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/monitor/protocol.h"

#define CLIENTS_MAX 8
#define CLIENT_SLOW_MS 10000

struct pollfd;

/**
 * struct client - one of them
 * @fd: socket, -1: free
 * @owner: started the instance; its end of input is the instance's
 * @behind: has not got the record under way yet
 * @replays: gets old output up to the present first, from @replay on; nothing else is sent meanwhile
 * @taken: has not been told yet that its input is written
 * @holds: a record of input waits in its socket, because another client's is being written
 * @since: sys_now_ms() when it became behind
 */
struct client {
	int fd;
	bool owner, behind, replays, taken, holds;
	uint64_t replay;
	int64_t since;
};

extern struct client clients[CLIENTS_MAX];

#define CLIENTS_FOREACH(c) for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)

/** client_behind() - it has not got everything that was sent */
static inline bool client_behind(const struct client *c)
{
	return c->behind || c->replays || c->taken;
}

/** clients_open() - nobody, or the owner with this socket unless it is -1 */
void clients_open(int owner);

/** clients_accept() - take a connection; @hello is said to it */
void clients_accept(int listener, struct mon_hello hello);

/** client_drop() - forget one */
void client_drop(struct client *c);

/** client_replay() - send it what the terminal showed */
void client_replay(struct client *c);

/** client_taken() - tell it that its input is written, as soon as its socket has room */
void client_taken(struct client *c);

/** clients_send() - output @data (kept until clients_busy() is false) to all; @kind MON_STDOUT, MON_STDERR */
void clients_send(char kind, const char *data, size_t n);

/** clients_go_on() - send what is under way to those that have room; drop those that are too slow */
void clients_go_on(void);

/** clients_busy() - something is under way: no output may be sent, and none remembered */
bool clients_busy(void);

/** clients_wait_ms() - how long to wait at most for clients_go_on(); -1 for ever */
int clients_wait_ms(void);

/** clients_tell() - a short record to all that have room; the owner is waited for */
void clients_tell(const void *record, size_t n);
