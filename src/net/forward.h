/* SPDX-License-Identifier: MIT */
/*
 * Hosts whose own rules let nothing pass that nobody has allowed, such as those with Docker.
 *
 * "accept" of our table is not final, so a bridge gets two rules in the chain that is meant for it: DOCKER-USER, where
 * Docker asks for those of others, or FORWARD of table filter.  They carry our name, and go with the bridge.  Nothing
 * is done where FORWARD accepts.  The same goes for INPUT, by which questions for names come to the resolver.
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
