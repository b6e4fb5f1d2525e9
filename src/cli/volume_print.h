/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/volume.h"

struct opt_strings;
struct str;

/** volume_json() - append what `volume inspect` shows; @indent in front of each line */
void volume_json(const struct engine *e, const struct eng_volume *v, const char *indent,
		 struct str *ret);

/**
 * volume_matches() - apply filters as of --filter
 * @filters: dangling, driver, label, name; different ones all have to match, of the same one is enough
 * Return: 1 or 0; -EINVAL with a message.
 */
int volume_matches(const struct eng_volume *v, const struct opt_strings *filters, struct err *err);
