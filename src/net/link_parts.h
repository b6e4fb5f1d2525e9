/* SPDX-License-Identifier: MIT */
/* Messages that bridges and what joins them have in common. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NET_DIVERT_PREFIX "cleave" /* names of the tap devices of net/device.h */

struct err;
struct net_leg;
struct net_prefix;
struct netlink_batch;

/** net_link_up() - bring the device with number @index up */
void net_link_up(struct netlink_batch *b, int index);

/** net_link_address() - give it the address @p->base in the network @p; nothing for family 0 */
void net_link_address(struct netlink_batch *b, int index, const struct net_prefix *p);

/** net_leg_rate() - what leaves by the device with number @index is no more than so many bits per second; 0: any */
void net_leg_rate(struct netlink_batch *b, int index, uint64_t bits);

/**
 * net_leg_port() - have the bridge send frames back to where they come from (a port gets its own only then), or not to others
 * Nothing when neither is asked for.
 */
void net_leg_port(struct netlink_batch *b, const struct net_leg *leg);

/** net_tap_queue() - a queue of a tap device, which is made with the first; descriptor; -errno with a message */
int net_tap_queue(const char *name, bool several, struct err *err);
