/* SPDX-License-Identifier: MIT */
/*
 * Addresses and networks of addresses, of both versions of IP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define NET_TEXT_MAX 64 /* bytes of an address or prefix as text */

/** struct net_address - @family: AF_INET, AF_INET6, 0 for none; @bytes: in network order */
struct net_address {
	int family;
	unsigned char bytes[16];
};

/** struct net_prefix - the addresses that begin with the first @length bits of @base */
struct net_prefix {
	struct net_address base;
	unsigned length;
};

/** net_address_size() - bytes that count: 4, 16, 0 */
size_t net_address_size(const struct net_address *a);

/** net_address_parse() - 0 or -EINVAL */
int net_address_parse(const char *text, struct net_address *ret);

/** net_address_text() - "" for none */
void net_address_text(const struct net_address *a, char ret[NET_TEXT_MAX]);

/** net_address_same() - true when they are equal */
bool net_address_same(const struct net_address *a, const struct net_address *b);

/** net_address_is_any() - 0.0.0.0 or :: */
bool net_address_is_any(const struct net_address *a);

/** net_address_plus() - the @n th after @a */
struct net_address net_address_plus(const struct net_address *a, uint64_t n);

/** net_address_minus() - @a - @b, which is not greater; UINT64_MAX for more than that */
uint64_t net_address_minus(const struct net_address *a, const struct net_address *b);

/**
 * net_prefix_parse() - "10.0.0.0/8"
 * Bits behind the length are kept.
 * Return: 0; -EINVAL.
 */
int net_prefix_parse(const char *text, struct net_prefix *ret);

/** net_prefix_text() - "" for none */
void net_prefix_text(const struct net_prefix *p, char ret[NET_TEXT_MAX]);

/** net_prefix_first() - with the bits behind the length cleared */
struct net_address net_prefix_first(const struct net_prefix *p);

/** net_prefix_last() - with the bits behind the length set */
struct net_address net_prefix_last(const struct net_prefix *p);

/** net_prefix_has() - is @a in it? */
bool net_prefix_has(const struct net_prefix *p, const struct net_address *a);

/** net_prefix_overlap() - do they have an address in common? */
bool net_prefix_overlap(const struct net_prefix *a, const struct net_prefix *b);
