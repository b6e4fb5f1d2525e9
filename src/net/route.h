/* SPDX-License-Identifier: MIT */
/*
 * Which networks the host can reach, so that new ones do not hide them.
 */
#pragma once

#include <stddef.h>

#include "net/address.h"

struct err;

#define NET_ROUTES_MAX 65536 /* of the host; more are not looked at */

/** struct net_route - to @to through device number @device */
struct net_route {
	struct net_prefix to;
	int device;
};

/**
 * struct net_routes - routes of the host but those to itself
 * @default_device: where the default route of IPv4 goes, 0 without
 */
struct net_routes {
	struct net_route *v;
	size_t n, room;
	int default_device;
};

/**
 * net_routes_read() - read them
 * @fd: of netlink_open()
 * @ret: filled; release with net_routes_fini(), also after a failure
 * Return: 0; -errno with a message.
 */
int net_routes_read(int fd, struct net_routes *ret, struct err *err);

/**
 * net_route_marked() - packets with a mark are for this host, whatever their destination
 * @device: number of its device lo
 * Return: 0; -errno.
 */
int net_route_marked(int fd, uint32_t mark, int device);

/** net_routes_fini() - release */
void net_routes_fini(struct net_routes *r);

/** net_routes_overlap() - the first that has an address in common with @p, but not through @device; NULL */
const struct net_route *net_routes_overlap(const struct net_routes *r, const struct net_prefix *p, int device);
