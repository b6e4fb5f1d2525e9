/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct engine;
struct err;

/**
 * registry_get() - run `pull` for a verb that needs an image
 * @platform: NULL for this machine's
 * What it prints goes to standard error, with @quiet only what went wrong.
 * Return: 0; -EREMOTE it has said why not: the message is empty; -errno with a message.
 */
int registry_get(struct engine *e, const char *name, const char *platform, bool quiet, struct err *err);
