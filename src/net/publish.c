/* SPDX-License-Identifier: MIT */
#include "net/publish.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"

#define PORT_ANY 32768 /* ports from here on are for who does not care, up to the one before PORT_ANY_END */
#define PORT_ANY_END 61000

static const struct {
	const char *name;
	unsigned char number;
} protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

const char *net_protocol_name(unsigned char protocol)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "tcp";
}

unsigned char net_protocol_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	return 0;
}

const char *net_port_range(const char *p, unsigned *ret_first, unsigned *ret_n)
{
	unsigned long first, last;
	char *end;

	if (!isdigit((unsigned char) *p))
		return NULL;
	first = last = strtoul(p, &end, 10);
	if (*end == '-' && isdigit((unsigned char) end[1]))
		last = strtoul(end + 1, &end, 10);
	if (first > NET_PORT_MAX || last > NET_PORT_MAX || last < first)
		return NULL;
	*ret_first = (unsigned) first;
	*ret_n = (unsigned) (last - first + 1);
	return end;
}

struct words {
	struct net_address host;
	unsigned char protocol;
	unsigned inside, nr_inside, first, nr_host; /* nr_host 0: any */
};

static int read_inside(const char *inside, struct words *w, struct err *err)
{
	const char *p = net_port_range(inside, &w->inside, &w->nr_inside);

	w->protocol = IPPROTO_TCP;
	if (p != NULL && *p == '/')
		w->protocol = net_protocol_find(p + 1);
	if (p == NULL || (*p != '\0' && *p != '/') || w->protocol == 0 || w->inside == 0)
		return err_msg(err, -EINVAL, "invalid containerPort: %.100s", inside);
	return 0;
}

/* @n bytes; an IPv6 address may be in brackets */
static int read_address(const char *text, size_t n, struct words *w, struct err *err)
{
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
	char address[NET_TEXT_MAX];

	(void) snprintf(address, sizeof(address), "%.*s", (int) (n - 2 * brackets), text + brackets);
	if (n >= sizeof(address) || net_address_parse(address, &w->host) < 0)
		return err_msg(err, -EINVAL, "invalid IP address: %.*s", n < 100 ? (int) n : 100, text);
	return 0;
}

static int read_words(const char *text, struct words *w, struct err *err)
{
	const char *inside = strrchr(text, ':'), *host = text, *p;
	int r;

	inside = inside != NULL ? inside + 1 : text;
	r = read_inside(inside, w, err);
	if (r < 0 || inside == text)
		return r;
	for (const char *q = text; q < inside - 1; q++) /* the last ":" before INSIDE's */
		if (*q == ':')
			host = q + 1;
	if (host > text)
		r = read_address(text, (size_t) (host - 1 - text), w, err);
	if (r < 0 || host == inside - 1)
		return r;
	p = net_port_range(host, &w->first, &w->nr_host);
	if (p == NULL || p != inside - 1)
		return err_msg(err, -EINVAL, "invalid hostPort: %.*s", (int) (inside - 1 - host), host);
	if (w->nr_host != w->nr_inside && w->nr_inside != 1)
		return err_msg(err, -EINVAL, "invalid ranges specified for container and host Ports: %.100s", text);
	if (w->first == 0) /* as Docker: any */
		w->nr_host = 0;
	return 0;
}

int net_publish_parse(const char *text, struct net_publish **ret, struct err *err)
{
	struct words w = { 0 };
	struct net_publish *v;
	int r = read_words(text, &w, err);

	if (r < 0)
		return r;
	v = calloc(w.nr_inside, sizeof(*v));
	if (v == NULL)
		return err_set(err, -ENOMEM, "read the ports");
	for (unsigned i = 0; i < w.nr_inside; i++) {
		v[i].protocol = w.protocol;
		v[i].host = w.host;
		v[i].inside = (uint16_t) (w.inside + i);
		if (w.nr_host == 0)
			continue;
		v[i].first = (uint16_t) (w.nr_inside == 1 ? w.first : w.first + i);
		v[i].last = (uint16_t) (w.nr_inside == 1 ? w.first + w.nr_host - 1 : w.first + i);
	}
	*ret = v;
	return (int) w.nr_inside;
}

union any_address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* As the kernel chooses them */
static int any_port(void)
{
	uint32_t random;

	return getrandom(&random, sizeof(random), 0) == sizeof(random) ? (int) (PORT_ANY + random % (PORT_ANY_END - PORT_ANY)) : -errno;
}

int net_port_try(unsigned char protocol, const struct net_address *host, uint16_t port)
{
	bool v6 = host->family == AF_INET6;
	union any_address a = { 0 };
	socklen_t n = v6 ? sizeof(a.v6) : sizeof(a.v4);
	const int on = 1;
	_cleanup_close_ int fd = socket(v6 ? AF_INET6 : AF_INET,
					(protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, protocol);

	if (fd < 0 && protocol == IPPROTO_SCTP && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT))
		return port != 0 ? port : any_port(); /* then nobody on this host has it */
	if (fd < 0)
		return -errno;
	if (v6) {
		a.v6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons(port) };
		memcpy(&a.v6.sin6_addr, host->bytes, 16);
	} else {
		a.v4 = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&a.v4.sin_addr, host->bytes, 4);
	}
	if ((v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    /* connections of before that are not quite over do not matter */
	    (protocol == IPPROTO_TCP && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, &a.sa, n) < 0 || getsockname(fd, &a.sa, &n) < 0)
		return -errno;
	return ntohs(v6 ? a.v6.sin6_port : a.v4.sin_port);
}
