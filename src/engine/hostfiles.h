/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_config;
struct eng_net;
struct err;

/**
 * eng_hostfiles_write() - make the instance's own hosts, hostname and resolv.conf
 * @dir: of the instance
 *
 * With the host's network, what the host has there; without --dns and its like, the host's servers.
 * Return: 0; -errno with a message.
 */
int eng_hostfiles_write(const struct eng_config *c, int dir, struct err *err);

/**
 * eng_hostfiles_renew() - make them anew for a start
 * @net: what it gets of networks; NULL: nothing is to be done
 *
 * The files stay the same ones, which others may have mounted.
 * Return: 0; -errno with a message.
 */
int eng_hostfiles_renew(const struct eng_net *net, const struct eng_config *c, int dir, struct err *err);

/** eng_hostfiles_resolver() - write only its resolv.conf, for a resolver at this address, NULL for none; 0 or -errno with a message */
int eng_hostfiles_resolver(const char *resolver, const struct eng_config *c, int dir, struct err *err);
