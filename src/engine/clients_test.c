/* SPDX-License-Identifier: MIT */
/* Who is attached gets everything, whenever its socket has room again.  System calls are those of this file. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bare/sys.h"
#include "engine/monitor/clients.h"
#include "engine/monitor/screen.h"

#define OWNER 7

static char sent[16]; /* first byte of each record */
static size_t nr_sent, room;

long sys_send_parts(int sock, const void *a, size_t a_len, const void *b, size_t b_len)
{
	assert_int_equal(sock, OWNER);
	(void) b;
	if (room == 0)
		return -EAGAIN;
	room--;
	memcpy(&sent[nr_sent++], a, 1);
	return (long) (a_len + b_len);
}

long sys_send(int sock, const void *buf, size_t n)
{
	if (sock == OWNER)
		return sys_send_parts(sock, buf, n, NULL, 0);
	return (long) n;
}

/* Whoever waits for room gets it. */
long sys_poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	assert_int_equal(n, 1);
	assert_int_equal(fds->fd, OWNER);
	assert_int_equal(fds->events, POLLOUT);
	assert_int_equal(timeout_ms, -1);
	room++;
	return 1;
}

long sys_close(int fd)
{
	(void) fd;
	return 0;
}

long sys_accept(int sock)
{
	(void) sock;
	return -EAGAIN;
}

long sys_nonblock(int fd)
{
	(void) fd;
	return 0;
}

int64_t sys_now_ms(void)
{
	return 1;
}

uint64_t screen_start(void)
{
	return 0;
}

size_t screen_read(uint64_t pos, const char **ret)
{
	(void) pos;
	(void) ret;
	return 0;
}

/* Input was written while the client took no output: it learns that later, or it would never send more. */
static void test_taken_waits_for_room(void **state)
{
	(void) state;
	clients_open(OWNER);
	room = 1;
	clients_send(MON_STDOUT, "a", 1);
	clients_send(MON_STDOUT, "b", 1);
	client_taken(&clients[0]);
	assert_true(clients_busy());
	clients_go_on();
	assert_int_equal(nr_sent, 1);
	room = 2;
	clients_go_on();
	assert_false(clients_busy());
	assert_int_equal(nr_sent, 3);
	assert_non_null(memchr(sent, MON_TAKEN, nr_sent));
}

/* The last output filled the socket: the record of the exit is not lost. */
static void test_owner_is_told(void **state)
{
	static const char record = MON_EXIT;

	(void) state;
	room = nr_sent = 0;
	clients_tell(&record, 1);
	assert_int_equal(nr_sent, 1);
	assert_int_equal(sent[0], MON_EXIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken_waits_for_room), cmocka_unit_test(test_owner_is_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
