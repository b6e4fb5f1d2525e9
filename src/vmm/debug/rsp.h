/* SPDX-License-Identifier: MIT */
/*
 * Packets of gdb's remote protocol: what a byte stream consists of.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

#define RSP_PACKET_MAX 16384 /* bytes of a packet's content; clients are told */

/** enum rsp_event - what a byte completes */
enum rsp_event {
	RSP_NOTHING,
	RSP_PACKET, /* struct rsp.data has it */
	RSP_INTERRUPT, /* Control-C */
	RSP_DAMAGED, /* a packet whose checksum is wrong: it is to be sent again */
	RSP_TOO_LONG, /* more than RSP_PACKET_MAX bytes: nothing that follows makes sense */
};

/**
 * struct rsp - a stream under way; zero-initialise to start
 * @state: of enum rsp_state, private
 * @len: bytes in @data, which has a 0 behind them
 */
struct rsp {
	unsigned state;
	uint8_t sum, want;
	size_t len;
	char data[RSP_PACKET_MAX + 1];
};

/** rsp_byte() - take the next byte of the stream */
enum rsp_event rsp_byte(struct rsp *r, uint8_t byte);

/** rsp_put() - append a packet with this content, which may be any bytes */
void rsp_put(struct str *out, const char *data, size_t len);

/** rsp_number() - hexadecimal number at *@at, which moves behind it; false: there is none, or it has more than 64 bits */
bool rsp_number(const char **at, uint64_t *ret);

/** rsp_hex() - append bytes as hexadecimal digits */
void rsp_hex(struct str *out, const void *data, size_t len);

/** rsp_bytes() - exactly @len bytes from hexadecimal digits at *@at, which moves behind them; false: there are fewer */
bool rsp_bytes(const char **at, void *ret, size_t len);
