/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio socket device
 *
 * A connection of the guest is a unix socket on the host.  Data for the guest is read from the host's side
 * into the guest's buffer, when there is one and its socket has room; data from the guest that the host's
 * side does not take at once is kept, at most VSOCK_BUFFER bytes, which is what the guest is told of.
 * Messages that cannot be sent yet are bits of a connection, so that no guest makes us keep more.
 * Spec: virtio 1.2, 5.10.
 */
#include "vmm/dev/virtio/vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/vsock_parts.h"

#define ROOM (VSOCK_BUFFER + VSOCK_LINE_MAX) /* bytes: of the guest, and what we say ourselves */
#define Q_RX 0
#define Q_TX 1
#define QUEUES 3 /* the third is for events: there are none */
#define TYPE_STREAM 1
#define SHUTDOWN_RECEIVE 1u
#define SHUTDOWN_SEND 2u
#define SHUTDOWN_BOTH 3u
#define FIRST_PORT 1073741824u /* of the host, for connections that it begins */

static void end(struct vsock_conn *c);

static struct loop *loop_of(const struct vsock_conn *c)
{
	return c->vsock->vio.vm->loop;
}

static uint32_t room_of_guest(const struct vsock_conn *c)
{
	uint32_t under_way = c->sent - c->peer_count;

	return under_way < c->peer_alloc ? c->peer_alloc - under_way : 0;
}

/* Watch the host's side for what can be done with it: data waits there while the guest has no buffers. */
static void watch(struct vsock_conn *c)
{
	bool reads = c->state == VSOCK_NAMING ||
		     (c->state == VSOCK_OPEN && !c->eof && !c->vsock->starved && room_of_guest(c) > 0);
	uint32_t events = (reads ? EPOLLIN : 0u) | (c->len > 0 ? EPOLLOUT : 0u);

	if (c->source.fd < 0 || events == c->events)
		return;
	c->events = events;
	(void) loop_change(loop_of(c), &c->source, events); /* it is watched */
}

static void fill_header(const struct vsock_conn *c, uint8_t h[VSOCK_HEADER], unsigned op, uint32_t len, uint32_t flags)
{
	memset(h, 0, VSOCK_HEADER);
	put_le64(h, VSOCK_HOST_CID);
	put_le64(h + 8, c->vsock->cid);
	put_le32(h + 16, c->host_port);
	put_le32(h + 20, c->guest_port);
	put_le32(h + 24, len);
	put_le16(h + 28, TYPE_STREAM);
	put_le16(h + 30, (uint16_t) op);
	put_le32(h + 32, flags);
	put_le32(h + 36, VSOCK_BUFFER);
	put_le32(h + 40, c->forwarded);
}

/* Send a message without data. */
static void send_message(struct vsock_conn *c, struct vq_chain *chain, unsigned op)
{
	uint8_t h[VSOCK_HEADER];

	fill_header(c, h, op, 0, op != VSOCK_SHUTDOWN ? 0 : c->gone ? SHUTDOWN_BOTH : SHUTDOWN_SEND);
	c->told = c->forwarded;
	vio_push(&c->vsock->vio, Q_RX, chain, (uint32_t) vq_chain_write(chain, h, sizeof(h)));
	if (op == VSOCK_RST)
		end(c);
}

/* What a buffer has behind the header's place, at most @room bytes. Return: how many. */
static size_t add_room(const struct vq_chain *chain, size_t room, struct iovec *iov, unsigned *nr)
{
	size_t skip = VSOCK_HEADER, total = 0;

	for (unsigned i = 0; i < chain->nr_in && total < room; i++) {
		struct iovec v = chain->iov[chain->nr_out + i];
		size_t k = v.iov_len < skip ? v.iov_len : skip;

		skip -= k;
		v.iov_base = (uint8_t *) v.iov_base + k;
		v.iov_len = v.iov_len - k < room - total ? v.iov_len - k : room - total;
		if (v.iov_len > 0)
			iov[(*nr)++] = v;
		total += v.iov_len;
	}
	return total;
}

/* What was read becomes messages; buffers that got nothing are given back. Return: how many got something. */
static unsigned send_filled(struct vsock_conn *c, unsigned taken, size_t n)
{
	struct vsock *s = c->vsock;
	uint8_t h[VSOCK_HEADER];
	unsigned filled = 0;

	for (size_t left = n; left > 0; filled++)
		left -= left < s->batch_room[filled] ? left : s->batch_room[filled];
	while (taken > filled)
		vq_unpop(&s->vio.queue[Q_RX].vq, &s->batch[--taken]);
	for (unsigned i = 0; i < filled; i++) {
		uint32_t k = (uint32_t) (n < s->batch_room[i] ? n : s->batch_room[i]);

		n -= k;
		c->sent += k;
		c->told = c->forwarded;
		fill_header(c, h, VSOCK_RW, k, 0);
		(void) vq_chain_write(&s->batch[i], h, sizeof(h)); /* it has room */
		vio_push(&s->vio, Q_RX, &s->batch[i], VSOCK_HEADER + k);
	}
	return filled;
}

/*
 * Read from the host's side into the guest's buffers, behind the places of headers: one, and as long as there is
 * more, twice as many each time.
 * Return: how many buffers were used.
 */
static unsigned send_data(struct vsock_conn *c)
{
	struct vsock *s = c->vsock;
	struct iovec iov[VQ_CHAIN_MAX + VSOCK_BATCH * 2];
	size_t room = room_of_guest(c), asked = 0;
	unsigned taken = 0, nr = 0, filled;
	ssize_t n;

	while (taken <= c->burst && asked < room && nr <= VSOCK_BATCH * 2) {
		if (vio_pop(&s->vio, Q_RX, &s->batch[taken]) <= 0) {
			s->starved = taken == 0;
			break;
		}
		s->batch_room[taken] = add_room(&s->batch[taken], room - asked, iov, &nr);
		asked += s->batch_room[taken];
		if (s->batch_room[taken++] == 0)
			break; /* a buffer that cannot take more than a header: it is given back */
	}
	n = asked > 0 ? readv(c->fd, iov, (int) nr) : 0;
	if (asked > 0)
		c->readable = n == (ssize_t) asked || (n > 0 && c->gone); /* if there is more, that is reported, but for the end */
	filled = send_filled(c, taken, n > 0 ? (size_t) n : 0);
	c->burst = filled <= c->burst ? filled : filled * 2 < VSOCK_BATCH ? filled * 2 - 1 : VSOCK_BATCH - 1;
	if (asked > 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))) {
		c->eof = true;
		c->want |= 1u << VSOCK_SHUTDOWN;
	}
	return filled;
}

static bool has_input(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->readable && !c->eof && room_of_guest(c) > 0;
}

/* One turn of a connection. Return: how many buffers of the guest it used. */
static unsigned serve(struct vsock_conn *c)
{
	struct vio_dev *d = &c->vsock->vio;
	struct vq_chain *chain = c->vsock->batch;
	unsigned used = 0;

	if (c->state == VSOCK_UNUSED || (c->want == 0 && !has_input(c)))
		return 0;
	if (c->want == 0)
		used = send_data(c);
	if (c->want != 0 && used == 0) { /* also what was found out just now: nobody looks here again without a reason */
		unsigned op = (unsigned) __builtin_ctz(c->want);

		if (vio_pop(d, Q_RX, chain) <= 0) {
			c->vsock->starved = true;
			return 0;
		}
		c->want &= c->want - 1;
		send_message(c, chain, op);
		used = 1;
	}
	watch(c);
	return used;
}

/*
 * All connections in turns, as long as the guest has buffers and anybody uses them.  Buffers that it adds
 * after the last one was taken and before it is asked to tell of them are found by vq_rearm().
 */
static void pump(struct vsock *s)
{
	unsigned idle = 0, left = VIO_BUDGET;
	bool was_starved = s->starved;

	if (!s->vio.started)
		return;
	s->starved = false;
	while (idle < s->nr && left > 0 && !s->starved) {
		struct vsock_conn *c = &s->conn[s->next < s->nr ? s->next : 0];
		unsigned used = serve(c);

		s->next = (unsigned) (c - s->conn) + 1;
		idle = used > 0 ? 0 : idle + 1;
		left -= used < left ? used : left;
		if (used > 1)
			vio_signal(&s->vio, Q_RX); /* the guest works while we read on */
	}
	if (vq_rearm(&s->vio.queue[Q_RX].vq) && (left == 0 || s->starved))
		vio_again(&s->vio, Q_RX);
	vio_signal(&s->vio, Q_RX);
	for (unsigned i = 0; s->starved != was_starved && i < s->nr; i++)
		watch(&s->conn[i]);
}

static void end(struct vsock_conn *c)
{
	struct vsock *s = c->vsock;

	if (c->state == VSOCK_UNUSED)
		return;
	loop_remove(loop_of(c), &c->source);
	if (c->fd >= 0)
		(void) close(c->fd); /* what was not written is lost */
	free(c->buf);
	*c = (struct vsock_conn) { .vsock = s, .fd = -1, .source.fd = -1 };
	while (s->nr > 0 && s->conn[s->nr - 1].state == VSOCK_UNUSED)
		s->nr--;
}

static void reset_peer(struct vsock_conn *c)
{
	c->want = 1u << VSOCK_RST;
}

/* The host's side has all that the guest sent: only now may it see that this is the end. */
static void finish(struct vsock_conn *c)
{
	if (c->state == VSOCK_ENDING)
		reset_peer(c);
	else if (c->over & SHUTDOWN_SEND)
		(void) shutdown(c->fd, SHUT_WR); /* it may be gone */
}

/* Give the host's side what the guest sent. */
static void flush(struct vsock_conn *c)
{
	while (c->len > 0) {
		ssize_t n = send(c->fd, c->buf + c->at, c->len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			reset_peer(c);
			c->at = c->len = 0;
			return;
		}
		c->at += (size_t) n;
		c->len -= (size_t) n;
		c->forwarded += (uint32_t) n;
	}
	if (c->forwarded - c->told >= VSOCK_BUFFER / 4)
		c->want |= 1u << VSOCK_CREDIT_UPDATE;
	if (c->len == 0) {
		c->at = 0;
		finish(c);
	}
}

/* "CONNECT PORT\n" */
static void read_line(struct vsock_conn *c)
{
	while (c->state == VSOCK_NAMING) {
		char *b = &c->line[c->line_len];
		ssize_t n = recv(c->fd, b, 1, MSG_DONTWAIT);
		uint64_t port;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0 && *b != '\n' && ++c->line_len < sizeof(c->line))
			continue;
		*b = '\0';
		if (n <= 0 || c->line_len == sizeof(c->line) || !str_starts(c->line, "CONNECT ") ||
		    str_to_u64(c->line + 8, &port) < 0 || port > UINT32_MAX || !c->vsock->vio.started) {
			end(c);
			return;
		}
		c->guest_port = (uint32_t) port;
		c->state = VSOCK_ASKING;
		c->want = 1u << VSOCK_REQUEST;
	}
}

static void host_ready(void *arg, uint32_t events)
{
	struct vsock_conn *c = arg;
	struct vsock *s = c->vsock;

	if (c->state == VSOCK_NAMING)
		read_line(c);
	c->readable = c->readable || (events & EPOLLIN);
	if ((events & EPOLLOUT) && c->len > 0)
		flush(c);
	if ((events & (EPOLLHUP | EPOLLERR)) && c->state != VSOCK_UNUSED) {
		c->gone = c->readable = true;
		loop_remove(loop_of(c), &c->source); /* it would be reported again and again; what is left is read */
		if (c->state == VSOCK_ASKING)
			reset_peer(c);
		else if (c->eof)
			c->want |= 1u << VSOCK_SHUTDOWN;
	}
	pump(s);
	watch(c);
}

static struct vsock_conn *new_conn(struct vsock *s, int fd, enum vsock_state state)
{
	for (unsigned i = 0; i < VSOCK_CONNS_MAX; i++) {
		struct vsock_conn *c = &s->conn[i];

		if (c->state != VSOCK_UNUSED)
			continue;
		c->buf = malloc(ROOM);
		if (c->buf == NULL || (fd >= 0 && loop_add(s->vio.vm->loop, &c->source, fd, 0, host_ready, c) < 0)) {
			free(c->buf);
			c->buf = NULL;
			return NULL;
		}
		c->fd = fd;
		c->state = state;
		s->nr = i < s->nr ? s->nr : i + 1;
		return c;
	}
	return NULL;
}

static void accept_ready(void *arg, uint32_t events)
{
	struct vsock *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct vsock_conn *c = fd >= 0 ? new_conn(s, fd, VSOCK_NAMING) : NULL;

	(void) events;
	if (c == NULL) {
		if (fd >= 0)
			(void) close(fd); /* too many connections */
		return;
	}
	c->host_port = s->next_port++;
	if (s->next_port < FIRST_PORT)
		s->next_port = FIRST_PORT;
	watch(c);
}

static struct vsock_conn *find(struct vsock *s, uint32_t guest_port, uint32_t host_port)
{
	for (unsigned i = 0; i < s->nr; i++) {
		struct vsock_conn *c = &s->conn[i];

		if (c->state > VSOCK_NAMING && c->guest_port == guest_port && c->host_port == host_port)
			return c;
	}
	return NULL;
}

/* Connect to a program of the host, without waiting for it. */
static int connect_host(const struct vsock *s, uint32_t port)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || snprintf(addr.sun_path, sizeof(addr.sun_path), "%s_%u", s->path, port) >=
			      (int) sizeof(addr.sun_path))
		return -1;
	return connect(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0 ? -1 : take_fd(fd);
}

/* The guest connects to a port of the host; it is refused when nobody listens there. */
static void take_request(struct vsock *s, const uint8_t h[VSOCK_HEADER])
{
	uint32_t port = get_le32(h + 20);
	int fd = connect_host(s, port);
	struct vsock_conn *c = new_conn(s, fd, VSOCK_OPEN);

	if (c == NULL) {
		if (fd >= 0)
			(void) close(fd); /* nothing was sent */
		return; /* too many: the guest finds out by its own time limit */
	}
	c->guest_port = get_le32(h + 16);
	c->host_port = port;
	c->peer_alloc = get_le32(h + 36);
	c->peer_count = get_le32(h + 40);
	c->want = 1u << (fd >= 0 ? VSOCK_RESPONSE : VSOCK_RST);
	watch(c);
}

static void take_response(struct vsock_conn *c)
{
	char ok[VSOCK_LINE_MAX];
	int n = snprintf(ok, sizeof(ok), "OK %u\n", c->host_port);

	if (c->state != VSOCK_ASKING) {
		reset_peer(c);
		return;
	}
	c->state = VSOCK_OPEN;
	memcpy(c->buf, ok, (size_t) n);
	c->len = (size_t) n;
	c->forwarded -= (uint32_t) n; /* these are not the guest's */
	c->told = c->forwarded + (uint32_t) n;
	flush(c);
}

/* What the host's side takes at once goes there from the guest's memory. Return: how many of @len bytes. */
static uint32_t send_at_once(struct vsock_conn *c, struct vq_chain *chain, uint32_t len)
{
	struct iovec iov[VQ_CHAIN_MAX];
	struct msghdr msg = { .msg_iov = iov };
	size_t left = len;
	ssize_t n;

	for (; left > 0; msg.msg_iovlen++) {
		iov[msg.msg_iovlen] = chain->iov[msg.msg_iovlen];
		if (iov[msg.msg_iovlen].iov_len > left)
			iov[msg.msg_iovlen].iov_len = left;
		left -= iov[msg.msg_iovlen].iov_len;
	}
	n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n <= 0)
		return 0; /* an error comes again when it is kept and sent then */
	(void) vq_chain_read(chain, NULL, (size_t) n); /* it is there */
	c->forwarded += (uint32_t) n;
	return (uint32_t) n;
}

/* Data: no more than the guest was told that there is room for. */
static void take_data(struct vsock_conn *c, struct vq_chain *chain, uint32_t len)
{
	if (c->state != VSOCK_OPEN || (c->over & SHUTDOWN_SEND) || len > ROOM - c->len || chain->out_len < len) {
		reset_peer(c);
		return;
	}
	if (c->len == 0 && len > 0)
		len -= send_at_once(c, chain, len);
	if (len > ROOM - c->at - c->len) {
		memmove(c->buf, c->buf + c->at, c->len);
		c->at = 0;
	}
	c->len += vq_chain_read(chain, c->buf + c->at + c->len, len);
	flush(c);
}

/* What was sent before is written first. */
static void take_shutdown(struct vsock_conn *c, uint32_t flags)
{
	c->over |= flags & SHUTDOWN_BOTH;
	if (c->over == SHUTDOWN_BOTH)
		c->state = VSOCK_ENDING;
	else if (c->over & SHUTDOWN_RECEIVE) {
		(void) shutdown(c->fd, SHUT_RD); /* it may be gone */
		c->eof = true;
	}
	flush(c);
}

static void take_packet(struct vsock_conn *c, struct vq_chain *chain, const uint8_t h[VSOCK_HEADER])
{
	c->peer_alloc = get_le32(h + 36);
	c->peer_count = get_le32(h + 40);
	switch (get_le16(h + 30)) {
	case VSOCK_RESPONSE:
		take_response(c);
		break;
	case VSOCK_RW:
		take_data(c, chain, get_le32(h + 24));
		break;
	case VSOCK_RST:
		if (c->len == 0) {
			end(c);
			return;
		}
		c->state = VSOCK_ENDING;
		break;
	case VSOCK_SHUTDOWN:
		take_shutdown(c, get_le32(h + 32));
		break;
	case VSOCK_CREDIT_REQUEST:
		c->want |= 1u << VSOCK_CREDIT_UPDATE;
		break;
	case VSOCK_CREDIT_UPDATE:
		break;
	default:
		reset_peer(c);
		break;
	}
	watch(c);
}

static int take_one(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct vsock *s = (struct vsock *) d;
	uint8_t h[VSOCK_HEADER];
	struct vsock_conn *c;

	if (vq_chain_read(chain, h, sizeof(h)) != sizeof(h))
		return -EPROTO;
	if (get_le64(h) == s->cid && get_le64(h + 8) == VSOCK_HOST_CID && get_le16(h + 28) == TYPE_STREAM) {
		c = find(s, get_le32(h + 16), get_le32(h + 20));
		if (c != NULL)
			take_packet(c, chain, h);
		else if (get_le16(h + 30) == VSOCK_REQUEST)
			take_request(s, h);
	}
	vio_push(d, q, chain, 0);
	return 0;
}

static int vsock_notify(struct vio_dev *d, unsigned q)
{
	struct vsock *s = (struct vsock *) d;
	int r = q == Q_TX ? vio_each(d, q, take_one) : 0;

	pump(s);
	return r;
}

static void vsock_stop(struct vio_dev *d)
{
	struct vsock *s = (struct vsock *) d;

	for (unsigned i = 0; i < VSOCK_CONNS_MAX; i++)
		end(&s->conn[i]);
}

static void vsock_free(struct vio_dev *d)
{
	struct vsock *s = (struct vsock *) d;

	vsock_stop(d);
	loop_remove(d->vm->loop, &s->accept_source);
	free(s);
}

static const struct vio_ops vsock_ops = { .name = "virtio-vsock", .nick = "vsock", .id = 19, .class = 0x078000, .stop = vsock_stop,
					  .notify = vsock_notify, .free = vsock_free };

int vsock_add(struct vm *vm, struct pci_bus *bus, uint32_t cid, const char *path, int listener, struct err *err)
{
	struct vsock *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "make virtio-vsock");
	s->cid = cid;
	s->path = path;
	s->listener = listener;
	s->next_port = FIRST_PORT;
	s->accept_source.fd = -1;
	for (unsigned i = 0; i < VSOCK_CONNS_MAX; i++)
		s->conn[i] = (struct vsock_conn) { .vsock = s, .fd = -1, .source.fd = -1 };
	r = vio_init(&s->vio, vm, &vsock_ops, 0, QUEUES, err);
	if (r == 0)
		r = loop_add(vm->loop, &s->accept_source, listener, EPOLLIN, accept_ready, s);
	if (r < 0) {
		vio_fini(&s->vio);
		vsock_free(&s->vio);
		return err_set(err, r, "virtio-vsock: listen at '%s'", path);
	}
	put_le64(s->vio.config, cid);
	s->vio.config_len = 8;
	return vio_pci_add(vm, bus, &s->vio, err);
}
