/* SPDX-License-Identifier: MIT */
/*
 * TCP to the guest: segments, and what is kept until it has them.
 * Spec: RFC 9293.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/dev/usernet/tcp_parts.h"

#define WINDOW_SHIFT 3 /* of our window: RING fits 16 bits then */
#define OPTIONS 8u /* bytes of a SYN's: segment size, window scale, padding */
#define OUR_MSS 1460
#define RETRY_MS 400

int tcp_ring_room(struct tcp_ring *r, struct iovec iov[2])
{
	uint32_t end = (r->at + r->len) & (RING - 1), room = RING - r->len;

	if (r->p == NULL)
		r->p = malloc(RING);
	if (r->p == NULL || room == 0)
		return 0;
	if (room <= RING - end) {
		iov[0] = (struct iovec) { r->p + end, room };
		return 1;
	}
	iov[0] = (struct iovec) { r->p + end, RING - end };
	iov[1] = (struct iovec) { r->p, room - (RING - end) };
	return 2;
}

unsigned tcp_ring_data(const struct tcp_ring *r, uint32_t skip, uint32_t len, struct iovec iov[2])
{
	uint32_t at = (r->at + skip) & (RING - 1), first = len <= RING - at ? len : RING - at;

	if (len == 0)
		return 0;
	iov[0] = (struct iovec) { r->p + at, first };
	iov[1] = (struct iovec) { r->p, len - first };
	return len > first ? 2 : 1;
}

void tcp_ring_drop(struct tcp_ring *r, uint32_t n)
{
	r->at = (r->at + n) & (RING - 1);
	r->len -= n;
	if (r->len > 0)
		return;
	free(r->p);
	*r = (struct tcp_ring) { 0 };
}

static void put_syn_options(uint8_t *p)
{
	static const uint8_t o[OPTIONS] = { 2, 4, OUR_MSS >> 8, OUR_MSS & 0xFF, 1, 3, 3, WINDOW_SHIFT };

	memcpy(p, o, sizeof(o));
}

int tcp_emit(struct usernet *u, struct usernet_conn *c, uint8_t flags, uint32_t seq, const struct iovec *data,
	     unsigned nr, uint32_t len)
{
	uint8_t packet[FRONT + TCP + OPTIONS] = { 0 }, *h = packet + FRONT;
	uint32_t window = RING - c->to_host.len, told = window >> (flags & TCP_SYN ? 0 : WINDOW_SHIFT);
	unsigned head = TCP + (flags & TCP_SYN ? OPTIONS : 0);
	uint16_t ports[2] = { htons(c->peer_port), htons(c->guest_port) };
	uint32_t numbers[2] = { htonl(seq), flags & TCP_ACK ? htonl(c->rcv_next) : 0 };
	uint16_t wnd = htons((uint16_t) (told < UINT16_MAX ? told : UINT16_MAX));
	int r;

	memcpy(h, ports, 4);
	memcpy(h + 4, numbers, 8);
	h[12] = (uint8_t) (head << 2);
	h[13] = flags;
	memcpy(h + 14, &wnd, 2);
	if (flags & TCP_SYN)
		put_syn_options(h + TCP);
	r = usernet_ip(u, IPPROTO_TCP, c->peer, packet, head, 16, len > c->mss ? c->mss : 0, data, nr);
	if (r > 0)
		c->told = window;
	return r;
}

void tcp_wait_for_room(struct usernet *u, struct usernet_conn *c)
{
	c->blocked = true;
	u->blocked = true;
}

static void note_sent(struct usernet *u, struct usernet_conn *c)
{
	if ((int32_t) (c->snd_next - c->snd_max) > 0)
		c->snd_max = c->snd_next;
	if (c->deadline == 0)
		c->deadline = usernet_now() + RETRY_MS;
	usernet_start_ticks(u);
}

/* One segment of data.  Return: 1 sent; 0 nothing to send; -1 no room. */
static int send_data(struct usernet *u, struct usernet_conn *c)
{
	uint32_t flight = c->snd_next - c->snd_una, left = c->to_guest.len > flight ? c->to_guest.len - flight : 0;
	uint32_t window = c->snd_wnd > flight ? c->snd_wnd - flight : 0, max = u->tso ? PAYLOAD_MAX : c->mss;
	uint32_t len = left < window ? left : window;
	struct iovec iov[2];

	len = len < max ? len : max;
	if (len == 0 || c->end_sent)
		return 0;
	if (len < left && len >= c->mss)
		len -= len % c->mss; /* whole segments; the rest follows */
	else if (len < left && flight > 0)
		return 0; /* its window opens further (RFC 9293, 3.8.6.2.1) */
	if (tcp_emit(u, c, TCP_ACK | (len == left ? TCP_PSH : 0), c->snd_next, iov,
		     tcp_ring_data(&c->to_guest, flight, len, iov), len) == 0)
		return -1;
	c->snd_next += len;
	note_sent(u, c);
	return 1;
}

static int send_end(struct usernet *u, struct usernet_conn *c)
{
	if (!c->host_end || c->end_sent || c->snd_next - c->snd_una != c->to_guest.len)
		return 0;
	if (tcp_emit(u, c, TCP_ACK | TCP_FIN, c->snd_next, NULL, 0, 0) == 0)
		return -1;
	c->snd_next++;
	c->end_sent = true;
	note_sent(u, c);
	return 1;
}

void tcp_output(struct usernet *u, struct usernet_conn *c, bool ack)
{
	bool sent = false;
	int r = 0;

	if (c->state != TCP_OPEN)
		return;
	while ((r = send_data(u, c)) > 0)
		sent = true;
	if (r == 0) {
		r = send_end(u, c);
		sent = sent || r > 0;
	}
	if (r == 0 && ack && !sent && tcp_emit(u, c, TCP_ACK, c->snd_next, NULL, 0, 0) == 0)
		r = -1; /* it will ask again */
	if (r < 0)
		tcp_wait_for_room(u, c);
}
