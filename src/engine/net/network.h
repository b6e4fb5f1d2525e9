/* SPDX-License-Identifier: MIT */
/*
 * Networks: rows of table "network".  Instances that run have a row of table "endpoint" for each of theirs, with
 * their addresses, and one of table "port" for each port of the host.
 *
 * The network "bridge" is made when it is first needed; "host" and "none" have no row.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/config.h"
#include "net/address.h"

struct arena;
struct engine;
struct err;

#define ENG_NETWORK_NAME_MAX 255 /* bytes */
#define ENG_NETWORK_DEFAULT "bridge"
#define ENG_NETWORK_SERVERS_MAX 8

/* Tables of this module, a step of the schema of state.db */
#define ENG_NETWORK_SCHEMA                                                                                            \
	"CREATE TABLE network(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, driver TEXT NOT NULL,"                  \
	" device TEXT NOT NULL, subnet TEXT NOT NULL, gateway TEXT NOT NULL, ip_range TEXT NOT NULL,"                 \
	" subnet6 TEXT NOT NULL, gateway6 TEXT NOT NULL, ip_range6 TEXT NOT NULL, internal INTEGER NOT NULL,"         \
	" mtu INTEGER NOT NULL, labels TEXT NOT NULL, options TEXT NOT NULL, created INTEGER NOT NULL,"               \
	" last INTEGER NOT NULL DEFAULT 0, last6 INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"                          \
	"CREATE TABLE endpoint(instance TEXT NOT NULL, network TEXT NOT NULL REFERENCES network(id),"                 \
	" number INTEGER NOT NULL, ip TEXT, ip6 TEXT, mac TEXT NOT NULL, names TEXT NOT NULL,"                        \
	" PRIMARY KEY(instance, network)) WITHOUT ROWID;"                                                             \
	"CREATE UNIQUE INDEX endpoint_ip ON endpoint(network, ip);"                                                   \
	"CREATE UNIQUE INDEX endpoint_ip6 ON endpoint(network, ip6);"                                                 \
	"CREATE TABLE port(protocol INTEGER NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL,"                  \
	" instance TEXT NOT NULL, target TEXT NOT NULL, inside INTEGER NOT NULL,"                                     \
	" PRIMARY KEY(protocol, port, address)) WITHOUT ROWID;"                                                       \
	"CREATE INDEX port_instance ON port(instance);"

/* Servers for names that somebody chose for the instance, separated by blanks */
#define ENG_NETWORK_SERVERS_SCHEMA "ALTER TABLE endpoint ADD COLUMN servers TEXT NOT NULL DEFAULT '';"

/* Of a network: addresses that others have, as NAME=ADDRESS, and servers for names, both lines; whether it has no names */
#define ENG_NETWORK_AUX_SCHEMA                                                                                        \
	"ALTER TABLE network ADD COLUMN aux TEXT NOT NULL DEFAULT '';"                                                \
	"ALTER TABLE network ADD COLUMN servers TEXT NOT NULL DEFAULT '';"                                            \
	"ALTER TABLE network ADD COLUMN nameless INTEGER NOT NULL DEFAULT 0;"

/* Options of a driver */
#define ENG_NETWORK_ICC "com.docker.network.bridge.enable_icc" /* false: its instances do not reach each other */
#define ENG_NETWORK_MASQUERADE "com.docker.network.bridge.enable_ip_masquerade"
#define ENG_NETWORK_BINDING "com.docker.network.bridge.host_binding_ipv4" /* where ports are published by default */

/**
 * struct eng_subnet - addresses of one version of IP
 * @net: family 0 when there are none
 * @gateway: the host's address in it
 * @range: where addresses for instances are taken from; length 0 with family 0: all of it
 */
struct eng_subnet {
	struct net_prefix net, range;
	struct net_address gateway;
};

/**
 * struct eng_network - a network
 * @driver: "bridge", "macvlan", "ipvlan"; "host" and "null" for those two
 * @device: the bridge, or the device of the host below
 * @nameless: its instances do not find each other by name
 * @aux: NAME=ADDRESS of others in it, whose addresses instances do not get
 * @servers: addresses of servers for names of the world; empty: those of the host
 * @labels, @options: NAME=VALUE
 * @mtu: 0: that of the host's way out
 * @created: ns since 1970
 */
struct eng_network {
	const char *id, *name, *driver, *device;
	struct eng_subnet v4, v6;
	bool internal, nameless;
	unsigned mtu;
	struct img_words labels, options, aux, servers;
	int64_t created;
};

/**
 * eng_network_create() - make a network, and its bridge
 * @n: what was asked for, but ids; the rest is filled; strings live in @arena; @name NULL: one is chosen
 * @ipv6: it wants addresses of IPv6, too
 * Return: 0; -EEXIST the name is taken or the addresses are; -EINVAL; -errno with a message.
 */
int eng_network_create(struct engine *e, struct eng_network *n, bool ipv6, struct arena *arena, struct err *err);

/**
 * eng_network_find() - by name, id, or beginning of an id; also "host", "none" and, before it was made, "bridge"
 * Return: 0; -ENOENT; -ENOTUNIQ; -errno with a message.
 */
int eng_network_find(struct engine *e, const char *what, struct arena *arena, struct eng_network *ret,
		     struct err *err);

/** eng_network_list() - all by name, also "host", "none" and "bridge"; number or -errno with a message */
int eng_network_list(struct engine *e, struct arena *arena, struct eng_network **ret, struct err *err);

/**
 * eng_network_remove() - remove a network and its bridge
 * Return: 0; -ENOENT; -EBUSY an instance that runs is in it; -EPERM it is always there; -errno with a message.
 */
int eng_network_remove(struct engine *e, const char *what, struct err *err);

/**
 * eng_network_servers() - other servers for names of the world, which its instances use at once
 * @add, @drop: addresses
 * Return: 0; -ENOENT no such network, or no such server; -EPERM it has no names; -errno with a message.
 */
int eng_network_servers(struct engine *e, const char *what, const struct img_words *add, const struct img_words *drop,
			struct err *err);

/** eng_network_off() - is something turned off that is on otherwise? */
bool eng_network_off(const struct eng_network *n, const char *option);

/** eng_network_is_fixed() - one of "bridge", "host", "none", which are always there */
bool eng_network_is_fixed(const char *name);

/** eng_network_option() - value of an option; NULL */
const char *eng_network_option(const struct eng_network *n, const char *name);

/** eng_networks_idle() - remove the bridges and rules of which no instance that runs has use; 0 or -errno with a message */
int eng_networks_idle(struct engine *e, struct err *err);

/** eng_networks_repair() - start again what somebody killed that networks in use need; quick when there is nothing; 0 or -errno with a message */
int eng_networks_repair(struct engine *e, struct err *err);

/**
 * struct eng_endpoint - an instance that runs in a network
 * @number: of its device ("eth0"); @ip, @ip6, @mac: texts, "" for none; @names: separated by blanks
 */
struct eng_endpoint {
	const char *instance, *name, *network, *ip, *ip6, *mac, *names;
	int number;
};

/** eng_endpoints() - of a network (its id) or of an instance (its id), the other NULL; number or -errno with a message */
int eng_endpoints(struct engine *e, const char *network, const char *instance, struct arena *arena,
		  struct eng_endpoint **ret, struct err *err);
