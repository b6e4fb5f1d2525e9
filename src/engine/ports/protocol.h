/* SPDX-License-Identifier: MIT */
/*
 * What the engine tells the process that passes on published ports: one message per datagram, both programs of one build.
 */
#pragma once

#include <stdint.h>

#define PORTS_FD_CONTROL 3 /* descriptor that it starts with */
#define PORTS_ID 64 /* bytes of the id of an instance */

enum ports_type {
	PORTS_OPEN, /* with a socket of the host, that listens if it is TCP's */
	PORTS_CLOSE, /* all of an instance; only @id counts; a descriptor that is closed when they are */
};

/** struct ports_message - @protocol: IPPROTO_TCP or UDP; @family: 4 or 6; @to, @to_port: where it leads */
struct ports_message {
	uint8_t type, protocol, family;
	uint8_t to[16];
	uint16_t to_port;
	char id[PORTS_ID];
};
