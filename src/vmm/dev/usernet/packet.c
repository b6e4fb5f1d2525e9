/* SPDX-License-Identifier: MIT */
/**
 * DOC: packets, from Ethernet up to IP
 *
 * Checksums of what the guest sends are not looked at: it came through memory.  Those of what is sent to it
 * are left to it when it can do that.
 * Spec: RFC 791, 826, 894; virtio 1.2, 5.1.6.
 */
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/dev/usernet/usernet_parts.h"
#include "vmm/dev/virtio/queue.h"

#define TYPE_IP 0x0800
#define TYPE_ARP 0x0806
#define ARP 28u /* bytes, for Ethernet and IP */
#define FRAGMENT 0x3FFFu /* more fragments, or not the first */
#define TTL 64

static const uint8_t our_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t) get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

uint32_t usernet_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t wide = sum;

	for (; len > 1; len -= 2, p += 2)
		wide += get16(p);
	if (len > 0)
		wide += (uint32_t) *p << 8;
	while (wide >> 32 != 0)
		wide = (wide & UINT32_MAX) + (wide >> 32);
	return (uint32_t) wide;
}

uint16_t usernet_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t) ~sum;
}

static void put_ethernet(const struct usernet *u, uint8_t *p, uint16_t type)
{
	memcpy(p, u->mac, 6);
	memcpy(p + 6, our_mac, 6);
	put16(p + 12, type);
}

static void put_ip(struct usernet *u, uint8_t *p, uint8_t protocol, uint32_t from, unsigned len)
{
	memset(p, 0, IP);
	p[0] = 0x45;
	put16(p + 2, IP + len);
	put16(p + 4, u->ip_id++);
	p[6] = 0x40; /* not to be fragmented */
	p[8] = TTL;
	p[9] = protocol;
	put32(p + 12, from);
	put32(p + 16, USERNET_GUEST);
	put16(p + 10, usernet_fold(usernet_sum(p, IP, 0)));
}

/* The sum over all data, which may be cut at an odd byte. */
static uint32_t sum_data(const struct iovec *data, unsigned nr, uint32_t sum)
{
	bool odd = false;

	for (unsigned i = 0; i < nr; i++) {
		uint32_t part = usernet_sum(data[i].iov_base, data[i].iov_len, 0);

		part = (uint16_t) ~usernet_fold(part);
		sum += odd ? (part & 0xFF) << 8 | part >> 8 : part;
		odd ^= data[i].iov_len & 1;
	}
	return sum;
}

int usernet_ip(struct usernet *u, uint8_t protocol, uint32_t from, uint8_t *packet, unsigned head, unsigned csum_at,
	       unsigned gso, const struct iovec *data, unsigned nr)
{
	struct virtio_net_hdr_v1 h = { 0 };
	struct iovec iov[3] = { { packet, FRONT + head } };
	uint8_t *ip = packet + HEADER + ETHERNET, *body = packet + FRONT;
	unsigned len = head;
	uint32_t sum;

	for (unsigned i = 0; i < nr; i++) {
		iov[i + 1] = data[i];
		len += (unsigned) data[i].iov_len;
	}
	put_ip(u, ip, protocol, from, len);
	put_ethernet(u, packet + HEADER, TYPE_IP);
	sum = protocol == IPPROTO_ICMP ? 0 : usernet_sum(ip + 12, 8, protocol + len);
	if (u->csum && protocol != IPPROTO_ICMP) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = ETHERNET + IP;
		h.csum_offset = (uint16_t) csum_at;
		put16(body + csum_at, (uint16_t) ~usernet_fold(sum));
	} else {
		put16(body + csum_at, usernet_fold(sum_data(data, nr, usernet_sum(body, head, sum))));
	}
	if (gso != 0 && len - head > gso) {
		h.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = (uint16_t) gso;
		h.hdr_len = (uint16_t) (ETHERNET + IP + head);
	}
	memcpy(packet, &h, HEADER);
	return u->deliver(u->arg, iov, nr + 1);
}

/* Every address of the network but the guest's own is here. */
void usernet_arp(struct usernet *u, struct vq_chain *chain, unsigned len)
{
	static const uint8_t ethernet_ip[6] = { 0, 1, 8, 0, 6, 4 };
	uint8_t p[HEADER + ETHERNET + ARP] = { 0 }, *a = p + HEADER + ETHERNET, target[4];
	struct iovec iov = { p, sizeof(p) };
	uint32_t who;

	if (len < ARP || vq_chain_read(chain, a, ARP) != ARP || memcmp(a, ethernet_ip, 6) != 0 || get16(a + 6) != 1)
		return;
	who = get32(a + 24);
	if ((who & 0xFFFFFF00u) != USERNET_NET || who == USERNET_GUEST || get32(a + 14) == who)
		return;
	memcpy(target, a + 24, 4);
	a[7] = 2;
	memcpy(a + 18, a + 8, 10); /* who asked */
	memcpy(a + 8, our_mac, 6);
	memcpy(a + 14, target, 4);
	put_ethernet(u, p + HEADER, TYPE_ARP);
	(void) u->deliver(u->arg, &iov, 1); /* it asks again */
}

static void take_ip(struct usernet *u, struct vq_chain *chain, unsigned len)
{
	uint8_t h[IP], options[40];
	struct usernet_packet p = { .chain = chain };
	unsigned head, total;

	if (len < IP || vq_chain_read(chain, h, IP) != IP)
		return;
	head = (h[0] & 15) * 4u;
	total = get16(h + 2);
	if (h[0] >> 4 != 4 || head < IP || total < head || total > len || (get16(h + 6) & FRAGMENT) != 0 ||
	    vq_chain_read(chain, options, head - IP) != head - IP)
		return; /* fragments too: they are lost */
	p.from = get32(h + 12);
	p.to = get32(h + 16);
	p.len = total - head;
	if (h[9] == IPPROTO_UDP)
		usernet_udp(u, &p);
	else if (p.from == USERNET_GUEST && h[9] == IPPROTO_TCP)
		usernet_tcp(u, &p);
	else if (p.from == USERNET_GUEST && h[9] == IPPROTO_ICMP)
		usernet_icmp(u, &p);
}

void usernet_send(struct usernet *u, struct vq_chain *chain)
{
	uint8_t front[HEADER + ETHERNET];
	unsigned type;

	if (chain->out_len < sizeof(front) || chain->out_len > UINT16_MAX + sizeof(front))
		return;
	(void) vq_chain_read(chain, front, sizeof(front)); /* they are there */
	memcpy(u->mac, front + HEADER + 6, 6);
	type = get16(front + HEADER + 12);
	if (type == TYPE_ARP)
		usernet_arp(u, chain, (unsigned) chain->out_len);
	else if (type == TYPE_IP)
		take_ip(u, chain, (unsigned) chain->out_len);
}
