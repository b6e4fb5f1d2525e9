/* SPDX-License-Identifier: MIT */
/**
 * DOC: network devices
 *
 * The host knows them by their hardware addresses, and says what each is called and has.  What belongs to a device
 * follows its field.
 */
#include "guest/network.h"

#include <errno.h>
#include <stdbool.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ipv6.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>

#include "guest/os.h"

#define ALIASES_MAX 99u /* two digits */
#define INDEX_MAX 256 /* devices are numbered from 1 on */
#define MTU_MAX 65535u
#define LINK_NAME (8 + GUEST_LINK_MAC) /* offset of the name */
#define ADDRESS_BYTES 8 /* offset of the address */

/**
 * struct network - @index: of the device that fields are about, 0 for none; @nr_addresses: of IPv4 that it has got;
 * @sock, @sock6: where it is asked
 */
struct network {
	int sock, sock6, index;
	unsigned nr_addresses;
	char name[IFNAMSIZ];
};

static void copy_name(char to[IFNAMSIZ], const char *from)
{
	size_t n = text_len(from);

	__builtin_memcpy(to, from, (n < IFNAMSIZ ? n : IFNAMSIZ - 1) + 1);
	to[IFNAMSIZ - 1] = '\0';
}

static bool is_same(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	while (n > 0 && *p == *q) {
		p++;
		q++;
		n--;
	}
	return n == 0;
}

/* Return: 0; -ENODEV. */
static int find(struct network *n, const uint8_t *mac)
{
	for (int i = 1; i <= INDEX_MAX; i++) {
		struct ifreq r = { .ifr_ifindex = i };

		if (sys_ioctl(n->sock, SIOCGIFNAME, &r) < 0 || sys_ioctl(n->sock, SIOCGIFHWADDR, &r) < 0 ||
		    !is_same(r.ifr_hwaddr.sa_data, mac, GUEST_LINK_MAC))
			continue;
		copy_name(n->name, r.ifr_name);
		n->index = i;
		return 0;
	}
	return -ENODEV;
}

static struct ifreq request(const struct network *n)
{
	struct ifreq r = { 0 };

	copy_name(r.ifr_name, n->name);
	return r;
}

/* An address of IPv6 is used at once: the host has given it to nobody else. */
static void trust_addresses(const struct network *n)
{
	static const char before[] = "/proc/sys/net/ipv6/conf/", after[] = "/accept_dad";
	char path[sizeof(before) + sizeof(after) + IFNAMSIZ];
	size_t len = text_len(n->name);

	__builtin_memcpy(path, before, sizeof(before) - 1);
	__builtin_memcpy(path + sizeof(before) - 1, n->name, len);
	__builtin_memcpy(path + sizeof(before) - 1 + len, after, sizeof(after));
	(void) os_write_file(path, "0", 1); /* a kernel without IPv6, or it is used a second later */
}

static long set_link(struct network *n, const struct guest_field *f)
{
	const char *name;
	struct ifreq r;
	long e;

	if (f->len < LINK_NAME || guest_texts(f, LINK_NAME, &name, 1) < 0 || text_len(name) >= IFNAMSIZ ||
	    guest_get64(f->p) > MTU_MAX)
		return -EPROTO;
	e = find(n, f->p + 8);
	r = request(n);
	copy_name(r.ifr_newname, name);
	if (e == 0 && !is_same(n->name, name, text_len(name) + 1))
		e = sys_ioctl(n->sock, SIOCSIFNAME, &r);
	if (e < 0)
		return e;
	copy_name(n->name, name);
	n->nr_addresses = 0;
	trust_addresses(n);
	r = request(n);
	r.ifr_mtu = (int) guest_get64(f->p);
	if (r.ifr_mtu != 0)
		e = sys_ioctl(n->sock, SIOCSIFMTU, &r);
	if (e == 0) {
		r = request(n);
		r.ifr_flags = IFF_UP;
		e = sys_ioctl(n->sock, SIOCSIFFLAGS, &r);
	}
	return e;
}

static struct sockaddr to_sockaddr(uint32_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = address };
	struct sockaddr out;

	__builtin_memcpy(&out, &in, sizeof(out));
	return out;
}

static uint32_t get_be32(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t mask_of(uint64_t length)
{
	return length == 0 ? 0 : __builtin_bswap32(~0u << (32 - length));
}

static long set_address4(struct network *n, const uint8_t *address, uint64_t length)
{
	struct ifreq r = request(n);
	size_t len = text_len(r.ifr_name);
	long e;

	if (n->nr_addresses > 0) { /* the interface knows one of a name: the others have "eth0:1" */
		if (len + 4 > IFNAMSIZ || n->nr_addresses > ALIASES_MAX)
			return -E2BIG;
		r.ifr_name[len] = ':';
		*text_number(r.ifr_name + len + 1, n->nr_addresses, 1) = '\0';
	}
	n->nr_addresses++;
	r.ifr_addr = to_sockaddr(get_be32(address));
	e = sys_ioctl(n->sock, SIOCSIFADDR, &r);
	r.ifr_netmask = to_sockaddr(mask_of(length));
	return e == 0 ? sys_ioctl(n->sock, SIOCSIFNETMASK, &r) : e;
}

static long set_address6(const struct network *n, const uint8_t *address, uint64_t length)
{
	struct in6_ifreq r = { .ifr6_prefixlen = (uint32_t) length, .ifr6_ifindex = n->index };

	__builtin_memcpy(&r.ifr6_addr, address, sizeof(r.ifr6_addr));
	return sys_ioctl(n->sock6, SIOCSIFADDR, &r);
}

static long set_address(struct network *n, const struct guest_field *f)
{
	uint32_t size = f->len > ADDRESS_BYTES ? f->len - ADDRESS_BYTES : 0;
	uint64_t length = size != 0 ? guest_get64(f->p) : 0;

	if (n->index == 0 || (size != 4 && size != 16) || length > size * 8)
		return -EPROTO;
	return size == 4 ? set_address4(n, f->p + ADDRESS_BYTES, length) : set_address6(n, f->p + ADDRESS_BYTES, length);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

static long set_route4(struct network *n, const uint8_t *to, const uint8_t *gateway, uint64_t length)
{
	struct rtentry r = { .rt_dst = to_sockaddr(get_be32(to)), .rt_genmask = to_sockaddr(mask_of(length)),
			     .rt_gateway = to_sockaddr(get_be32(gateway)), .rt_flags = RTF_UP, .rt_dev = n->name };

	if (!is_zero(gateway, 4))
		r.rt_flags |= RTF_GATEWAY;
	return sys_ioctl(n->sock, SIOCADDRT, &r);
}

static long set_route6(const struct network *n, const uint8_t *to, const uint8_t *gateway, uint64_t length)
{
	struct in6_rtmsg r = { .rtmsg_dst_len = (uint16_t) length, .rtmsg_flags = RTF_UP, .rtmsg_metric = 1,
			       .rtmsg_ifindex = n->index };

	__builtin_memcpy(&r.rtmsg_dst, to, sizeof(r.rtmsg_dst));
	__builtin_memcpy(&r.rtmsg_gateway, gateway, sizeof(r.rtmsg_gateway));
	if (!is_zero(gateway, 16))
		r.rtmsg_flags |= RTF_GATEWAY;
	return sys_ioctl(n->sock6, SIOCADDRT, &r);
}

/* Length of the prefix, destination, gateway. One that is there, as with an address, is as good. */
static long set_route(struct network *n, const struct guest_field *f)
{
	uint32_t size = f->len > ADDRESS_BYTES ? (f->len - ADDRESS_BYTES) / 2 : 0;
	const uint8_t *to = f->p + ADDRESS_BYTES;
	uint64_t length = size != 0 ? guest_get64(f->p) : 0;
	long e;

	if (n->index == 0 || (size != 4 && size != 16) || f->len != ADDRESS_BYTES + 2 * size || length > size * 8)
		return -EPROTO;
	e = size == 4 ? set_route4(n, to, to + size, length) : set_route6(n, to, to + size, length);
	return e == -EEXIST ? 0 : e;
}

static long take_field(struct network *n, const struct guest_field *f)
{
	switch (f->tag) {
	case GUEST_LINK:
		return set_link(n, f);
	case GUEST_ADDRESS:
		return set_address(n, f);
	case GUEST_ROUTE:
		return set_route(n, f);
	default:
		return 0;
	}
}

int network_set_up(const struct guest_in *fields)
{
	struct network n = {
		.sock = (int) OS3(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		.sock6 = (int) OS3(__NR_socket, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	};
	struct guest_in rest = *fields;
	struct guest_field f;
	long e = 0;

	while (e == 0 && guest_next(&rest, &f) == 1)
		e = take_field(&n, &f);
	if (n.sock >= 0)
		(void) sys_close(n.sock); /* a socket */
	if (n.sock6 >= 0)
		(void) sys_close(n.sock6);
	return (int) e;
}
