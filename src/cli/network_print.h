/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/opt.h"
#include "engine/net/network.h"

struct engine;
struct err;
struct str;

#define NETWORK_FILTERS "dangling, driver, id, label, name, scope, type, until"

/** struct network_match - a network and who uses it */
struct network_match {
	const struct eng_network *n;
	int users;
};

/** network_matches() - does it pass all --filter options?  1; 0; -EINVAL with a message */
int network_matches(const struct eng_network *n, int users, const struct opt_strings *filters, struct err *err);

/** network_json() - append all there is to know of it; 0 or -errno with a message */
int network_json(struct engine *e, const struct eng_network *n, struct str *ret, struct err *err);

/** network_users() - instances that run in it; number or -errno with a message */
int network_users(struct engine *e, const struct eng_network *n, struct err *err);
