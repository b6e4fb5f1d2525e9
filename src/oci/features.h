/* SPDX-License-Identifier: MIT */
#pragma once

struct str;

/**
 * oci_features() - append what this runtime supports, as one JSON object without a line end
 *
 * Names come from the tables the parser reads with.  Seccomp flags are tried on the running kernel.
 * Spec: runtime-spec 1.3, features.md and features-linux.md.
 */
void oci_features(struct str *ret);
