/* SPDX-License-Identifier: MIT */
#pragma once

#include "registry/session.h"

struct arena;
struct err;
struct reach_opts;

/** reach_access() - options as the library wants them: 0; -EINVAL with a message; asks for a missing password */
int reach_access(const struct reach_opts *o, struct arena *arena, struct reg_access *ret, struct err *err);

/**
 * reach_password() - ask for a password on the terminal, without showing it
 * @ret: in @arena
 * Return: 0; -ENOTTY there is no terminal; -errno; with a message.
 */
int reach_password(struct arena *arena, const char **ret, struct err *err);
