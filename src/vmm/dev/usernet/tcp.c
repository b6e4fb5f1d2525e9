/* SPDX-License-Identifier: MIT */
/**
 * DOC: TCP between the guest and sockets of the host
 *
 * The host's kernel does TCP with the rest of the world; here is only what the guest needs to believe that it
 * speaks with it: numbers, windows, acknowledgements.  Nothing is lost on the way but when the guest has no
 * memory, so there is no congestion control, and what was not acknowledged is sent again after a while.
 * Out of order segments are dropped, the guest sends them again.
 * Spec: RFC 9293, 7323 (window scale).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/dev/usernet/tcp_parts.h"
#include "vmm/dev/virtio/queue.h"

#define MSS_DEFAULT 536
#define MSS_MIN 64
#define RETRY_MS 400
#define RETRY_MAX 12
#define REPEATS 3 /* acknowledgements of the same byte that mean that something was lost */
#define SHIFT_MAX 14

static struct usernet_conn **bucket(struct usernet *u, uint32_t peer, uint16_t peer_port, uint16_t guest_port)
{
	uint32_t h = (peer ^ (uint32_t) peer_port << 16 ^ guest_port) * 0x9E3779B1u;

	return &u->tcp[h >> 24 & (BUCKETS - 1)];
}

static struct usernet_conn *find(struct usernet *u, uint32_t peer, uint16_t peer_port, uint16_t guest_port)
{
	struct usernet_conn *c = *bucket(u, peer, peer_port, guest_port);

	while (c != NULL && (c->peer != peer || c->peer_port != peer_port || c->guest_port != guest_port))
		c = c->next;
	return c;
}

void tcp_end(struct usernet *u, struct usernet_conn *c)
{
	struct usernet_conn **at = bucket(u, c->peer, c->peer_port, c->guest_port);

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	usernet_close(u, &c->source);
	free(c->to_guest.p);
	free(c->to_host.p);
	free(c);
	u->nr_tcp--;
}

/* The host's side sees a reset too. */
static void abort_host(struct usernet *u, struct usernet_conn *c)
{
	struct linger now = { .l_onoff = 1 };

	(void) setsockopt(c->source.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* else it is closed properly */
	tcp_end(u, c);
}

void tcp_reset(struct usernet *u, struct usernet_conn *c)
{
	if (tcp_emit(u, c, TCP_RST | TCP_ACK, c->snd_next, NULL, 0, 0) > 0) {
		abort_host(u, c);
		return;
	}
	/* a guest that only waits would never ask */
	c->state = TCP_RESET;
	c->deadline = 0;
	usernet_watch(u, &c->source, 0);
	tcp_wait_for_room(u, c);
}

static bool is_over(const struct usernet_conn *c)
{
	return c->end_known && c->host_told;
}

static void watch(struct usernet *u, struct usernet_conn *c)
{
	uint32_t events = 0;

	if (c->state == TCP_CONNECTING || c->to_host.len > 0)
		events |= EPOLLOUT;
	if (c->state == TCP_OPEN && !c->host_end && c->to_guest.len < RING)
		events |= EPOLLIN;
	usernet_watch(u, &c->source, events);
}

/* What the guest sent goes on; its end after it.  Return: 0; -errno of the host's side. */
static int flush(struct usernet_conn *c)
{
	struct iovec iov[2];

	while (c->to_host.len > 0) {
		unsigned nr = tcp_ring_data(&c->to_host, 0, c->to_host.len, iov);
		struct msghdr m = { .msg_iov = iov, .msg_iovlen = nr };
		ssize_t n = sendmsg(c->source.fd, &m, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		tcp_ring_drop(&c->to_host, (uint32_t) n);
	}
	if (c->guest_end && !c->host_told) {
		(void) shutdown(c->source.fd, SHUT_WR); /* fails only when it is over anyway */
		c->host_told = true;
	}
	return 0;
}

/* Return: 0; -errno of the host's side. */
static int fill(struct usernet_conn *c)
{
	struct iovec iov[2];
	int nr = tcp_ring_room(&c->to_guest, iov);
	ssize_t n = nr > 0 ? readv(c->source.fd, iov, nr) : -1;

	if (nr == 0)
		return 0;
	if (n < 0) {
		int r = errno == EAGAIN || errno == EINTR ? 0 : -errno;

		tcp_ring_drop(&c->to_guest, 0);
		return r;
	}
	c->to_guest.len += (uint32_t) n;
	c->host_end = n == 0;
	tcp_ring_drop(&c->to_guest, 0);
	return 0;
}

static void answer_syn(struct usernet *u, struct usernet_conn *c)
{
	uint8_t flags = c->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;

	(void) tcp_emit(u, c, flags, c->snd_una, NULL, 0, 0); /* else it is sent again */
	c->snd_next = c->snd_max = c->snd_una + 1;
	c->deadline = usernet_now() + RETRY_MS;
	usernet_start_ticks(u);
}

static void connected(struct usernet *u, struct usernet_conn *c)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(c->source.fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code != 0) {
		tcp_reset(u, c);
		return;
	}
	c->state = TCP_SYN_ANSWERED;
	answer_syn(u, c);
	watch(u, c);
}

static void conn_ready(struct usernet *u, struct usernet_source *s, uint32_t events)
{
	struct usernet_conn *c = (struct usernet_conn *) s;
	bool was_full = c->told < RING / 4;
	int r = 0;

	if (c->state == TCP_CONNECTING) {
		connected(u, c);
		return;
	}
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		r = flush(c);
	if (r == 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) && c->state == TCP_OPEN && !c->host_end)
		r = fill(c);
	if (r < 0) {
		tcp_reset(u, c);
		return;
	}
	tcp_output(u, c, was_full && RING - c->to_host.len >= RING / 2); /* tell of the window that opened */
	if (is_over(c))
		tcp_end(u, c);
	else
		watch(u, c);
}

static struct usernet_conn *add(struct usernet *u, int fd, uint32_t peer, uint16_t peer_port, uint16_t guest_port)
{
	struct usernet_conn **at = bucket(u, peer, peer_port, guest_port), *c;

	c = u->nr_tcp < USERNET_CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL)
		return NULL;
	*c = (struct usernet_conn) { .source = { .fd = fd, .ready = conn_ready }, .next = *at, .peer = peer,
				     .peer_port = peer_port, .guest_port = guest_port, .mss = MSS_DEFAULT };
	if (getrandom(&c->snd_una, sizeof(c->snd_una), GRND_NONBLOCK) < 0)
		c->snd_una = (uint32_t) usernet_now() << 8;
	c->snd_next = c->snd_max = c->snd_una;
	*at = c;
	u->nr_tcp++;
	return c;
}

static void take_options(struct usernet_conn *c, const struct tcp_segment *s)
{
	c->mss = s->mss < MSS_MIN ? MSS_DEFAULT : s->mss;
	c->shift = s->shift <= SHIFT_MAX ? s->shift : SHIFT_MAX;
	c->snd_wnd = s->wnd;
	c->rcv_next = s->seq + 1;
}

/* A segment that belongs to nothing is answered by a reset. */
static void refuse(struct usernet *u, const struct usernet_packet *p, const struct tcp_segment *s)
{
	struct usernet_conn c = { .source.fd = -1, .peer = p->to, .peer_port = s->to, .guest_port = s->from,
				  .mss = MSS_DEFAULT,
				  .rcv_next = s->seq + s->len + (s->flags & (TCP_SYN | TCP_FIN) ? 1 : 0) };

	if (s->flags & TCP_RST)
		return;
	(void) tcp_emit(u, &c, TCP_RST | TCP_ACK, s->flags & TCP_ACK ? s->ack : 0, NULL, 0, 0); /* it asks again */
}

static void begin(struct usernet *u, const struct usernet_packet *p, const struct tcp_segment *s)
{
	struct sockaddr_in to;
	struct usernet_conn *c;
	int fd;

	if (!usernet_to_host(u, p->to, s->to, &to)) {
		refuse(u, p, s);
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c = fd >= 0 ? add(u, fd, p->to, s->to, s->from) : NULL;
	if (c == NULL) {
		if (fd >= 0)
			(void) close(fd); /* nothing was sent */
		refuse(u, p, s);
		return;
	}
	take_options(c, s);
	if (connect(fd, (struct sockaddr *) &to, sizeof(to)) == 0)
		connected(u, c);
	else if (errno == EINPROGRESS)
		watch(u, c);
	else
		tcp_reset(u, c);
}

void usernet_tcp_accept(struct usernet *u, int fd, const struct sockaddr_in *from, uint16_t port)
{
	uint32_t peer = usernet_to_guest(u, from);
	uint16_t peer_port = ntohs(from->sin_port);
	struct usernet_conn *c = find(u, peer, peer_port, port) == NULL ? add(u, fd, peer, peer_port, port) : NULL;

	if (c == NULL) {
		(void) close(fd); /* nothing was sent */
		return;
	}
	c->state = TCP_SYN_SENT;
	answer_syn(u, c);
}

/* Return: false: the segment is dealt with. */
static bool open_up(struct usernet *u, struct usernet_conn *c, const struct tcp_segment *s)
{
	if (c->state == TCP_OPEN)
		return true;
	if (c->state == TCP_CONNECTING)
		return false; /* its SYN again */
	if (c->state == TCP_SYN_SENT && (s->flags & TCP_SYN))
		take_options(c, s);
	else if (c->state == TCP_SYN_SENT)
		return false;
	else if (s->flags & TCP_SYN) {
		answer_syn(u, c);
		return false;
	}
	if (!(s->flags & TCP_ACK) || s->ack != c->snd_next) {
		tcp_reset(u, c);
		return false;
	}
	c->snd_una = s->ack;
	c->deadline = 0;
	c->tries = 0;
	c->told = RING;
	if (!(s->flags & TCP_SYN))
		c->snd_wnd = s->wnd << c->shift;
	c->state = TCP_OPEN;
	return true;
}

static void take_ack(struct usernet_conn *c, const struct tcp_segment *s)
{
	uint32_t acked = s->ack - c->snd_una, sent = c->snd_max - c->snd_una, window = s->wnd << c->shift;

	if (!(s->flags & TCP_ACK) || acked > sent)
		return;
	if (acked == 0 && sent > 0 && s->len == 0 && window == c->snd_wnd && ++c->repeats == REPEATS) {
		c->snd_next = c->snd_una; /* something was lost: send it again */
		c->end_sent = false;
	}
	c->snd_wnd = window;
	if (acked == 0)
		return;
	c->repeats = c->tries = 0;
	c->end_known = c->end_known || acked > c->to_guest.len;
	tcp_ring_drop(&c->to_guest, acked < c->to_guest.len ? acked : c->to_guest.len);
	c->snd_una = s->ack;
	if ((int32_t) (c->snd_next - c->snd_una) < 0)
		c->snd_next = c->snd_una;
	if (c->end_known)
		c->end_sent = true;
	c->deadline = c->snd_una == c->snd_max ? 0 : usernet_now() + RETRY_MS;
}

/* Keep what comes next and has room.  Return: the guest must be told what we have. */
static bool take_data(struct usernet_conn *c, struct usernet_packet *p, const struct tcp_segment *s)
{
	uint32_t old = c->rcv_next - s->seq, len = s->len, room = RING - c->to_host.len;
	bool end = s->flags & TCP_FIN;
	struct iovec iov[2];

	if (len == 0 && !end)
		return s->seq != c->rcv_next; /* a question whether we are still there */
	if (old > len || c->guest_end)
		return true; /* something before it is missing, or it is all known */
	(void) vq_chain_read(p->chain, NULL, old); /* it is there */
	len -= old;
	if (len > room) {
		len = room;
		end = false;
	}
	if (len > 0) {
		uint32_t left = len;
		int nr = tcp_ring_room(&c->to_host, iov);

		for (int i = 0; i < nr && left > 0; i++) {
			uint32_t k = left < iov[i].iov_len ? left : (uint32_t) iov[i].iov_len;

			k = (uint32_t) vq_chain_read(p->chain, iov[i].iov_base, k);
			c->to_host.len += k;
			c->rcv_next += k;
			left -= k;
		}
		if (left > 0)
			return true;
	}
	if (end) {
		c->guest_end = true;
		c->rcv_next++;
	}
	return true;
}

/* Numbers and options of a segment; 0 or -EINVAL. */
static int parse(struct usernet_packet *p, struct tcp_segment *ret)
{
	uint8_t h[TCP], options[40];
	uint16_t ports[2], wnd;
	uint32_t numbers[2];
	unsigned head, n;

	if (p->len < TCP || vq_chain_read(p->chain, h, TCP) != TCP)
		return -EINVAL;
	head = (h[12] >> 4) * 4u;
	n = head - TCP;
	if (head < TCP || head > p->len || vq_chain_read(p->chain, options, n) != n)
		return -EINVAL;
	memcpy(ports, h, 4);
	memcpy(numbers, h + 4, 8);
	memcpy(&wnd, h + 14, 2);
	*ret = (struct tcp_segment) { .from = ntohs(ports[0]), .to = ntohs(ports[1]), .seq = ntohl(numbers[0]),
				      .ack = ntohl(numbers[1]), .wnd = ntohs(wnd), .flags = h[13],
				      .len = p->len - head };
	for (unsigned i = 0; i + 1 < n && options[i] != 0; i += options[i] == 1 ? 1 : options[i + 1]) {
		if (options[i] == 1)
			continue;
		if (options[i + 1] < 2 || i + options[i + 1] > n)
			break;
		if (options[i] == 2 && options[i + 1] == 4)
			ret->mss = (uint16_t) (options[i + 2] << 8 | options[i + 3]);
		if (options[i] == 3 && options[i + 1] == 3)
			ret->shift = options[i + 2];
	}
	return 0;
}

void usernet_tcp(struct usernet *u, struct usernet_packet *p)
{
	struct tcp_segment s;
	struct usernet_conn *c;
	bool ack;

	if (parse(p, &s) < 0)
		return;
	c = find(u, p->to, s.to, s.from);
	if (c == NULL && (s.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		begin(u, p, &s);
		return;
	}
	if (c == NULL) {
		refuse(u, p, &s);
		return;
	}
	if (s.flags & TCP_RST) {
		abort_host(u, c);
		return;
	}
	if (c->state == TCP_RESET) {
		tcp_reset(u, c);
		return;
	}
	if (!open_up(u, c, &s))
		return;
	take_ack(c, &s);
	ack = s.flags & TCP_SYN || take_data(c, p, &s);
	if (flush(c) < 0) {
		tcp_reset(u, c);
		return;
	}
	tcp_output(u, c, ack);
	if (is_over(c))
		tcp_end(u, c);
	else
		watch(u, c);
}

void usernet_tcp_room(struct usernet *u)
{
	u->blocked = false;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct usernet_conn *c = u->tcp[i], *next; c != NULL && !u->blocked; c = next) {
			next = c->next;
			if (!c->blocked)
				continue;
			c->blocked = false;
			if (c->state == TCP_RESET)
				tcp_reset(u, c);
			else
				tcp_output(u, c, true);
		}
}

/* Send again what was not acknowledged; a byte to a guest whose window is closed. */
static void again(struct usernet *u, struct usernet_conn *c, int64_t now)
{
	struct iovec iov[2];

	if (++c->tries > RETRY_MAX) {
		tcp_reset(u, c);
		return;
	}
	c->deadline = now + ((int64_t) RETRY_MS << (c->tries < 6 ? c->tries : 6));
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_ANSWERED) {
		answer_syn(u, c);
		return;
	}
	c->snd_next = c->snd_una;
	c->end_sent = false;
	if (c->snd_wnd == 0 && c->to_guest.len > 0) {
		(void) tcp_emit(u, c, TCP_ACK, c->snd_una, iov, tcp_ring_data(&c->to_guest, 0, 1, iov), 1);
		if (c->snd_max == c->snd_una)
			c->snd_max++; /* it may take the byte; if not, the byte comes again with what follows */
		c->tries--; /* it may stay closed for as long as it likes */
		return;
	}
	tcp_output(u, c, false);
}

void usernet_tcp_tick(struct usernet *u)
{
	int64_t now = usernet_now();

	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct usernet_conn *c = u->tcp[i], *next; c != NULL; c = next) {
			next = c->next;
			if (c->deadline == 0 && c->state == TCP_OPEN && c->to_guest.len > 0)
				c->deadline = now + RETRY_MS; /* a window that is closed */
			else if (c->deadline != 0 && now >= c->deadline)
				again(u, c, now);
		}
}

void usernet_tcp_free(struct usernet *u)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		while (u->tcp[i] != NULL)
			tcp_end(u, u->tcp[i]);
}
