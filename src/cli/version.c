/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "oci/spec.h"

static int version_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) cli;
	(void) opts;
	(void) argc;
	(void) argv;
	(void) err;
	printf("cleave version %s\nruntime-spec: %s\n", CLEAVE_VERSION, OCI_SPEC_VERSION);
	return 0;
}

CLI_VERB(version_verb) = {
	.name = "version",
	.args = "",
	.summary = "Print the version",
	.run = version_run,
};
