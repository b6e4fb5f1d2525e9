/* SPDX-License-Identifier: MIT */
#pragma once

struct arena;
struct eng_network;
struct err;
struct img_words;
struct opt_strings;

/**
 * network_option() - read NAME=VALUE of --opt of `network create`
 * @n: gets what has a member of its own; its driver is known
 * Return: 0; -EINVAL with a message that says what is possible.
 */
int network_option(const char *option, struct eng_network *n, struct err *err);

/** network_servers() - addresses of servers for names; strings live in @a; 0; -EINVAL with a message */
int network_servers(const struct opt_strings *values, struct arena *a, struct img_words *ret, struct err *err);

/** network_device() - the name of a device of the host; 0; -EINVAL with a message */
int network_device(const char *name, struct eng_network *n, struct err *err);
