/* SPDX-License-Identifier: MIT */
/*
 * A connection to somebody outside of the machine: a client of the control socket, a debugger.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "vmm/core/loop.h"

#define CONN_BACKLOG_MAX (1u << 20) /* bytes that the other side has not read; then it is dropped */

/**
 * struct conn_ops - who talks to it; with the loop's lock held
 * @input: @len bytes came; false hangs up
 * @ended: it is closed: the other side went away, does not read, or @input said so; not called for conn_close()
 */
struct conn_ops {
	bool (*input)(void *arg, const char *data, size_t len);
	void (*ended)(void *arg);
};

/**
 * struct conn - a connection; CONN_NONE to start with
 * @fd: -1 while there is none
 * @passed: the last descriptor that the other side sent along, -1 for none; who takes it puts -1 here
 * @out: what is to be sent; conn_flush() follows
 */
struct conn {
	struct loop *loop;
	struct loop_source source;
	int fd, passed;
	struct str out;
	const struct conn_ops *ops;
	void *arg;
};

#define CONN_NONE ((struct conn) { .source.fd = -1, .fd = -1, .passed = -1 })

/**
 * conn_open() - watch a connection
 * @c: CONN_NONE; borrowed until it is closed
 * @fd: connected stream socket; taken, unless this fails
 * Return: 0; -errno.
 */
int conn_open(struct conn *c, struct loop *l, int fd, const struct conn_ops *ops, void *arg);

/** conn_flush() - send as much as the other side takes now; the rest follows when it takes more */
void conn_flush(struct conn *c);

/** conn_close() - hang up, what was not sent is lost; nothing if there is no connection */
void conn_close(struct conn *c);
