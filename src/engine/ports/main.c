/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-ports`
 *
 * Passes on what comes to published ports of the host, for all instances of a user without root.  The engine makes the
 * sockets of the host and hands them over; this process is where the user's networks are, so that what it connects
 * to is there.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "bare/sys.h"
#include "engine/ports/confine.h"
#include "engine/ports/datagram.h"
#include "engine/ports/port.h"
#include "engine/ports/protocol.h"
#include "engine/ports/stream.h"

#define EVENTS 64 /* that are taken at a time */
#define TICK_MS 10000 /* for askers that are idle */

/* All that it has; pages that are not used are not there. */
static struct ports ports;
static struct streams streams;
static struct datagrams datagrams;

static void close_port(unsigned place)
{
	streams_drop(&streams, place);
	datagrams_drop(&datagrams, place);
	ports_close(&ports, place);
}

static bool same_id(const char *a, const char *b)
{
	int i = 0;

	while (i < PORTS_ID && a[i] == b[i])
		i++;
	return i == PORTS_ID;
}

static void take_port(unsigned place, int64_t now)
{
	if (place >= ports.used || ports.v[place].fd < 0)
		return;
	if (ports.v[place].to.protocol == IPPROTO_TCP)
		streams_accept(&streams, place);
	else
		datagrams_take(&datagrams, place, now);
}

static void listen_to_engine(int64_t now)
{
	struct ports_message m;
	long n;
	int fd;

	while ((n = sys_recv(PORTS_FD_CONTROL, &m, sizeof(m), &fd)) >= 0) {
		if (n == sizeof(m) && m.type == PORTS_OPEN && fd >= 0 && (m.protocol == IPPROTO_TCP || m.protocol == IPPROTO_UDP)) {
			int place = ports_open(&ports, &m, fd);

			if (place >= 0)
				take_port((unsigned) place, now); /* who came before that */
			continue;
		}
		for (unsigned i = ports.used; n == sizeof(m) && m.type == PORTS_CLOSE && i-- > 0;)
			if (i < ports.used && ports.v[i].fd >= 0 && same_id(ports.v[i].to.id, m.id))
				close_port(i);
		if (fd >= 0) /* who asks for that waits for its end */
			(void) sys_close(fd);
	}
}

static void handle(struct key key, int64_t now)
{
	switch (key.kind) {
	case KIND_CONTROL:
		listen_to_engine(now);
		break;
	case KIND_PORT:
		take_port(key.place, now);
		break;
	case KIND_STREAM:
		streams_event(&streams, key);
		break;
	case KIND_DATAGRAM:
		datagrams_event(&datagrams, key, now);
		break;
	}
}

/* Datagrams of ports that had more than one turn takes */
static bool take_stalled(int64_t now)
{
	bool more = false;

	for (unsigned i = 0; i < ports.used; i++)
		if (ports.v[i].fd >= 0 && ports.v[i].stalled && ports.v[i].to.protocol == IPPROTO_UDP) {
			ports.v[i].stalled = false;
			datagrams_take(&datagrams, i, now);
			more = more || ports.v[i].stalled;
		}
	return more;
}

static _Noreturn void serve(void)
{
	bool more = false;

	for (;;) {
		struct epoll_event e[EVENTS];
		long n = sys_call(__NR_epoll_pwait, ports.epoll, (long) e, EVENTS, more || streams.again ? 0 : TICK_MS, 0, 0);
		int64_t now = sys_now_ms();

		for (long i = 0; i < n; i++) {
			const uint64_t data = e[i].data.u64;
			struct key key;

			__builtin_memcpy(&key, &data, sizeof(key));
			handle(key, now);
		}
		streams_continue(&streams);
		more = take_stalled(now);
		datagrams_expire(&datagrams, now);
	}
}

/* As many descriptors as it may have */
static void raise_limit(void)
{
	struct rlimit r;

	if (sys_call(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long) &r, 0, 0) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void) sys_call(__NR_prlimit64, 0, RLIMIT_NOFILE, (long) &r, 0, 0, 0); /* then there are fewer connections */
}

int program(int argc, char **argv)
{
	static const char usage[] = "cleave-ports is started by cleave\n";

	(void) argv;
	if (argc != 2) { /* run root, for those who look at processes */
		(void) sys_write_all(2, usage, sizeof(usage) - 1); /* nobody else to tell */
		return 2;
	}
	raise_limit();
	ports.epoll = (int) sys_call(__NR_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0);
	if (ports.epoll < 0 || sys_nonblock(PORTS_FD_CONTROL) < 0 || ports_watch(&ports, PORTS_FD_CONTROL, (struct key) { .kind = KIND_CONTROL }) < 0)
		return 1;
	if (ports_confine() < 0)
		return 1;
	streams.ports = datagrams.ports = &ports;
	listen_to_engine(sys_now_ms());
	serve();
}
