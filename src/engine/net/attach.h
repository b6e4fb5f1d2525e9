/* SPDX-License-Identifier: MIT */
/*
 * Instances in their networks: addresses and ports are leased before the start, devices are made while the instance
 * is, and everything is given back at its end.
 *
 * An instance asks for a network by words: "NAME[,ip=ADDRESS][,ip6=ADDRESS][,mac=ADDRESS][,alias=NAME]...
 * [,rate=BITS]".  The first is in members of its own of struct eng_config, the others in @networks.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "image/config.h"
#include "net/link.h"

struct eng_config;
struct eng_instance;
struct engine;
struct err;
struct str;

#define ENG_NETWORKS_MAX 32 /* of one instance */

/** struct eng_net_want - a network that is asked for; NULL: not given; @rate: bits per second, 0 without a limit */
struct eng_net_want {
	const char *name, *ip, *ip6, *mac;
	struct img_words aliases;
	uint64_t rate;
};

/**
 * struct eng_net - what an instance gets that is being started
 * @legs: its devices, @n of them
 * @hosts: lines for its /etc/hosts
 * @resolver: address of its network's resolver; NULL: the host's are used
 * @gateway: the host's address in its first network; "" for none
 * @peers: instances of its networks know it by their /etc/hosts
 * @pasta: command line of the program that stands for networks without root; empty for none
 */
struct eng_net {
	struct arena arena;
	struct net_leg *legs;
	size_t n;
	const char *hosts, *resolver;
	char gateway[NET_TEXT_MAX];
	bool peers;
	struct img_words pasta;
};

/** eng_net_want_parse() - read such words; 0; -EINVAL with a message; -ENOMEM */
int eng_net_want_parse(struct arena *a, const char *text, struct eng_net_want *ret, struct err *err);

/** eng_net_want_text() - write them; NULL without memory */
const char *eng_net_want_text(struct arena *a, const struct eng_net_want *w);

/** eng_net_wants() - all that a configuration asks for, in an array of ENG_NETWORKS_MAX; number or -errno with a message */
int eng_net_wants(const struct eng_config *c, struct arena *a, struct eng_net_want *ret, struct err *err);

/**
 * eng_net_start() - lease what an instance needs that is about to be started; e->net says what that is
 * Context: the caller holds its lock.
 * Return: 0; -ENOENT no such network; -EADDRINUSE a port or address is taken; -errno with a message.  What was leased
 *         then is given back by eng_net_stop().
 */
int eng_net_start(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct err *err);

/** eng_net_connect() - make the devices of e->net in namespace @netns; asks no database; 0 or -errno with a message */
int eng_net_connect(struct engine *e, int netns, struct err *err);

/** eng_net_started() - it runs: those who know it by their files are told, and its own is complete */
void eng_net_started(struct engine *e, const struct eng_instance *i);

/** eng_net_stop() - give everything back; can be repeated; 0 or -errno with a message */
int eng_net_stop(struct engine *e, const char *id, struct err *err);

/** eng_net_free() - release; NULL is fine */
void eng_net_free(struct eng_net *net);

/**
 * eng_net_join() - put an instance into one more network, at once if it runs
 * Return: 0; -EEXIST it is in it; -errno with a message.
 */
int eng_net_join(struct engine *e, const struct eng_instance *i, const struct eng_net_want *want, struct err *err);

/** eng_net_leave() - take it out of one; 0; -ENOENT it is not in it; -errno with a message */
int eng_net_leave(struct engine *e, const struct eng_instance *i, const char *network, bool force, struct err *err);

/**
 * eng_net_reload() - make devices, bridges and rules of one that runs again, with the addresses and ports that it has
 * Return: 0 also when there is nothing to make; -ESRCH it does not run; -errno with a message.
 */
int eng_net_reload(struct engine *e, const struct eng_instance *i, struct err *err);

/** eng_net_inspect() - append the member "NetworkSettings" of what `inspect` prints */
void eng_net_inspect(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct str *ret);

/** struct eng_port - a published port of an instance that runs */
struct eng_port {
	unsigned char protocol;
	const char *address, *target;
	int port, inside;
};

/** eng_ports() - of an instance (its id), by protocol and number inside; number or -errno with a message */
int eng_ports(struct engine *e, const char *id, struct arena *arena, struct eng_port **ret, struct err *err);
