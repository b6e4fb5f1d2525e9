/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/core/loop.h"
#include "vmm/dev/usernet/usernet.h"

#define HEADER 12u /* bytes: virtio's, with the number of buffers */
#define ETHERNET 14u
#define IP 20u
#define FRONT (HEADER + ETHERNET + IP) /* bytes in front of TCP, UDP, ICMP */
#define TCP 20u
#define UDP 8u
#define PAYLOAD_MAX 65000u /* bytes of one packet to the guest */
#define BUCKETS 256u

/** struct usernet_source - a descriptor; first member of what owns it.  @events: 0 while it is not watched */
struct usernet_source {
	int fd;
	uint32_t events;
	void (*ready)(struct usernet *u, struct usernet_source *s, uint32_t events);
};

/** struct usernet_packet - a packet from the guest behind its IP header; addresses in host byte order */
struct usernet_packet {
	uint32_t from, to;
	struct vq_chain *chain;
	unsigned len;
};

/**
 * struct usernet - the network
 * @epoll: all descriptors but this one and @timer
 * @tcp: connections by hash; @nr_tcp of them
 * @ports: UDP and ping; @nr_ports of them
 * @blocked: a connection waits for room in the guest
 * @mac: the guest's, as last seen
 */
struct usernet {
	struct loop *loop;
	const struct usernet_config *conf;
	int epoll, timer;
	bool ticking, blocked, tso, csum;
	struct loop_source source, tick;
	int (*deliver)(void *arg, struct iovec *iov, unsigned nr);
	void *arg;
	uint8_t mac[6];
	uint16_t ip_id;
	struct usernet_conn *tcp[BUCKETS];
	unsigned nr_tcp;
	struct usernet_port *ports;
	unsigned nr_ports;
	struct usernet_source listener[USERNET_FORWARDS_MAX];
	uint8_t buffer[PAYLOAD_MAX];
};

/** usernet_watch() - be called for these events of a descriptor; 0 for none */
void usernet_watch(struct usernet *u, struct usernet_source *s, uint32_t events);

/** usernet_close() - stop watching and close */
void usernet_close(struct usernet *u, struct usernet_source *s);

/** usernet_start_ticks() - let time pass for connections, while there are any */
void usernet_start_ticks(struct usernet *u);

/** usernet_now() - milliseconds that only rise */
int64_t usernet_now(void);

/**
 * usernet_to_host() - address and port of the host's side
 * Return: false: the guest cannot go there.
 */
bool usernet_to_host(const struct usernet *u, uint32_t addr, uint16_t port, struct sockaddr_in *ret);

/** usernet_to_guest() - as the guest knows it; host byte order */
uint32_t usernet_to_guest(const struct usernet *u, const struct sockaddr_in *addr);

/** usernet_sum() - add to a sum for a checksum */
uint32_t usernet_sum(const void *data, size_t len, uint32_t sum);

/** usernet_fold() - checksum of a sum */
uint16_t usernet_fold(uint32_t sum);

/**
 * usernet_ip() - send a packet to the guest
 * @packet: FRONT bytes of room, then @head bytes of TCP, UDP or ICMP header, its checksum zero
 * @csum_at: offset of the checksum in it; @gso: bytes of each segment, 0 for one
 * @data: what follows, @nr pieces at most 2
 * Return: 1 sent; 0 the guest has no room now.
 */
int usernet_ip(struct usernet *u, uint8_t protocol, uint32_t from, uint8_t *packet, unsigned head, unsigned csum_at,
	       unsigned gso, const struct iovec *data, unsigned nr);

/** usernet_arp() - an ARP packet of @len bytes from the guest */
void usernet_arp(struct usernet *u, struct vq_chain *chain, unsigned len);

/** usernet_icmp() - an ICMP packet from the guest */
void usernet_icmp(struct usernet *u, struct usernet_packet *p);

/** usernet_udp() - a UDP packet from the guest */
void usernet_udp(struct usernet *u, struct usernet_packet *p);

/** usernet_dhcp() - what a guest asks the DHCP server; its answer is in @ret (@size bytes), of the length returned */
unsigned usernet_dhcp(const uint8_t *ask, size_t len, uint8_t *ret, size_t size);

/** usernet_udp_forward() - a bound port of the host belongs to the guest's @port; 0 or -errno */
int usernet_udp_forward(struct usernet *u, int fd, uint16_t port);

/** usernet_ports_tick() - forget UDP ports that nobody uses; all of them with @all, but forwarded ones */
void usernet_ports_tick(struct usernet *u, bool all);

/** usernet_ports_free() - forget all */
void usernet_ports_free(struct usernet *u);

/** usernet_tcp() - a TCP packet from the guest */
void usernet_tcp(struct usernet *u, struct usernet_packet *p);

/** usernet_tcp_accept() - somebody connects to a forwarded port: take the connection @fd to the guest's @port */
void usernet_tcp_accept(struct usernet *u, int fd, const struct sockaddr_in *from, uint16_t port);

/** usernet_tcp_room() - the guest has room again */
void usernet_tcp_room(struct usernet *u);

/** usernet_tcp_tick() - time has passed */
void usernet_tcp_tick(struct usernet *u);

/** usernet_tcp_free() - end all connections */
void usernet_tcp_free(struct usernet *u);
