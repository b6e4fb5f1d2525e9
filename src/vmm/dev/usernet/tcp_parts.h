/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/dev/usernet/usernet_parts.h"

#define RING (256u << 10) /* bytes that are kept of each direction; a power of two */

/** struct tcp_ring - bytes on their way; @p: NULL while there are none; @at: the first of @len */
struct tcp_ring {
	uint8_t *p;
	uint32_t at, len;
};

/** enum tcp_state - of the guest's side */
enum tcp_state {
	TCP_CONNECTING, /* the host's side is being connected; the guest waits for an answer */
	TCP_SYN_SENT, /* somebody on the host connected; the guest was asked */
	TCP_SYN_ANSWERED, /* the guest's SYN was answered */
	TCP_OPEN,
	TCP_RESET, /* the host's side is gone; the guest is told as soon as it has room */
};

/**
 * struct usernet_conn - a connection of the guest with a socket of the host
 * @next: in its bucket
 * @peer: whom the guest speaks with, as it knows them, host byte order
 * @rcv_next: what the guest sends next; @told: the window it was told of last
 * @snd_una, @snd_next: sent to the guest and not acknowledged; @snd_max: behind all that ever was sent
 * @snd_wnd: window of the guest, of which its announcements are shifted by @shift; @mss: its largest segment
 * @to_guest: from @snd_una on, sent and not sent; @to_host: what the host's side did not take yet
 * @guest_end: the guest sends no more; @host_told: the host's side knows; @host_end: it sends no more;
 * @end_sent: the guest was told; @end_known: it knows
 * @blocked: waits for room in the guest
 * @deadline: when to send again, 0 for never; @tries: how often that was done
 */
struct usernet_conn {
	struct usernet_source source;
	struct usernet_conn *next;
	enum tcp_state state;
	uint32_t peer;
	uint16_t peer_port, guest_port, mss;
	uint8_t shift;
	uint32_t rcv_next, told, snd_una, snd_next, snd_max, snd_wnd;
	struct tcp_ring to_guest, to_host;
	bool guest_end, host_told, host_end, end_sent, end_known, blocked;
	unsigned repeats, tries;
	int64_t deadline;
};

/** struct tcp_segment - a segment from the guest; its data is in the packet's chain */
struct tcp_segment {
	uint16_t from, to;
	uint32_t seq, ack, wnd, len;
	uint8_t flags, shift;
	uint16_t mss;
};

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_PSH 8u
#define TCP_ACK 16u

/** tcp_ring_room() - the free part, in at most two pieces; returns how many; allocates.  0: full or no memory */
int tcp_ring_room(struct tcp_ring *r, struct iovec iov[2]);

/** tcp_ring_data() - @len bytes from @skip on, in at most two pieces; returns how many */
unsigned tcp_ring_data(const struct tcp_ring *r, uint32_t skip, uint32_t len, struct iovec iov[2]);

/** tcp_ring_drop() - forget the first @n bytes; memory is released with the last */
void tcp_ring_drop(struct tcp_ring *r, uint32_t n);

/** tcp_emit() - send a segment to the guest: 1 sent, 0 no room now; @data may be empty */
int tcp_emit(struct usernet *u, struct usernet_conn *c, uint8_t flags, uint32_t seq, const struct iovec *data,
	     unsigned nr, uint32_t len);

/** tcp_output() - send what can be sent to the guest; with @ack at least an acknowledgement */
void tcp_output(struct usernet *u, struct usernet_conn *c, bool ack);

/** tcp_wait_for_room() - usernet_tcp_room() looks after the connection when the guest has room again */
void tcp_wait_for_room(struct usernet *u, struct usernet_conn *c);

/** tcp_end() - the connection is over: release it */
void tcp_end(struct usernet *u, struct usernet_conn *c);

/** tcp_reset() - end it on both sides */
void tcp_reset(struct usernet *u, struct usernet_conn *c);
