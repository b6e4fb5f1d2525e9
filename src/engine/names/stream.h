/* SPDX-License-Identifier: MIT */
/*
 * Questions by TCP, one at a time per connection; what is asked of others goes there by TCP, too.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/names/table.h"
#include "engine/names/wire.h"

#define STREAMS_MAX 16
#define STREAMS_OF_ONE_MAX 4 /* of one instance */
#define STREAM_IDLE_MS 10000
#define STREAM_WAIT_MS 3000 /* for one server */
#define STREAM_POLL_MAX (STREAMS_MAX + 1)

struct pollfd;

enum stream_state { STREAM_READ, STREAM_ASK, STREAM_WAIT, STREAM_WRITE };

/**
 * struct stream - a connection
 * @fd: -1 it is free; @up: to the server that is asked now, -1
 * @server: how many of names_server() were asked
 * @done, @want: bytes of @buf, which begins with a length of 2 bytes
 */
struct stream {
	int fd, up;
	enum stream_state state;
	unsigned server;
	uint16_t id, size;
	size_t done, want;
	int64_t until; /* of sys_now_ms() */
	struct sockaddr_in asker;
	struct dns_query q;
	uint8_t query[2 + DNS_QUERY_MAX], buf[2 + DNS_MESSAGE_MAX];
};

/** struct streams - @listen: where connections come from; @used: places from here on are free */
struct streams {
	const struct names_table *table;
	int listen;
	unsigned used;
	struct stream v[STREAMS_MAX];
};

/** streams_init() - all are free */
void streams_init(struct streams *s, const struct names_table *t, int listen);

/** streams_poll() - what to wait for, STREAM_POLL_MAX at most; their number */
unsigned streams_poll(const struct streams *s, struct pollfd *ret);

/** streams_handle() - what became of that, and of time; returns when it has to be called at the latest, INT64_MAX never */
int64_t streams_handle(struct streams *s, const struct pollfd *fds, unsigned n, int64_t now);
