/* SPDX-License-Identifier: MIT */
#include "engine/monitor/clients.h"

#include <errno.h>
#include <poll.h>

#include "engine/monitor/screen.h"
#include "bare/sys.h"

#define REPLAY_RECORD 16384 /* bytes; several fit a socket */

struct client clients[CLIENTS_MAX];

static struct {
	char kind;
	const char *data;
	size_t n; /* 0: none */
} record; /* output under way */

void clients_open(int owner)
{
	CLIENTS_FOREACH(c)
		c->fd = -1;
	clients[0].fd = owner;
	clients[0].owner = true;
	if (owner >= 0)
		(void) sys_nonblock(owner);
}

void clients_accept(int listener, struct mon_hello hello)
{
	int fd = (int) sys_accept(listener);

	if (fd < 0)
		return;
	hello.full = true;
	CLIENTS_FOREACH(c)
		if (c->fd < 0) {
			*c = (struct client) { .fd = fd };
			hello.full = false;
			break;
		}
	(void) sys_send(fd, &hello, sizeof(hello)); /* a new socket has room */
	if (hello.full)
		(void) sys_close(fd); /* a socket */
}

void client_drop(struct client *c)
{
	(void) sys_close(c->fd); /* a socket */
	*c = (struct client) { .fd = -1 };
}

/* Return: true when the client has it. */
static bool send_to(struct client *c, char kind, const char *data, size_t n)
{
	long r = sys_send_parts(c->fd, &kind, 1, data, n);

	if (r == -EAGAIN) {
		if (!c->owner && sys_now_ms() - c->since > CLIENT_SLOW_MS)
			client_drop(c);
		return false;
	}
	c->since = sys_now_ms();
	if (r < 0)
		client_drop(c);
	return r >= 0;
}

static void go_on_replay(struct client *c)
{
	const char *data;
	size_t n;

	while (c->replays && (n = screen_read(c->replay, &data)) > 0) {
		n = n < REPLAY_RECORD ? n : REPLAY_RECORD;
		if (!send_to(c, MON_STDOUT, data, n))
			return;
		c->replay += n;
	}
	c->replays = false;
}

void client_replay(struct client *c)
{
	/* the record under way is in the ring already */
	c->behind = false;
	c->replays = true;
	c->replay = screen_start();
	c->since = sys_now_ms();
	go_on_replay(c);
}

static void go_on_taken(struct client *c)
{
	if (send_to(c, MON_TAKEN, NULL, 0))
		c->taken = false;
}

void client_taken(struct client *c)
{
	c->taken = true;
	c->since = sys_now_ms();
	go_on_taken(c);
}

void clients_send(char kind, const char *data, size_t n)
{
	int64_t now = 0;

	record.kind = kind;
	record.data = data;
	record.n = n;
	CLIENTS_FOREACH(c)
		if (c->fd >= 0) {
			now = now != 0 ? now : sys_now_ms();
			c->behind = true;
			c->since = now;
		}
	clients_go_on();
}

void clients_go_on(void)
{
	CLIENTS_FOREACH(c) {
		if (c->taken)
			go_on_taken(c);
		if (c->replays)
			go_on_replay(c);
		if (c->behind && send_to(c, record.kind, record.data, record.n))
			c->behind = false;
	}
}

bool clients_busy(void)
{
	CLIENTS_FOREACH(c)
		if (client_behind(c))
			return true;
	return false;
}

int clients_wait_ms(void)
{
	CLIENTS_FOREACH(c)
		if (!c->owner && client_behind(c))
			return CLIENT_SLOW_MS / 10;
	return -1;
}

void clients_tell(const void *text, size_t n)
{
	CLIENTS_FOREACH(c)
		while (c->fd >= 0 && sys_send(c->fd, text, n) == -EAGAIN && c->owner) {
			struct pollfd room = { .fd = c->fd, .events = POLLOUT };

			(void) sys_poll(&room, 1, -1); /* sending tells */
		}
}
