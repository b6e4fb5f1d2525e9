/* SPDX-License-Identifier: MIT */
/*
 * The instances of a network: their names, addresses, and whom else each of them may ask.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/names/protocol.h"

#define TABLE_MAX (8u << 20) /* bytes; what is not used is not touched */

/**
 * struct names_table - what a resolver knows
 * @network, @host: messages as they came
 * @space: @used bytes of NAMES_SET messages, each at a multiple of 8
 */
struct names_table {
	struct {
		struct names_message head;
		struct names_server servers[NAMES_SERVERS_MAX];
	} host;
	struct {
		struct names_message head;
		char name[NAMES_TEXT_MAX + 1];
	} network;
	size_t used;
	_Alignas(8) uint8_t space[TABLE_MAX];
};

/**
 * names_table_take() - take note of a message
 * Return: its type; -EBADMSG malformed; -ENOSPC the table is full.
 */
int names_table_take(struct names_table *t, const uint8_t *message, size_t n);

/** names_table_next() - the instance after @e, the first for NULL; NULL at the end */
const struct names_message *names_table_next(const struct names_table *t, const struct names_message *e);

/** names_table_find() - the instance with this address of IPv4; NULL */
const struct names_message *names_table_find(const struct names_table *t, const uint8_t v4[4]);

/** names_text() - the names of an instance, not terminated */
const char *names_text(const struct names_message *e);

/** names_has() - is @name, of @n bytes in lower case, one of its names? */
bool names_has(const struct names_message *e, const char *name, size_t n);

/**
 * names_server() - whom to ask for an instance
 * @n: 0 first, 1 if that one does not know, and so on
 * Return: peers, then servers, each of those twice; NULL there are no more.
 */
const struct names_server *names_server(const struct names_table *t, const struct names_message *e, unsigned n);

/** names_in_network() - is the address of @size bytes, 4 or 16, one of the network's? */
bool names_in_network(const struct names_table *t, const uint8_t *address, size_t size);

/** names_same() - are these bytes equal? */
bool names_same(const void *a, const void *b, size_t n);
