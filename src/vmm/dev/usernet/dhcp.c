/* SPDX-License-Identifier: MIT */
/*
 * The DHCP server of a network of one guest.
 * Spec: RFC 2131, 2132.
 */
#include <arpa/inet.h>
#include <string.h>

#include "vmm/dev/usernet/usernet_parts.h"

#define FIXED 240u /* bytes in front of options, with the magic number */
#define LEASE_S 86400u

enum { OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_LEASE = 51, OPT_TYPE = 53, OPT_SERVER = 54, OPT_END = 255 };
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5 };

static const uint8_t magic[4] = { 99, 130, 83, 99 };

/* Value of the option with the kind of message, 0 if there is none. */
static unsigned type_of(const uint8_t *p, size_t len)
{
	size_t at = FIXED;

	while (at + 1 < len && p[at] != OPT_END) {
		if (p[at] == 0) {
			at++;
			continue;
		}
		if (p[at] == OPT_TYPE && p[at + 1] == 1 && at + 2 < len)
			return p[at + 2];
		at += 2u + p[at + 1];
	}
	return 0;
}

static uint8_t *put_option(uint8_t *p, uint8_t option, uint32_t value)
{
	uint32_t v = htonl(value);

	p[0] = option;
	p[1] = 4;
	memcpy(p + 2, &v, 4);
	return p + 6;
}

unsigned usernet_dhcp(const uint8_t *ask, size_t len, uint8_t *ret, size_t size)
{
	unsigned type = len >= FIXED && ask[0] == 1 && memcmp(ask + 236, magic, 4) == 0 ? type_of(ask, len) : 0;
	uint32_t guest = htonl(USERNET_GUEST), gateway = htonl(USERNET_GATEWAY);
	uint8_t *p = ret + FIXED;

	if ((type != DISCOVER && type != REQUEST) || size < FIXED + 64)
		return 0;
	memset(ret, 0, FIXED + 64);
	memcpy(ret, ask, 12); /* kind of address, number of the exchange */
	ret[0] = 2;
	ret[3] = 0;
	memcpy(ret + 16, &guest, 4);
	memcpy(ret + 20, &gateway, 4);
	memcpy(ret + 28, ask + 28, 16); /* the guest's hardware address */
	memcpy(ret + 236, magic, 4);
	*p++ = OPT_TYPE;
	*p++ = 1;
	*p++ = type == DISCOVER ? OFFER : ACK;
	p = put_option(p, OPT_SERVER, USERNET_GATEWAY);
	p = put_option(p, OPT_LEASE, LEASE_S);
	p = put_option(p, OPT_MASK, 0xFFFFFF00u);
	p = put_option(p, OPT_ROUTER, USERNET_GATEWAY);
	p = put_option(p, OPT_DNS, USERNET_DNS);
	*p = OPT_END;
	return FIXED + 64;
}
