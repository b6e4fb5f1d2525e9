/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/ports/port.h"

#define DATAGRAMS_MAX 1024 /* askers */
#define DATAGRAM_IDLE_MS 120000
#define DATAGRAM_SIZE 65536 /* bytes of one */

/**
 * struct asker - who sends to a port, and the socket by which the instance answers
 * @fd: -1 there is none
 * @local: the address that was asked, from which answers have to come
 */
struct asker {
	int fd;
	uint16_t age, port;
	union address from, local;
	int64_t until;
};

/** struct datagrams - all askers; @next: when to look for those that are idle */
struct datagrams {
	struct ports *ports;
	unsigned used;
	int64_t next;
	struct asker v[DATAGRAMS_MAX];
	uint8_t buf[DATAGRAM_SIZE];
};

/** datagrams_take() - pass on what was sent to a port */
void datagrams_take(struct datagrams *d, unsigned port, int64_t now);

/** datagrams_event() - the instance answers */
void datagrams_event(struct datagrams *d, struct key key, int64_t now);

/** datagrams_expire() - forget those that were idle for long */
void datagrams_expire(struct datagrams *d, int64_t now);

/** datagrams_drop() - forget those of a port */
void datagrams_drop(struct datagrams *d, unsigned port);
