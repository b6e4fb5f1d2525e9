/* SPDX-License-Identifier: MIT */
/* What the files of this folder share.  Functions return 0 or -errno with a message, but where it says not. */
#pragma once

#include <stdbool.h>

#include "net/table.h"

struct arena;
struct db_rows;
struct eng_network;
struct engine;
struct err;

#define NETWORK_COLUMNS                                                                                              \
	"SELECT id, name, driver, device, subnet, gateway, ip_range, subnet6, gateway6, ip_range6, internal, mtu,"     \
	" labels, options, created, aux, servers, nameless FROM network "

/** network_row() - fill @ret from a row of NETWORK_COLUMNS */
int network_row(struct db_rows *rows, struct arena *arena, struct eng_network *ret, struct err *err);

/**
 * network_of() - the networks that an instance (its id) has leases in
 * @ret: array in @arena
 * Return: number, up to ENG_NETWORKS_MAX; -errno with a message.
 */
int network_of(struct engine *e, const char *instance, struct arena *arena, struct eng_network **ret, struct err *err);

/** network_insert() - make its row */
int network_insert(struct engine *e, const struct eng_network *n, struct err *err);

/** network_default() - the network "bridge", which is made if need be; not in a transaction */
int network_default(struct engine *e, struct arena *arena, struct eng_network *ret, struct err *err);

/**
 * network_choose() - complete its subnets: those asked for are checked, those missing are chosen
 * So that they overlap neither with other networks nor with what the host reaches otherwise.
 * Context: the caller holds network_lock().
 * Return: 0; -EEXIST somebody has those that were asked for; -errno with a message.
 */
int network_choose(struct engine *e, struct eng_network *n, bool ipv6, struct err *err);

/** network_mode() - of a device on one of the host's, as the kernel counts them; 0; -EINVAL with a message */
int network_mode(const struct eng_network *n, unsigned *ret, struct err *err);

/** network_aux() - the name that somebody has who is not an instance, and has this address; NULL: nobody; *ret_n: its bytes */
const char *network_aux(const struct eng_network *n, const char *address, size_t *ret_n);

/** network_lock() - one process of this host, or of this user, at a time chooses addresses or makes devices; descriptor or -errno */
int network_lock(const struct engine *e, struct err *err);

/** network_table() - name of the store's table of nftables, and a descriptor to use it by that stays the engine's */
int network_table(struct engine *e, char ret[NET_TABLE_MAX], int *ret_fd, struct err *err);

/**
 * network_prepare() - its addresses can be leased: its bridge is there, or could be made
 * Somebody may take it down as long as nobody has a lease of it; network_up() comes after that.
 * Return: 0; -errno with a message.
 */
int network_prepare(struct engine *e, struct eng_network *n, struct err *err);

/** network_up() - its bridge is there, and known to the rules; quick when it is so */
int network_up(struct engine *e, struct eng_network *n, struct err *err);

/** network_make() - the same for one that was just made, by who holds network_lock(); nothing as long as its home is not there */
int network_make(struct engine *e, const struct eng_network *n, struct err *err);

/** network_down() - remove its bridge and what the rules know of it; the caller holds network_lock() */
int network_down(struct engine *e, const struct eng_network *n, struct err *err);

/** network_rules() - make the rules anew from the database */
int network_rules(struct engine *e, struct err *err);

/** network_publish() - add ports to the rules, all or nothing */
int network_publish(struct engine *e, const struct net_table_port *ports, size_t n, struct err *err);
