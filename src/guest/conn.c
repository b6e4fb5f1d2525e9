/* SPDX-License-Identifier: MIT */
/**
 * DOC: connections of the engine
 *
 * A connection asks for one thing: to run a program, whose connection it stays; to carry a stream, then it
 * is that program's; or to be told something.
 */
#include "guest/conn.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "guest/machine.h"
#include "guest/message.h"
#include "guest/network.h"
#include "guest/os.h"
#include "guest/process.h"

struct conn conns[CONNS_MAX];

void conn_add(int fd, int first)
{
	for (int i = 0; i < CONNS_MAX; i++)
		if (conns[i].fd < 0) {
			conns[i] = (struct conn) { .fd = fd, .first = first };
			return;
		}
	(void) sys_close(fd); /* too many */
}

static void forget_message(struct conn *c)
{
	os_free(c->body, c->info.len);
	c->body = NULL;
	c->got = 0;
}

/* The descriptor is somebody else's from now on. */
static void release(struct conn *c)
{
	forget_message(c);
	c->fd = -1;
}

void conn_forget(int fd)
{
	for (int i = 0; i < CONNS_MAX; i++)
		if (fd >= 0 && conns[i].fd == fd)
			release(&conns[i]);
}

static void leave(struct conn *c)
{
	struct process *p = process_find(c->fd);
	int first = c->first;

	if (p != NULL)
		process_left(p);
	(void) sys_close(c->fd); /* a socket */
	release(c);
	if (first)
		machine_off();
}

static uint64_t number_of(const struct conn *c, uint32_t tag, uint64_t fallback)
{
	return guest_number_of(c->body, c->info.len, tag, fallback);
}

/* Return: false when there is no such program, yet. */
static bool attach(struct conn *c)
{
	if (process_attach(c->number, c->stream, c->fd) < 0)
		return false;
	(void) sys_nonblock(c->fd); /* a socket can */
	release(c);
	return true;
}

static void attach_waiting(void)
{
	for (int i = 0; i < CONNS_MAX; i++)
		if (conns[i].fd >= 0 && conns[i].waiting)
			(void) attach(&conns[i]); /* another's */
}

static void run_program(struct conn *c, int first)
{
	struct guest_in in = { c->body, c->info.len };
	int r = c->info.version == GUEST_VERSION ? process_new(c->fd, first, &in) : -EPROTONOSUPPORT;

	if (r == 0) {
		attach_waiting();
		return;
	}
	message_failed(c->fd, r == -EPROTO || r == -E2BIG || r == -EPROTONOSUPPORT ? GUEST_STEP_REQUEST : GUEST_STEP_PROCESS,
		       r);
	release(c);
}

static void resize(const struct process *p, const struct conn *c)
{
	struct winsize size = { .ws_row = (uint16_t) number_of(c, GUEST_ROWS, 24),
				.ws_col = (uint16_t) number_of(c, GUEST_COLUMNS, 80) };

	if (p->master >= 0)
		(void) sys_ioctl(p->master, TIOCSWINSZ, &size); /* cosmetic */
}

static void connect_network(struct conn *c)
{
	int r = network_set_up(&(struct guest_in) { c->body, c->info.len });

	if (r == 0) {
		message_plain(c->fd, GUEST_DONE);
		return;
	}
	message_failed(c->fd, GUEST_STEP_NETWORK, r);
	release(c);
}

static void take_message(struct conn *c)
{
	struct process *p = process_find(c->fd);
	uint64_t signal = number_of(c, GUEST_SIGNAL_OF, 0);

	switch (c->info.type) {
	case GUEST_RUN:
	case GUEST_EXEC:
		if (p != NULL || c->first != (c->info.type == GUEST_RUN))
			break;
		run_program(c, c->first);
		return;
	case GUEST_STREAM:
		c->number = number_of(c, GUEST_NUMBER, 0);
		c->stream = number_of(c, GUEST_STREAM_OF, GUEST_STREAM_N_);
		if (p != NULL || c->first || c->stream >= GUEST_STREAM_N_)
			break;
		c->waiting = !attach(c);
		return;
	case GUEST_SIGNAL:
		if (p != NULL && p->state == PROCESS_RUNNING && signal > 0 && signal <= 64)
			(void) sys_kill((int) p->pid, (int) signal); /* not reaped: it is its */
		return;
	case GUEST_RESIZE:
		if (p != NULL)
			resize(p, c);
		return;
	case GUEST_CLOCK:
		if (!c->first)
			break;
		machine_set_time(number_of(c, GUEST_TIME, 0));
		return;
	case GUEST_ASK:
		machine_usage(c->fd);
		return;
	case GUEST_CONNECT:
		if (p != NULL || c->first)
			break;
		connect_network(c);
		return;
	default:
		break;
	}
	leave(c); /* it makes no sense */
}

/* Only as much as belongs to this message: what follows may be a stream. */
static long read_some(struct conn *c)
{
	size_t want = c->got < GUEST_HEADER ? GUEST_HEADER - c->got : GUEST_HEADER + c->info.len - c->got;
	uint8_t *to = c->got < GUEST_HEADER ? c->head + c->got : c->body + (c->got - GUEST_HEADER);

	return sys_call(__NR_recvfrom, c->fd, (long) to, (long) want, MSG_DONTWAIT, 0, 0);
}

void conn_read(struct conn *c)
{
	long n = c->waiting ? 0 : read_some(c); /* what one that waits is told of is its end */
	int fd = c->fd;

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		leave(c);
		return;
	}
	c->got += (size_t) n;
	if (c->got == GUEST_HEADER) {
		if (guest_head_get(c->head, GUEST_BODY_MAX, &c->info) < 0 ||
		    (c->info.len > 0 && (c->body = os_alloc(c->info.len)) == NULL)) {
			c->info.len = 0;
			leave(c);
			return;
		}
	}
	if (c->got < GUEST_HEADER || c->got < GUEST_HEADER + c->info.len)
		return;
	take_message(c);
	if (c->fd == fd) /* it goes on */
		forget_message(c);
}
