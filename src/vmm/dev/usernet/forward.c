/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/dev/usernet/usernet.h"

#define BACKLOG 64

/* "[ADDRESS]:PORT" up to @end. */
static int parse_end(const char *text, size_t n, struct sockaddr_in *ret)
{
	char copy[64], *colon;
	uint64_t port;

	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	colon = strchr(copy, ':');
	if (colon == NULL)
		return -EINVAL;
	*colon = '\0';
	*ret = (struct sockaddr_in) { .sin_family = AF_INET };
	if (copy[0] != '\0' && inet_pton(AF_INET, copy, &ret->sin_addr) != 1)
		return -EINVAL;
	if (str_to_u64(colon + 1, &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	ret->sin_port = htons((uint16_t) port);
	return 0;
}

static int bind_port(const struct sockaddr_in *at, bool udp)
{
	_cleanup_close_ int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	if (!udp)
		(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* else it fails below */
	if (bind(fd, (const struct sockaddr *) at, sizeof(*at)) < 0 || (!udp && listen(fd, BACKLOG) < 0))
		return -errno;
	return take_fd(fd);
}

int usernet_forward_parse(const char *text, struct usernet_forward *ret, struct err *err)
{
	bool udp = str_starts(text, "udp:");
	const char *host = text + 4, *dash = strchr(text, '-');
	struct sockaddr_in at, to;
	int fd;

	if ((!udp && !str_starts(text, "tcp:")) || dash == NULL || parse_end(host, (size_t) (dash - host), &at) < 0 ||
	    parse_end(dash + 1, strlen(dash + 1), &to) < 0)
		return err_msg(err, -EINVAL, "'%s' is not like 'tcp:127.0.0.1:8080-:80'", text);
	if (to.sin_addr.s_addr != 0 && to.sin_addr.s_addr != htonl(USERNET_GUEST))
		return err_msg(err, -EINVAL, "'%s': the guest's address is 10.0.2.15", text);
	fd = bind_port(&at, udp);
	if (fd < 0)
		return err_set(err, fd, "'%s': listen at the host's port", text);
	*ret = (struct usernet_forward) { .fd = fd, .udp = udp, .guest_port = ntohs(to.sin_port) };
	return 0;
}
