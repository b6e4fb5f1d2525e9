/* SPDX-License-Identifier: MIT */
/*
 * Devices that somebody else has set up in a network namespace, and how a virtual machine takes their place: what
 * comes to one is diverted to the machine's tap device, and back.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>

#include "net/address.h"
#include "net/link.h"

struct err;

#define NET_DEVICES_MAX 8 /* of a namespace */
#define NET_DEVICE_ADDRESSES_MAX 32 /* of a device */
#define NET_DEVICE_WAYS_MAX 64 /* of a device */

/** struct net_way - a route to @to by @gateway, family 0: on the link */
struct net_way {
	struct net_prefix to;
	struct net_address gateway;
};

/** struct net_device - a device with all that it has; those ways on the link come first */
struct net_device {
	int index;
	char name[IFNAMSIZ];
	unsigned char mac[NET_MAC_LEN];
	unsigned mtu;
	struct net_prefix addresses[NET_DEVICE_ADDRESSES_MAX];
	size_t nr_addresses;
	struct net_way ways[NET_DEVICE_WAYS_MAX];
	size_t nr_ways;
};

/**
 * net_devices_read() - devices of the calling thread's network namespace that are up and have hardware addresses
 * @ret: NET_DEVICES_MAX; @ret_n: how many there are
 * Return: 0; -EBUSY they are diverted to a virtual machine; -E2BIG; -errno; with a message.
 */
int net_devices_read(struct net_device *ret, size_t *ret_n, struct err *err);

/**
 * net_device_divert() - make a tap device in the same namespace, which gets what comes to @d and speaks for it
 * @queues: of the device
 * @fds: returns that many descriptors; the device ends with the last of them
 * Return: 0; -errno with a message, then there is none.
 */
int net_device_divert(const struct net_device *d, unsigned queues, int *fds, struct err *err);
