/* SPDX-License-Identifier: MIT */
/*
 * A network of one guest that needs no rights on the host: what the guest sends becomes sockets of this
 * process.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct err;
struct loop;
struct usernet;
struct vq_chain;

#define USERNET_FORWARDS_MAX 32
#define USERNET_CONNECTIONS_MAX 1024 /* TCP, at a time */
#define USERNET_PORTS_MAX 256 /* UDP and ping, at a time */

/* The network as the guest sees it, host byte order: 10.0.2.0/24 */
#define USERNET_NET 0x0A000200u
#define USERNET_GATEWAY 0x0A000202u /* this host's loopback addresses, if that is allowed */
#define USERNET_DNS 0x0A000203u
#define USERNET_GUEST 0x0A00020Fu /* 10.0.2.15 */

/** struct usernet_forward - a port of the host that leads into the guest; @fd: bound, for TCP listening */
struct usernet_forward {
	int fd;
	bool udp;
	uint16_t guest_port;
};

/**
 * struct usernet_config - how far the guest reaches
 * @loopback: the gateway's address leads to this host's 127.0.0.1
 * @resolver: the host's name server, host byte order; 0 for none
 * @forward: @nr_forwards ports of the host; their descriptors are borrowed
 */
struct usernet_config {
	bool loopback;
	uint32_t resolver;
	unsigned nr_forwards;
	struct usernet_forward forward[USERNET_FORWARDS_MAX];
};

/** enum usernet_offload - USERNET_CSUM: the guest takes packets without checksum; USERNET_TSO: and large ones */
enum usernet_offload { USERNET_CSUM = 1, USERNET_TSO = 2 };

/**
 * usernet_forward_parse() - "tcp:[ADDRESS]:PORT-[ADDRESS]:PORT", host first; binds the port
 * Return: 0; -EINVAL; -errno of bind(2), with a message.
 */
int usernet_forward_parse(const char *text, struct usernet_forward *ret, struct err *err);

/** usernet_resolver() - the first name server of the host that has an IPv4 address; 0 for none */
uint32_t usernet_resolver(void);

/**
 * usernet_new() - make the network
 * @conf: borrowed
 * @deliver: hands a packet with its header of virtio to the guest: 1 done, 0 there is no room now.  Called
 *           with the lock of @loop
 * Return: 0; -errno with a message.
 */
int usernet_new(struct loop *loop, const struct usernet_config *conf,
		int (*deliver)(void *arg, struct iovec *iov, unsigned nr), void *arg, struct usernet **ret,
		struct err *err);

/** usernet_free() - release; NULL is fine */
void usernet_free(struct usernet *u);

/** usernet_offload() - what the guest can take, of enum usernet_offload */
void usernet_offload(struct usernet *u, unsigned flags);

/** usernet_send() - a packet from the guest, with its header of virtio; consumed */
void usernet_send(struct usernet *u, struct vq_chain *chain);

/** usernet_room() - the guest has room again */
void usernet_room(struct usernet *u);

/** usernet_reset() - the guest starts over: all its connections end */
void usernet_reset(struct usernet *u);
