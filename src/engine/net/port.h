/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "net/table.h"

struct arena;
struct eng_config;
struct engine;
struct err;
struct net_leg;

/** struct port_list - ports that were leased; in an arena */
struct port_list {
	struct net_table_port *v;
	size_t n, room;
};

/**
 * eng_port_take() - lease the ports that a configuration publishes
 * @binding: where they are published that name no address, NULL: on all of them; @leg: of the network that they lead to
 * Context: inside a transaction.
 * Return: 0; -EADDRINUSE with a message that says who has one; -EPROTONOSUPPORT sctp without root; -errno with a message.
 */
int eng_port_take(struct engine *e, const char *id, const struct eng_config *c, const char *binding,
		  const struct net_leg *leg, struct arena *a, struct port_list *ret, struct err *err);
