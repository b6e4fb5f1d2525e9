/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_net_want;
struct eng_network;
struct engine;
struct err;
struct net_leg;

/**
 * eng_lease_take() - give an instance addresses in a network
 * @names: what it is called there, separated by blanks
 * @number: of its device
 * @ret: filled but for @kind, @gateways and @mode
 * Context: inside a transaction.
 * Return: 0; -EADDRINUSE; -EADDRNOTAVAIL none is left; -EINVAL; -errno with a message.
 */
int eng_lease_take(struct engine *e, const char *id, const struct eng_network *n, const struct eng_net_want *want,
		   const char *names, int number, struct net_leg *ret, struct err *err);
