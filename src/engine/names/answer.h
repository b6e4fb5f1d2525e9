/* SPDX-License-Identifier: MIT */
/*
 * What a network's resolver knows itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/names/table.h"
#include "engine/names/wire.h"

enum names_result {
	NAMES_IGNORE, /* say nothing */
	NAMES_REPLY, /* the answer is written */
	NAMES_ASK, /* somebody else may know */
};

/**
 * names_answer() - answer a question
 * @from: address of IPv4 of who asks
 * @stream: the answer may be of any length, else of what the question says
 * @q: what the question is
 * @ret: DNS_MESSAGE_MAX bytes with @stream, else DNS_UDP_MAX
 * @ret_n: bytes that were written
 */
enum names_result names_answer(const struct names_table *t, const uint8_t from[4], bool stream, const uint8_t *query, size_t n,
			       struct dns_query *q, uint8_t *ret, size_t *ret_n);

/** names_refuse() - write an answer of DNS_UDP_MAX bytes at most that has only this code; its length */
size_t names_refuse(const uint8_t *query, const struct dns_query *q, unsigned rcode, uint8_t *ret);

/**
 * names_try_next() - should another one be asked, after @asked of them and an answer with this code?
 * A peer knows only its own network; a server that failed may be the only one that does.
 */
bool names_try_next(const struct names_table *t, const struct names_message *asker, unsigned asked, unsigned rcode);

/** names_give_up() - the code to answer with when @asked were asked and nobody answered */
unsigned names_give_up(const struct names_table *t, const struct names_message *asker, unsigned asked);
