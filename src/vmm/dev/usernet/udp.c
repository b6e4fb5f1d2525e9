/* SPDX-License-Identifier: MIT */
/**
 * DOC: UDP and echo requests
 *
 * A port of the guest is a socket of the host, with whomever the guest speaks from it; it is forgotten when
 * it was not used for a while.  The number of an echo request is a port like any other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "vmm/dev/usernet/usernet_parts.h"
#include "vmm/dev/virtio/queue.h"

#define IDLE_MS 60000
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define ECHO 8u /* bytes of an echo's header */
#define ECHO_REQUEST 8
#define ECHO_REPLY 0

/** struct usernet_port - a port of the guest; @used: when; @kept: it was forwarded and stays */
struct usernet_port {
	struct usernet_source source;
	struct usernet_port *next;
	uint16_t port;
	bool echo, kept;
	int64_t used;
};

static void give_udp(struct usernet *u, uint32_t from, uint16_t from_port, uint16_t port, void *data, size_t len)
{
	uint8_t packet[FRONT + UDP];
	struct iovec iov = { data, len };
	uint16_t h[4] = { htons(from_port), htons(port), htons((uint16_t) (UDP + len)), 0 };

	memcpy(packet + FRONT, h, sizeof(h));
	(void) usernet_ip(u, IPPROTO_UDP, from, packet, UDP, 6, 0, &iov, 1); /* may be lost, as all of UDP */
}

static void give_echo(struct usernet *u, uint32_t from, uint16_t id, const uint8_t *data, size_t len)
{
	uint8_t packet[FRONT + ECHO];
	struct iovec iov = { (void *) (uintptr_t) (data + ECHO), len - ECHO };

	memcpy(packet + FRONT, data, ECHO);
	packet[FRONT] = ECHO_REPLY;
	packet[FRONT + 2] = packet[FRONT + 3] = 0;
	packet[FRONT + 4] = (uint8_t) (id >> 8);
	packet[FRONT + 5] = (uint8_t) id;
	(void) usernet_ip(u, IPPROTO_ICMP, from, packet, ECHO, 2, 0, &iov, 1); /* may be lost */
}

static void drop(struct usernet *u, struct usernet_port *p)
{
	struct usernet_port **at = &u->ports;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (p->kept)
		usernet_watch(u, &p->source, 0); /* the descriptor is not ours */
	else
		usernet_close(u, &p->source);
	free(p);
	u->nr_ports--;
}

static void port_ready(struct usernet *u, struct usernet_source *s, uint32_t events)
{
	struct usernet_port *p = (struct usernet_port *) s;
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(s->fd, u->buffer, sizeof(u->buffer), 0, (struct sockaddr *) &from, &len);

	(void) events;
	if (n < 0)
		return; /* what an ICMP message said about an earlier packet */
	p->used = usernet_now();
	if (!p->echo)
		give_udp(u, usernet_to_guest(u, &from), ntohs(from.sin_port), p->port, u->buffer, (size_t) n);
	else if (n >= (ssize_t) ECHO)
		give_echo(u, usernet_to_guest(u, &from), p->port, u->buffer, (size_t) n);
}

static struct usernet_port *add_port(struct usernet *u, int fd, uint16_t port, bool echo, bool kept)
{
	struct usernet_port *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	*p = (struct usernet_port) { .source = { .fd = fd, .ready = port_ready }, .next = u->ports, .port = port,
				     .echo = echo, .kept = kept };
	u->ports = p;
	u->nr_ports++;
	usernet_watch(u, &p->source, EPOLLIN);
	usernet_start_ticks(u);
	return p;
}

int usernet_udp_forward(struct usernet *u, int fd, uint16_t port)
{
	return add_port(u, fd, port, false, true) != NULL ? 0 : -ENOMEM;
}

/* The one that was not used for longest makes place. */
static void make_place(struct usernet *u)
{
	struct usernet_port *oldest = NULL;

	if (u->nr_ports < USERNET_PORTS_MAX)
		return;
	for (struct usernet_port *p = u->ports; p != NULL; p = p->next)
		if (!p->kept && (oldest == NULL || p->used < oldest->used))
			oldest = p;
	if (oldest != NULL)
		drop(u, oldest);
}

static struct usernet_port *find_port(struct usernet *u, uint16_t port, bool echo)
{
	struct usernet_port *p = u->ports;
	int fd;

	while (p != NULL && (p->port != port || p->echo != echo))
		p = p->next;
	if (p != NULL)
		return p;
	make_place(u);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, echo ? IPPROTO_ICMP : 0);
	if (fd < 0)
		return NULL;
	p = add_port(u, fd, port, echo, false);
	if (p == NULL) {
		struct usernet_source s = { .fd = fd };

		usernet_close(u, &s);
	}
	return p;
}

static void send_from(struct usernet *u, uint16_t port, bool echo, const struct sockaddr_in *to, size_t len)
{
	struct usernet_port *p = find_port(u, port, echo);

	if (p == NULL)
		return;
	p->used = usernet_now();
	(void) sendto(p->source.fd, u->buffer, len, 0, (const struct sockaddr *) to, sizeof(*to)); /* may be lost */
}

static void serve_dhcp(struct usernet *u, size_t len)
{
	uint8_t answer[512];
	unsigned n = usernet_dhcp(u->buffer, len, answer, sizeof(answer));

	if (n > 0)
		give_udp(u, USERNET_GATEWAY, DHCP_SERVER, DHCP_CLIENT, answer, n);
}

void usernet_udp(struct usernet *u, struct usernet_packet *p)
{
	struct sockaddr_in to;
	uint16_t h[4], len;

	if (p->len < UDP || vq_chain_read(p->chain, h, UDP) != UDP)
		return;
	len = ntohs(h[2]);
	if (len < UDP || len > p->len || len - UDP > sizeof(u->buffer) ||
	    vq_chain_read(p->chain, u->buffer, len - UDP) != len - UDP)
		return;
	if (ntohs(h[1]) == DHCP_SERVER)
		serve_dhcp(u, len - UDP);
	else if (p->from == USERNET_GUEST && usernet_to_host(u, p->to, ntohs(h[1]), &to))
		send_from(u, ntohs(h[0]), false, &to, len - UDP);
}

void usernet_icmp(struct usernet *u, struct usernet_packet *p)
{
	struct sockaddr_in to;
	uint16_t id;

	if (p->len < ECHO || p->len > sizeof(u->buffer) || vq_chain_read(p->chain, u->buffer, p->len) != p->len ||
	    u->buffer[0] != ECHO_REQUEST || u->buffer[1] != 0)
		return;
	id = (uint16_t) (u->buffer[4] << 8 | u->buffer[5]);
	if (p->to == USERNET_GATEWAY || p->to == USERNET_DNS)
		give_echo(u, p->to, id, u->buffer, p->len); /* they are here */
	else if (usernet_to_host(u, p->to, 0, &to))
		send_from(u, id, true, &to, p->len);
}

void usernet_ports_tick(struct usernet *u, bool all)
{
	int64_t now = usernet_now();
	struct usernet_port *next;

	for (struct usernet_port *p = u->ports; p != NULL; p = next) {
		next = p->next;
		if (!p->kept && (all || now - p->used > IDLE_MS))
			drop(u, p);
	}
}

void usernet_ports_free(struct usernet *u)
{
	while (u->ports != NULL)
		drop(u, u->ports);
}
