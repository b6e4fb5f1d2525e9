/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

size_t net_address_size(const struct net_address *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

static unsigned bits(const struct net_address *a)
{
	return (unsigned) net_address_size(a) * 8;
}

int net_address_parse(const char *text, struct net_address *ret)
{
	struct net_address a = { .family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, text, a.bytes) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

void net_address_text(const struct net_address *a, char ret[NET_TEXT_MAX])
{
	if (a->family == 0 || inet_ntop(a->family, a->bytes, ret, NET_TEXT_MAX) == NULL)
		ret[0] = '\0';
}

bool net_address_same(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, net_address_size(a)) == 0;
}

bool net_address_is_any(const struct net_address *a)
{
	static const unsigned char zero[16];

	return a->family != 0 && memcmp(a->bytes, zero, net_address_size(a)) == 0;
}

struct net_address net_address_plus(const struct net_address *a, uint64_t n)
{
	struct net_address sum = *a;
	uint64_t carry = n;

	for (size_t i = net_address_size(a); i-- > 0 && carry > 0;) {
		carry += sum.bytes[i];
		sum.bytes[i] = (unsigned char) carry;
		carry >>= 8;
	}
	return sum;
}

uint64_t net_address_minus(const struct net_address *a, const struct net_address *b)
{
	size_t size = net_address_size(a);
	unsigned char diff[16];
	uint64_t n = 0;
	int borrow = 0;

	for (size_t i = size; i-- > 0;) {
		int d = a->bytes[i] - b->bytes[i] - borrow;

		borrow = d < 0;
		diff[i] = (unsigned char) d;
	}
	for (size_t i = 0; i < size; i++) {
		if (size - i > 8 && diff[i] != 0)
			return UINT64_MAX;
		n = n << 8 | diff[i];
	}
	return n;
}

int net_prefix_parse(const char *text, struct net_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[NET_TEXT_MAX];
	struct net_prefix p;
	uint64_t length;

	if (slash == NULL || slash - text >= NET_TEXT_MAX || str_to_u64(slash + 1, &length) < 0)
		return -EINVAL;
	(void) snprintf(address, sizeof(address), "%.*s", (int) (slash - text), text);
	if (net_address_parse(address, &p.base) < 0 || length > bits(&p.base))
		return -EINVAL;
	p.length = (unsigned) length;
	*ret = p;
	return 0;
}

void net_prefix_text(const struct net_prefix *p, char ret[NET_TEXT_MAX])
{
	size_t n;

	net_address_text(&p->base, ret);
	n = strlen(ret);
	if (n > 0)
		(void) snprintf(ret + n, NET_TEXT_MAX - n, "/%u", p->length);
}

/* @fill: what the bits behind the length become, all of them */
static struct net_address filled(const struct net_prefix *p, unsigned char fill)
{
	struct net_address a = p->base;

	for (unsigned i = 0; i < net_address_size(&a); i++) {
		unsigned keep = p->length > i * 8 ? p->length - i * 8 : 0;
		unsigned char mask = keep >= 8 ? 0xff : (unsigned char) (0xff00 >> keep);

		a.bytes[i] = (unsigned char) ((a.bytes[i] & mask) | (fill & ~mask));
	}
	return a;
}

struct net_address net_prefix_first(const struct net_prefix *p)
{
	return filled(p, 0);
}

struct net_address net_prefix_last(const struct net_prefix *p)
{
	return filled(p, 0xff);
}

bool net_prefix_has(const struct net_prefix *p, const struct net_address *a)
{
	const struct net_prefix one = { *a, p->length };
	struct net_address x = filled(p, 0), y = filled(&one, 0);

	return p->base.family != 0 && net_address_same(&x, &y);
}

bool net_prefix_overlap(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->base.family == b->base.family &&
	       (a->length <= b->length ? net_prefix_has(a, &b->base) : net_prefix_has(b, &a->base));
}
