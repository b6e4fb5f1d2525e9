/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_config;
struct eng_endpoint;
struct eng_instance;
struct eng_net_want;
struct eng_network;
struct engine;
struct err;
struct net_leg;

/**
 * eng_lease_take() - give an instance addresses in a network
 * @c: its configuration: for its names, and the servers that it asks for others
 * @number: of its device
 * @ret: filled but for @kind, @gateways and @mode
 * Context: inside a transaction.
 * Return: 0; -EADDRINUSE; -EADDRNOTAVAIL none is left; -EINVAL; -errno with a message.
 */
int eng_lease_take(struct engine *e, const struct eng_instance *i, const struct eng_config *c, const struct eng_network *n,
		   const struct eng_net_want *want, int number, struct net_leg *ret, struct err *err);

/** eng_lease_leg() - the device that a lease stands for, as eng_lease_take() had it, but for its rate; 0 or -errno with a message */
int eng_lease_leg(const struct eng_network *n, const struct eng_endpoint *p, struct net_leg *ret, struct err *err);
