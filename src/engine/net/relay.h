/* SPDX-License-Identifier: MIT */
/*
 * The process that passes on published ports of a user without root, one for all instances: `cleave-ports` in the home of
 * his networks.  For root there is none: rules do that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct engine;
struct err;
struct net_table_port;

/**
 * relay_open() - have ports of the host lead to an instance
 * Context: their rows are committed, and the home is there.
 * Return: 0, also for root; -EADDRINUSE; -errno with a message.
 */
int relay_open(struct engine *e, const char *instance, const struct net_table_port *ports, size_t n, struct err *err);

/** relay_close() - all ports of an instance are free again; nothing happens when there is no such process */
void relay_close(const struct engine *e, const char *instance);

/** relay_pid() - of that process; 0 there is none; -errno */
pid_t relay_pid(const struct engine *e);

/** relay_lost() - somebody ended it, though it is needed */
bool relay_lost(const struct engine *e);

/**
 * relay_restore() - start it again, with all ports that are leased
 * Context: the caller holds network_lock(), and the home is there.
 * Return: 0, also when somebody has one of the ports meanwhile; -errno with a message.
 */
int relay_restore(struct engine *e, struct err *err);

/** relay_end() - end it; nothing happens when there is none */
void relay_end(const struct engine *e);
