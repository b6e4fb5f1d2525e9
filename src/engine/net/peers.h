/* SPDX-License-Identifier: MIT */
/*
 * Names in networks on a device of the host (macvlan, ipvlan), where nobody could be asked: lines in /etc/hosts.
 */
#pragma once

#include <stdbool.h>

struct eng_network;
struct engine;
struct err;
struct str;

/** peers_known() - do instances find each other by such lines in this network? */
bool peers_known(const struct eng_network *n);

/** peers_add() - append the lines that an instance (its id) is to have of a network; 0 or -errno with a message */
int peers_add(struct engine *e, const struct eng_network *n, const char *instance, struct str *ret, struct err *err);

/**
 * peers_tell() - have all instances of a network that run know all others
 * Context: leases are committed; no transaction, no network_lock().
 * Return: 0; -errno with a message.
 */
int peers_tell(struct engine *e, const struct eng_network *n, struct err *err);

/** peers_tell_all() - the same for all networks of an instance */
int peers_tell_all(struct engine *e, const char *instance, struct err *err);
