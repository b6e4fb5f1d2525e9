/* SPDX-License-Identifier: MIT */
/*
 * Names of instances, as the resolvers of their networks are told.
 */
#pragma once

#include <stdbool.h>

#include "net/address.h"

struct arena;
struct eng_instance;
struct eng_network;
struct engine;
struct err;

/** names_known() - do instances find each other by name in this network? */
bool names_known(const struct eng_network *n);

/**
 * names_tell() - tell the resolvers of all its networks of an instance; those that do not run are started
 * Context: its leases are committed; no transaction, no network_lock().
 * Return: 0; -errno with a message.
 */
int names_tell(struct engine *e, const char *instance, struct err *err);

/**
 * names_forget() - tell the resolver of a network that an instance leaves, or end it with the last
 * @network, @instance: ids
 * Context: in the transaction that removes the lease.
 * Return: 0; -errno with a message.
 */
int names_forget(struct engine *e, const char *network, const char *instance, struct err *err);

/** names_forget_all() - the same in all its networks */
int names_forget_all(struct engine *e, const char *instance, struct err *err);

/** names_tell_servers() - tell the resolver of a network, if it runs, of other servers; 0 or -errno with a message */
int names_tell_servers(struct engine *e, const struct eng_network *n, struct err *err);

/** names_gateway() - address of the resolver that an instance asks: of the first of its networks with one; "" without */
int names_gateway(struct engine *e, const char *instance, char ret[NET_TEXT_MAX], struct err *err);

/** names_rename() - an instance that runs has another name; 0; -errno its networks do not know it */
int names_rename(struct engine *e, const struct eng_instance *i, const char *name);

/** names_start() - have a network in use a resolver, which knows all that it should; 0 or -errno with a message */
int names_start(struct engine *e, const struct eng_network *n, struct err *err);

/** names_repair() - start those resolvers again that somebody killed; quick when there are none; 0 or -errno with a message */
int names_repair(struct engine *e, struct err *err);
