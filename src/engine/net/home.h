/* SPDX-License-Identifier: MIT */
/*
 * Without root, networks have a network namespace of the user's as their home: bridges, rules and resolvers are there
 * as they are in that of the host for root, and one pasta is the way out of it.
 *
 * For root, the home is the namespace that the process is in, and always there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOME_FOLDER "net" /* of the run root */

struct eng_config;
struct engine;
struct err;
struct net_leg;

/**
 * home_find() - use the home if there is one
 * e->netns is it then, unless the home is that of the process.
 * Return: 0; -ENOENT; -errno.
 */
int home_find(struct engine *e);

/** home_is_open() - is there a home, with a way out if it is to have one? */
bool home_is_open(struct engine *e, bool way_out);

/**
 * home_need() - make what is missing of that
 * Context: the caller holds network_lock().
 * Return: 0; -errno with a message.
 */
int home_need(struct engine *e, bool way_out, struct err *err);

/** home_is_lost() - somebody has ended a part of it that was there */
bool home_is_lost(struct engine *e);

/** home_end() - end it with all that is in it; nothing happens when there is none */
void home_end(struct engine *e);

/** home_resolver() - whom an instance asks for names in a network without a resolver; NULL: the host's servers, or those chosen for it */
const char *home_resolver(const struct engine *e, const struct eng_config *c);

/** home_netlink() - rtnetlink socket of the home that was found; descriptor or -errno with a message */
int home_netlink(const struct engine *e, struct err *err);

/** home_attach() - net_legs_attach(), from there */
int home_attach(const struct engine *e, int netns, const struct net_leg *legs, size_t n, struct err *err);

/** home_detach() - net_leg_detach(), from there */
int home_detach(const struct engine *e, int netns, const char *inside, struct err *err);

/** home_tap() - net_leg_tap(), there */
int home_tap(const struct engine *e, struct net_leg *leg, unsigned queues, int *fds, struct err *err);
