/* SPDX-License-Identifier: MIT */
/*
 * Questions by UDP that others are asked.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/names/table.h"
#include "engine/names/wire.h"

#define RELAY_MAX 256 /* questions under way */
#define RELAY_OF_ONE_MAX 64 /* of one instance, so that it cannot take all */
#define RELAY_WAIT_MS 1500 /* for one server */

struct pollfd;

/**
 * struct relay_slot - a question under way
 * @fd: to the server that is asked now; -1 the slot is free
 * @server: how many of names_server() were asked
 * @id: the number it was asked with
 */
struct relay_slot {
	int fd;
	unsigned server;
	uint16_t id, size;
	int64_t until; /* of sys_now_ms() */
	struct sockaddr_in asker;
	struct dns_query q;
	uint8_t query[DNS_QUERY_MAX];
};

/** struct relay - @udp: the socket that answers leave by; @used: slots from here on are free, and were never looked at */
struct relay {
	const struct names_table *table;
	int udp;
	unsigned used;
	struct relay_slot slots[RELAY_MAX];
	uint8_t reply[DNS_MESSAGE_MAX];
};

/** relay_init() - all slots are free */
void relay_init(struct relay *r, const struct names_table *t, int udp);

/** relay_ask() - have somebody else answer; too many questions are dropped, as on any busy network */
void relay_ask(struct relay *r, const struct sockaddr_in *asker, const uint8_t *query, size_t n, const struct dns_query *q);

/** relay_poll() - what to wait for, one per used slot; their number */
unsigned relay_poll(const struct relay *r, struct pollfd *ret);

/** relay_handle() - what became of that, and of time; returns when it has to be called at the latest, INT64_MAX never */
int64_t relay_handle(struct relay *r, const struct pollfd *fds, unsigned n, int64_t now);
