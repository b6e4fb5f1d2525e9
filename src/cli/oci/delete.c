/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/cleanup.h"
#include "cli/oci/match.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/lifecycle.h"

struct delete_opts {
	bool force, regex;
};

static const struct opt delete_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct delete_opts, force), NULL,
	  "kill a running container first; one that does not exist is no error" },
	{ "regex", 'r', OPT_BOOL, offsetof(struct delete_opts, regex), NULL,
	  "the argument is a regular expression: remove every container whose id matches" },
	{ 0 },
};

static int delete_one(const struct oci_cli *cli, const char *id, const void *data, struct err *err)
{
	const struct delete_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = oci_container_open(cli->root, id, &c, err);

	if (r == -ENOENT && o->force)
		return 0;
	return r == 0 ? oci_delete(c, o->force, err) : r;
}

static int delete_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct delete_opts *o = data;

	(void) argc;
	return o->regex ? oci_match_each(cli, argv[0], delete_one, o, err) : delete_one(cli, argv[0], o, err);
}

OCI_VERB(verb_delete) = {
	.name = "delete",
	.args = "<container-id>",
	.summary = "remove a container and all that belongs to it",
	.min_args = 1,
	.max_args = 1,
	.opts = delete_table,
	.opts_size = sizeof(struct delete_opts),
	.run = delete_run,
	.interspersed = true,
};
