/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct str;

/**
 * oci_spec_default() - append the text of a config.json to start from
 * @rootless: for a caller without privileges: a user namespace that maps the caller to root, the
 *            host's network, /sys bound from the host, no limits
 *
 * A cgroup namespace is included on hosts with the unified cgroup hierarchy only.
 */
void oci_spec_default(bool rootless, struct str *ret);
