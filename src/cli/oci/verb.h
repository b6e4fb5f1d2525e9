/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/opt.h"
#include "base/registry.h"

struct err;

/**
 * struct oci_cli - what every verb of the runtime gets
 * @root: directory of the runtime's state, absolute
 * @root_given: --root was used
 * @systemd_cgroup: --systemd-cgroup or --cgroup-manager=systemd
 * @no_cgroup: --cgroup-manager=disabled
 * @argv: of main(), for exe_seal()
 */
struct oci_cli {
	const char *root;
	bool root_given;
	bool systemd_cgroup;
	bool no_cgroup;
	char **argv;
};

/**
 * struct oci_verb - one command of the runtime
 * @name: as typed
 * @args: operands for help, e.g. "<container-id> [signal]"
 * @min_args, @max_args: number of operands, @max_args < 0 for any number
 * @summary: one line for help
 * @opts: option table or NULL
 * @opts_size: size of the options struct, zeroed before parsing
 * @run: returns the exit status or -errno with a message; @opts borrows
 * @seal: the verb clones container processes, so it runs from a protected copy
 * @fail_status: exit status when run() fails, 0 means 1
 */
struct oci_verb {
	const char *name, *args, *summary;
	int min_args, max_args;
	const struct opt *opts;
	size_t opts_size;
	int (*run)(struct oci_cli *cli, void *opts, int argc, char **argv, struct err *err);
	bool seal;
	bool interspersed;
	int fail_status;
};

REGISTRY_DECLARE(oci_verbs, struct oci_verb);
#define OCI_VERB(verb)                     \
	static const struct oci_verb verb; \
	REGISTRY_ADD(oci_verbs, verb);     \
	static const struct oci_verb verb
