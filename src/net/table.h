/* SPDX-License-Identifier: MIT */
/*
 * The host's rules for our networks: one table of nftables per store, whose rules never change.
 *
 * Networks and published ports are elements of its sets and maps.  `nft list table inet cleave` shows it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

struct err;

#define NET_TABLE "cleave" /* of the store in its usual place; others add a dash and digits */
#define NET_TABLE_MAX 32 /* bytes of a name */
#define NET_MARK 1 /* of packets that are for a process which has their address */
#define NET_NAMES_PORT 30053 /* so that port 53 stays free; nobody's, and none that the kernel gives */

/**
 * struct net_table_bridge - a network on a bridge
 * @v4, @v6: its subnets, family 0 for none
 * @internal: nothing leaves or enters it
 * @plain: what leaves it keeps its address
 * @names: the host's address to which questions for names are sent, family 0 for none; they go to port NET_NAMES_PORT
 */
struct net_table_bridge {
	const char *device;
	struct net_prefix v4, v6;
	bool internal, plain;
	struct net_address names;
};

/**
 * struct net_table_port - a published port
 * @protocol: IPPROTO_*
 * @host: address of the host, 0.0.0.0 or :: for all of them
 * @to: address of the instance, of the same family
 */
struct net_table_port {
	unsigned char protocol;
	struct net_address host, to;
	uint16_t port, to_port;
};

/**
 * struct net_table - what is in the table of name @name, or is to be added or removed
 * @fd: of net_table_open()
 * @foreign: connections to instances may be made with foreign addresses; what comes back for those gets NET_MARK
 */
struct net_table {
	int fd;
	bool foreign;
	const char *name;
	const struct net_table_bridge *bridges;
	size_t nr_bridges;
	const struct net_table_port *ports;
	size_t nr_ports;
};

/**
 * net_table_open() - descriptor for what follows
 * To close it takes 10 ms after something was removed, because the kernel then waits until nobody uses that.
 * Return: descriptor; -errno with a message.
 */
int net_table_open(struct err *err);

/**
 * net_table_add() - add to a table, all or nothing
 * Return: 0; -ENOENT there is no such table, or it is not whole; -EEXIST a port is taken; -errno with a message.
 */
int net_table_add(const struct net_table *t, struct err *err);

/** net_table_remove() - remove from it; what is not there is fine; 0 or -errno with a message */
int net_table_remove(const struct net_table *t, struct err *err);

/** net_table_make() - make it anew with just that; 0 or -errno with a message that says what the kernel lacks */
int net_table_make(const struct net_table *t, struct err *err);

/**
 * net_table_limit() - drop what comes from a device beyond so many bits per second
 * By a chain of that name in a table of the same name that is for devices; it ends with the device.  What may come in a
 * second may come at once: the kernel's limit has a bucket of that size.
 * Return: 0; -errno with a message.
 */
int net_table_limit(int fd, const char *name, const char *device, uint64_t bits, struct err *err);

/** net_table_drop() - remove the whole table; 0 also when there is none; -errno with a message */
int net_table_drop(int fd, const char *name, struct err *err);

/** net_table_knows() - is the bridge @device in it?  1; 0; -errno with a message */
int net_table_knows(int fd, const char *name, const char *device, struct err *err);
