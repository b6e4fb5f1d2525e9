/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/lifecycle.h"

struct kill_opts {
	bool all;
};

static const struct opt kill_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct kill_opts, all), NULL,
	  "send the signal to every process of the container" },
	{ 0 },
};

static int kill_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct kill_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int signal = oci_signal_parse(argc > 1 ? argv[1] : "TERM"), r;

	if (signal < 0)
		return err_msg(err, -EINVAL, "unknown signal \"%s\"", argv[1]);
	r = oci_container_open(cli->root, argv[0], &c, err);
	return r == 0 ? oci_kill(c, signal, o->all, err) : r;
}

OCI_VERB(verb_kill) = {
	.name = "kill",
	.args = "<container-id> [signal]",
	.summary = "send a signal (default: SIGTERM) to a container's first process",
	.min_args = 1,
	.max_args = 2,
	.opts = kill_table,
	.opts_size = sizeof(struct kill_opts),
	.run = kill_run,
	.interspersed = true,
};
