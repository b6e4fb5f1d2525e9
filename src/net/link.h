/* SPDX-License-Identifier: MIT */
/*
 * Devices: bridges of the host, and what joins an instance to them.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/table.h"

struct err;

#define NET_MAC_LEN 6 /* bytes */

/** struct net_link - a device of the host */
struct net_link {
	int index;
	unsigned mtu;
	bool up;
};

/** struct net_bridge - @v4, @v6: its own addresses with the length of the network, family 0 for none; @mtu: 0 as it comes */
struct net_bridge {
	const char *name;
	struct net_prefix v4, v6;
	unsigned mtu;
};

enum net_leg_kind { NET_LEG_VETH, NET_LEG_MACVLAN, NET_LEG_IPVLAN, NET_LEG_TAP };

/**
 * struct net_leg - what an instance has in one network
 * @parent: the bridge, or the host's device below
 * @host: name of the end on the bridge; of NET_LEG_TAP, a virtual machine's, the only one that the host sees
 * @inside: name in the instance
 * @mac: has_mac: its hardware address
 * @hairpin: the bridge may send back to it what comes from it; @alone: and nothing that comes from others that are alone
 * @v4, @v6: its addresses with the length of the network, family 0 for none
 * @gateways: of the default routes, family 0 for none
 * @mtu: 0: the parent's
 * @mode: of macvlan and ipvlan, as the kernel counts them
 * @rate: bits per second each way, 0 without a limit
 * @table: of the store (table.h); with @rate and of NET_LEG_TAP only
 */
struct net_leg {
	enum net_leg_kind kind;
	const char *parent;
	char host[IFNAMSIZ], inside[IFNAMSIZ];
	unsigned char mac[NET_MAC_LEN];
	bool has_mac, hairpin, alone;
	struct net_prefix v4, v6;
	struct net_address gateways[2];
	unsigned mtu, mode;
	uint64_t rate;
	char table[NET_TABLE_MAX];
};

/**
 * net_link_find() - ask for a device
 * @fd: of netlink_open()
 * Return: 0; -ENODEV; -errno.
 */
int net_link_find(int fd, const char *name, struct net_link *ret);

/** net_link_mtu() - of the device with number @index; 0 when it cannot be told */
unsigned net_link_mtu(int fd, int index);

/** net_loopback_up() - bring up device lo of a new namespace; 0 or -errno */
int net_loopback_up(int fd);

#define NET_LOOPBACK 1 /* number of lo in every namespace */

/** net_link_remove() - remove a device; 0 also when there is none; -errno */
int net_link_remove(int fd, const char *name);

/**
 * net_bridge_make() - make a bridge, or complete one that is there
 * Return: 0; -errno with a message, which says so when the kernel has no bridges.
 */
int net_bridge_make(int fd, const struct net_bridge *b, struct err *err);

/**
 * net_legs_attach() - make the devices of an instance, with addresses and routes, and bring them up
 * @netns: its network namespace
 * Context: single-threaded process; goes to the namespace and comes back.
 * Return: 0; -errno with a message; what was made then goes with the namespace.
 */
int net_legs_attach(int netns, const struct net_leg *legs, size_t n, struct err *err);

/**
 * net_leg_tap() - make the device of a leg of kind NET_LEG_TAP, in its bridge and up
 * @leg: gets the @mtu that the device has
 * @queues: of the device
 * @fds: returns that many descriptors; the device ends with the last of them
 * Return: 0; -errno with a message, then there is none.
 */
int net_leg_tap(struct net_leg *leg, unsigned queues, int *fds, struct err *err);

/**
 * net_leg_detach() - remove a device from an instance
 * Context: as net_legs_attach().
 * Return: 0 also when there is none; -errno with a message.
 */
int net_leg_detach(int netns, const char *inside, struct err *err);
