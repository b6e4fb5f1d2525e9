/* SPDX-License-Identifier: MIT */
/*
 * Removing what nobody uses.  Each function prints a list of what it removed, as Docker does, if there
 * was something, and adds its bytes to *size.  Return: 0; -errno with a message.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct err;
struct opt_strings;

#define PRUNE_FILTERS "label, until" /* of images and instances */

/** prune_instances() - those that do not run; filters label and until */
int prune_instances(struct engine *e, const struct opt_strings *filters, int64_t *size,
		    struct err *err);

/** prune_images() - those without a name, with @all every one that no instance uses; filters label and until */
int prune_images(struct engine *e, bool all, const struct opt_strings *filters, int64_t *size,
		 struct err *err);

/** prune_volumes() - those without a name, with @all every one that no instance uses; filters of `volume ls` */
int prune_volumes(struct engine *e, bool all, const struct opt_strings *filters, int64_t *size,
		  struct err *err);

/** prune_total() - print how many bytes were freed, Docker's last line */
void prune_total(int64_t size);

/** prune_networks() - remove networks that no instance uses, and idle bridges; prints them; 0 or -errno with a message */
int prune_networks(struct engine *e, const struct opt_strings *filters, struct err *err);
