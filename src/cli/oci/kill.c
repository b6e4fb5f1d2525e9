/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/oci/match.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/lifecycle.h"

struct kill_opts {
	bool all, regex;
};

static const struct opt kill_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct kill_opts, all), NULL,
	  "send the signal to every process of the container" },
	{ "regex", 'r', OPT_BOOL, offsetof(struct kill_opts, regex), NULL,
	  "the first argument is a regular expression: every container whose id matches" },
	{ 0 },
};

struct kill_want {
	int signal;
	bool all;
};

static int kill_one(const struct oci_cli *cli, const char *id, const void *data, struct err *err)
{
	const struct kill_want *want = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = oci_container_open(cli->root, id, &c, err);

	return r == 0 ? oci_kill(c, want->signal, want->all, err) : r;
}

static int kill_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct kill_opts *o = data;
	const struct kill_want want = {
		.signal = oci_signal_parse(argc > 1 ? argv[1] : "TERM"), .all = o->all,
	};

	if (want.signal < 0)
		return err_msg(err, -EINVAL, "unknown signal \"%s\"", argv[1]);
	return o->regex ? oci_match_each(cli, argv[0], kill_one, &want, err) :
			  kill_one(cli, argv[0], &want, err);
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
