/* SPDX-License-Identifier: MIT */
/*
 * What the engine tells the resolver of a network: one message per datagram, both programs of one build.
 *
 * After NAMES_NETWORK, NAMES_HOST and a NAMES_SET for each instance comes NAMES_SERVE; from there on it answers, and
 * what changes is told as it happens.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Descriptors that it starts with */
#define NAMES_FD_CONTROL 3
#define NAMES_FD_UDP 4
#define NAMES_FD_TCP 5
#define NAMES_FD_LOCK 6
#define NAMES_FD_PROGRAM 7 /* `cleave` */

#define NAMES_PORT 53
#define NAMES_ID 64 /* bytes of the id of an instance */
#define NAMES_SERVERS_MAX 40 /* of one message: 31 peers and some servers */
#define NAMES_TEXT_MAX 8192 /* bytes of all names of an instance */

enum names_type {
	NAMES_NETWORK, /* v4, bits4, v6, bits6: gateway and prefix lengths; text: the network's name */
	NAMES_HOST, /* servers: those of the host */
	NAMES_SET, /* an instance: id, addresses, whom else it may ask, text: names separated by blanks, the first is its own */
	NAMES_DROP, /* id */
	NAMES_SERVE,
};

/** struct names_server - whom to ask; @peer: the resolver of another network of the same instance; @family: 4 or 6 */
struct names_server {
	uint8_t family, peer, bytes[16];
};

/**
 * struct names_message - followed by @nr_servers servers and @text bytes
 * @outside: the instance is in a network that leads outside, so servers may be asked for it
 * @v4, @v6: zeros for none
 */
struct names_message {
	uint8_t type, outside, bits4, bits6;
	uint16_t nr_servers, text;
	uint8_t v4[4], v6[16];
	char id[NAMES_ID];
};

#define NAMES_MESSAGE_MAX (sizeof(struct names_message) + NAMES_SERVERS_MAX * sizeof(struct names_server) + NAMES_TEXT_MAX)
