/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-names`
 *
 * The resolver of one network: names of its instances, and everything else by asking others.  The engine makes its
 * sockets, starts it with the first instance of the network, tells it who comes and goes, and kills it with the last.
 * It keeps nothing that the engine does not know.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>

#include "bare/sys.h"
#include "engine/names/answer.h"
#include "engine/names/confine.h"
#include "engine/names/keep.h"
#include "engine/names/protocol.h"
#include "engine/names/relay.h"
#include "engine/names/socket.h"
#include "engine/names/stream.h"
#include "engine/names/table.h"

#define BURST 64 /* questions that are taken before connections have their turn */

/* All that it has; pages that are not used are not there. */
static struct names_table table;
static struct relay relay;
static struct streams streams;
static uint8_t message[NAMES_MESSAGE_MAX];

/* What the engine says is known before the next question is looked at.  Return: may it answer? */
static bool listen_to_engine(bool serving)
{
	long n;

	while ((n = names_receive(NAMES_FD_CONTROL, message, sizeof(message), NULL)) >= 0)
		if (names_table_take(&table, message, (size_t) n) == NAMES_SERVE)
			serving = true;
	return serving;
}

static void take_questions(void)
{
	static uint8_t query[DNS_QUERY_MAX + 1], reply[DNS_UDP_MAX];

	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in from;
		struct dns_query q;
		size_t size;
		long n = names_receive(NAMES_FD_UDP, query, sizeof(query), &from);

		if (n < 0)
			return;
		(void) listen_to_engine(true);
		switch (names_answer(&table, (const uint8_t *) &from.sin_addr, false, query, (size_t) n, &q, reply, &size)) {
		case NAMES_IGNORE:
			break;
		case NAMES_REPLY:
			(void) names_send(NAMES_FD_UDP, reply, size, &from); /* it asks again */
			break;
		case NAMES_ASK:
			relay_ask(&relay, &from, query, (size_t) n, &q);
			break;
		}
	}
}

static int wait_ms(int64_t until, int64_t now)
{
	if (until == INT64_MAX)
		return -1;
	return until <= now ? 0 : until - now > INT32_MAX ? INT32_MAX : (int) (until - now);
}

static _Noreturn void serve(void)
{
	static struct pollfd fds[2 + STREAM_POLL_MAX + RELAY_MAX];
	int64_t next = INT64_MAX, other, now;

	for (;;) {
		unsigned nr_streams, nr_relay;

		fds[0] = (struct pollfd) { .fd = NAMES_FD_CONTROL, .events = POLLIN };
		fds[1] = (struct pollfd) { .fd = NAMES_FD_UDP, .events = POLLIN };
		nr_streams = streams_poll(&streams, fds + 2);
		nr_relay = relay_poll(&relay, fds + 2 + nr_streams);
		if (sys_poll(fds, 2 + nr_streams + nr_relay, wait_ms(next, sys_now_ms())) < 0)
			continue; /* a signal */
		now = sys_now_ms();
		(void) listen_to_engine(true);
		next = relay_handle(&relay, fds + 2 + nr_streams, nr_relay, now);
		other = streams_handle(&streams, fds + 2, nr_streams, now);
		next = other < next ? other : next;
		if (fds[1].revents != 0) {
			take_questions();
			next = now; /* there may be new ones under way */
		}
	}
}

int program(int argc, char **argv)
{
	static const char usage[] = "cleave-names is started by cleave\n";
	struct pollfd control = { .fd = NAMES_FD_CONTROL, .events = POLLIN };
	long keeper;

	if (argc != 5) {
		(void) sys_write_all(2, usage, sizeof(usage) - 1); /* nobody else to tell */
		return 2;
	}
	keeper = names_keep(argv);
	if (keeper < 0 || names_confine(keeper) < 0)
		return 1;
	relay_init(&relay, &table, NAMES_FD_UDP);
	streams_init(&streams, &table, NAMES_FD_TCP);
	while (!listen_to_engine(false))
		(void) sys_poll(&control, 1, -1); /* EINTR is as good */
	serve();
}
