/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/ports/port.h"

#define STREAMS_MAX 2048
#define STREAM_BUFFER 32768 /* bytes */

/** struct flow - one direction; @ended: no more comes; @told: the other side knows */
struct flow {
	uint32_t pos, len;
	bool ended, told;
	uint8_t buf[STREAM_BUFFER];
};

/** struct stream - a connection; @fd: who connected, the instance; @again: there was more than one turn takes */
struct stream {
	int fd[2];
	uint16_t age, port;
	bool used, again;
	struct flow flow[2];
};

/** struct streams - all connections; memory that none has used is not there */
struct streams {
	struct ports *ports;
	unsigned used;
	bool again, stalled;
	struct stream v[STREAMS_MAX];
};

/** streams_accept() - take the connections that wait at a port */
void streams_accept(struct streams *s, unsigned port);

/** streams_event() - something has changed at one */
void streams_event(struct streams *s, struct key key);

/** streams_continue() - give a turn to those that had more to do; @s->again says whether some have now */
void streams_continue(struct streams *s);

/** streams_drop() - end those of a port */
void streams_drop(struct streams *s, unsigned port);
