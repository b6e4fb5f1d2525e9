/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proto/proto.h"

#define CONNS_MAX 128

/**
 * struct conn - a connection of the engine's while it sends messages
 * @fd: -1: the place is free
 * @first: the guest's own connection, for the program of the instance
 * @waiting: it is @stream of program @number, which is not known yet
 * @head, @body: of the message under way; @got: bytes of both
 */
struct conn {
	int fd, first;
	bool waiting;
	uint64_t number, stream;
	uint8_t head[GUEST_HEADER];
	struct guest_head info;
	uint8_t *body;
	size_t got;
};

extern struct conn conns[CONNS_MAX];

/** conn_add() - take a connection; closed when there are too many */
void conn_add(int fd, int first);

/** conn_forget() - it is not read any more; the descriptor stays the caller's */
void conn_forget(int fd);

/** conn_read() - take what has come, and do what whole messages say */
void conn_read(struct conn *c);
