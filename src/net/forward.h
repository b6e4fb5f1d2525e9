/* SPDX-License-Identifier: MIT */
/*
 * Hosts whose own rules let nothing pass that nobody has allowed, such as those with Docker or a firewall.
 *
 * "accept" of our table is not final, so a bridge gets two rules at the beginning of each chain that decides what is
 * forwarded and drops by its policy or its last rule, whatever the table; where Docker asks for rules of others, in
 * DOCKER-USER, they are there instead.  They carry our name, and go with the bridge.  Nothing is done in chains that
 * let pass what nobody has forbidden.  The same goes for what reaches the host, by which questions for names come to the
 * resolver.
 */
#pragma once

#include <stdbool.h>

struct err;

/**
 * net_forward_allow() - let pass what comes from or goes to a bridge, where the host would drop it
 * @fd: of net_table_open()
 * @names: also questions for names that are sent to the host
 * Return: 0, also when there was nothing to do; -errno with a message.
 */
int net_forward_allow(int fd, const char *device, bool names, struct err *err);

/** net_forward_forget() - remove those rules; 0 also when there are none; -errno with a message */
int net_forward_forget(int fd, const char *device, struct err *err);
