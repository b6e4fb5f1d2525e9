/* SPDX-License-Identifier: MIT */
/*
 * Ports of the host that lead to instances, and the one place where all of the program waits.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/ports/protocol.h"

#define PORTS_MAX 4096

/** union address - of either version of IP */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/** struct port - a published one; @fd: -1 there is none; @stalled: it may have connections that were not taken */
struct port {
	int fd;
	bool stalled;
	struct ports_message to;
};

/** struct ports - all of them, @used places of the list; @epoll: by which the program waits */
struct ports {
	int epoll;
	unsigned used;
	struct port v[PORTS_MAX];
};

enum kind { KIND_CONTROL, KIND_PORT, KIND_STREAM, KIND_DATAGRAM };

/**
 * struct key - what is said with an event
 * @end: of two
 * @age: of the place, so that an event that comes too late is known
 */
struct key {
	uint8_t kind, end;
	uint16_t age;
	uint32_t place;
};

/** ports_watch() - wait for a descriptor from now on, and tell of every change once; 0 or -errno */
int ports_watch(const struct ports *p, int fd, struct key key);

/** ports_open() - a new one; its place, or -1 when there is no room: then @fd is closed */
int ports_open(struct ports *p, const struct ports_message *m, int fd);

/** ports_close() - close one */
void ports_close(struct ports *p, unsigned place);

/**
 * ports_connect() - a socket that leads to the instance
 * @from: who is there; the instance sees that address if it can be
 * Return: descriptor, which may not be connected yet; -errno.
 */
int ports_connect(const struct ports_message *to, int type, const union address *from);
