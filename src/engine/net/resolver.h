/* SPDX-License-Identifier: MIT */
/*
 * The process that resolves names for a network: found, started, ended.
 *
 * It holds a lock on <runroot>/names/<digits of the network's id> while it lives, so whoever asks for the lock learns
 * its pid; beside that is the socket by which it is told things.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct eng_network;
struct engine;
struct err;

/** resolver_mail() - descriptor by which the resolver of a network is told things; -ENOENT, -ECONNREFUSED there is none; -errno */
int resolver_mail(struct engine *e, const char *network);

/** resolver_pid() - of the network with this id; 0 there is none; -errno */
pid_t resolver_pid(struct engine *e, const char *network);

/** resolver_any() - one of any network; 0 there is none; -errno */
pid_t resolver_any(struct engine *e);

/**
 * resolver_start() - start it, with sockets at the gateway's address; rules lead questions there
 * Context: the caller holds network_lock(); it tells it about the network, and then calls resolver_ready().
 * Return: descriptor as of resolver_mail(); -EADDRINUSE with a message that says who has the port; -errno with a message.
 */
int resolver_start(struct engine *e, const struct eng_network *n, struct err *err);

/** resolver_ready() - it knows all; from here on others tell it things: 0 or -errno.  Without this the next start replaces it. */
int resolver_ready(struct engine *e, const char *network);

/** resolver_end() - end it and forget it; nothing happens when there is none */
void resolver_end(struct engine *e, const char *network);

/** resolver_lost() - id, or beginning of it, of a network whose resolver died without resolver_end(): 1; 0 none */
int resolver_lost(struct engine *e, char *ret, size_t size);
