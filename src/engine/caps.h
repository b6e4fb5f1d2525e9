/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct eng_config;
struct err;

/**
 * eng_caps() - capabilities that a container gets, or with @machine a program in a virtual machine
 * Docker's fourteen, changed by cap_add and cap_drop; all that this process could give when privileged.
 * Return: bit n = capability n.
 */
uint64_t eng_caps(const struct eng_config *c, bool machine);

/**
 * eng_cap_parse() - "net_admin", "CAP_NET_ADMIN", "all" as the configuration has them
 * @ret: owned by @a
 * Return: 0; -EINVAL with a message.
 */
int eng_cap_parse(struct arena *a, const char *option, const char *text, const char **ret,
		  struct err *err);
