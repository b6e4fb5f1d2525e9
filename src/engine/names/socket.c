/* SPDX-License-Identifier: MIT */
#include "engine/names/socket.h"

#include <asm/unistd.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bare/sys.h"
#include "engine/names/protocol.h"

static const uint8_t port_bytes[2] = { 0, NAMES_PORT };

int names_connect(const struct names_server *s, int type)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const void *to = s->family == 6 ? (const void *) &v6 : &v4;
	long fd = sys_call(__NR_socket, s->family == 6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0, 0, 0), r;

	if (fd < 0)
		return (int) fd;
	__builtin_memcpy(&v4.sin_port, port_bytes, sizeof(port_bytes));
	__builtin_memcpy(&v6.sin6_port, port_bytes, sizeof(port_bytes));
	__builtin_memcpy(&v4.sin_addr, s->bytes, sizeof(v4.sin_addr));
	__builtin_memcpy(&v6.sin6_addr, s->bytes, sizeof(v6.sin6_addr));
	r = sys_call(__NR_connect, fd, (long) to, s->family == 6 ? sizeof(v6) : sizeof(v4), 0, 0, 0);
	if (r < 0 && r != -EINPROGRESS) {
		(void) sys_close((int) fd);
		return (int) r;
	}
	return (int) fd;
}

long names_send(int fd, const void *data, size_t n, const struct sockaddr_in *to)
{
	return sys_call(__NR_sendto, fd, (long) data, (long) n, MSG_NOSIGNAL | MSG_DONTWAIT, (long) to, to != NULL ? sizeof(*to) : 0);
}

long names_receive(int fd, void *buf, size_t n, struct sockaddr_in *ret_from)
{
	socklen_t size = sizeof(*ret_from);

	return sys_call(__NR_recvfrom, fd, (long) buf, (long) n, MSG_DONTWAIT, (long) ret_from, ret_from != NULL ? (long) &size : 0);
}

int names_accept(int fd, struct sockaddr_in *ret_from)
{
	socklen_t size = sizeof(*ret_from);

	return (int) sys_call(__NR_accept4, fd, (long) ret_from, (long) &size, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
}

uint16_t names_random(void)
{
	uint16_t v = 0;

	(void) sys_call(__NR_getrandom, (long) &v, sizeof(v), 0, 0, 0, 0); /* so few bytes always come */
	return v;
}
