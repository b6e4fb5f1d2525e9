/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/oci/verb.h"
#include "oci/container.h"

static int state_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	_cleanup_(str_fini) struct str s = { 0 };
	int r = oci_container_open(cli->root, argv[0], &c, err);

	(void) data;
	(void) argc;
	if (r < 0)
		return r;
	if (!c->has_state)
		return err_msg(err, -EAGAIN, "container '%s' is still being created", argv[0]);
	oci_state_json(&c->state, oci_container_status(c), "", true, &s);
	if (s.failed || fputs(s.p, stdout) < 0)
		return err_set(err, -EIO, "print the state");
	return 0;
}

OCI_VERB(verb_state) = {
	.name = "state",
	.args = "<container-id>",
	.summary = "print the state of a container",
	.min_args = 1,
	.max_args = 1,
	.run = state_run,
};
