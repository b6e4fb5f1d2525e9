/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/arena.h"
#include "registry/session.h"
#include "registry/settings.h"

struct cli;
struct engine;
struct err;
struct reach_opts;

/** struct reach - what every verb of this folder needs; zero-initialise, release with reach_end() */
struct reach {
	struct reg_settings settings;
	struct reg_access access;
	struct arena arena;
	struct engine *engine;
};

/**
 * reach_begin() - read options and settings
 * @o: borrows; a password that is missing is asked for
 * @cli: opens the store of this, NULL: the store is not touched
 * Broken connections are errors like others from here on.
 * Return: 0; -errno with a message.
 */
int reach_begin(struct reach *ret, const struct reach_opts *o, struct cli *cli, struct err *err);

/** reach_end() - release */
void reach_end(struct reach *r);

/** reach_name() - an image as a user names it, without the "docker://" that Podman and skopeo know */
const char *reach_name(const char *text);

/**
 * reach_password() - ask for a password on the terminal, without showing it
 * @ret: in @arena
 * Return: 0; -ENOTTY there is no terminal; -errno; with a message.
 */
int reach_password(struct arena *arena, const char **ret, struct err *err);
