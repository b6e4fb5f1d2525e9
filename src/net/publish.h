/* SPDX-License-Identifier: MIT */
/*
 * Ports as they are asked for, and whether the host has them to give.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

struct err;

#define NET_PORT_MAX 65535
#define NET_HOLDER_MAX 64 /* bytes of who holds a port */

/**
 * struct net_publish - one port of an instance
 * @protocol: IPPROTO_TCP, UDP or SCTP
 * @host: address of the host, family 0 for all of them
 * @inside: port of the instance
 * @first, @last: ports of the host of which one is taken; 0: any that is free
 */
struct net_publish {
	unsigned char protocol;
	struct net_address host;
	uint16_t inside, first, last;
};

/** net_protocol_name() - "tcp", "udp", "sctp" */
const char *net_protocol_name(unsigned char protocol);

/** net_protocol_find() - number of a name; 0 when it is none of them */
unsigned char net_protocol_find(const char *name);

/**
 * net_port_range() - read PORT or FIRST-LAST
 * @ret_n: how many
 * Return: what follows; NULL when malformed.
 */
const char *net_port_range(const char *p, unsigned *ret_first, unsigned *ret_n);

/**
 * net_publish_parse() - "[[ADDRESS:][HOST]:]INSIDE[/PROTOCOL]", both ports or ranges
 * @ret: an array that the caller frees
 * Return: its length; -EINVAL with a message; -ENOMEM.
 */
int net_publish_parse(const char *text, struct net_publish **ret, struct err *err);

/**
 * net_port_try() - can a port of the host be had?
 * @port: 0 for any that is free
 * Return: the port; -EADDRINUSE; -EADDRNOTAVAIL it is no address of this host; -errno.
 */
int net_port_try(unsigned char protocol, const struct net_address *host, uint16_t port);

/** net_port_open() - a socket that is bound to a port of the host; descriptor, or as net_port_try() */
int net_port_open(unsigned char protocol, const struct net_address *host, uint16_t port);

/** net_port_holder() - "nginx, process 12"; "" when it cannot be told */
void net_port_holder(unsigned char protocol, uint16_t port, char ret[NET_HOLDER_MAX]);
