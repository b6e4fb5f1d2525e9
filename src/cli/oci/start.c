/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/lifecycle.h"

static int start_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = oci_container_open(cli->root, argv[0], &c, err);

	(void) data;
	(void) argc;
	return r == 0 ? oci_start(c, err) : r;
}

OCI_VERB(verb_start) = {
	.name = "start",
	.args = "<container-id>",
	.summary = "run the program of a created container",
	.min_args = 1,
	.max_args = 1,
	.run = start_run,
};
