/* SPDX-License-Identifier: MIT */
/*
 * The verbs that talk to registries.  Their words are read by `cleave` and by the program `cleave-registry`, which
 * `cleave` becomes to do the work: it is linked with libcurl, and so not static.  Each function is there
 * twice: in become.c for the one, in a file of its own for the other.
 */
#pragma once

#include <stdbool.h>

struct cli;
struct err;

/** struct reach_opts - how registries are reached */
struct reach_opts {
	bool no_verify;
	const char *cert_dir, *creds;
};

/** struct pull_opts - options of `pull` */
struct pull_opts {
	struct reach_opts reach;
	bool all_tags, quiet;
	const char *platform, *os, *arch, *variant;
};

/** registry_pull() - `pull`: exit status; -errno with a message */
int registry_pull(struct cli *cli, void *opts, int argc, char **argv, struct err *err);
