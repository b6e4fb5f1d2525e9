/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/prune.h"
#include "engine/engine.h"

struct prune_opts {
	bool all, force, volumes;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct prune_opts, all), NULL,
	  "all images that no instance uses, not only those without a name" },
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE",
	  "only those that match: " PRUNE_FILTERS },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ "volumes", 0, OPT_BOOL, offsetof(struct prune_opts, volumes), NULL,
	  "also anonymous volumes that no instance uses" },
	{ 0 },
};

static int check_filters(const struct prune_opts *o, struct err *err)
{
	for (size_t i = 0; o->volumes && i < o->filter.n; i++)
		if (str_starts(o->filter.v[i], "until="))
			return err_msg(err, -EINVAL,
				       "the \"until\" filter is not supported with \"--volumes\"");
	return 0;
}

static bool confirmed(const struct prune_opts *o)
{
	_cleanup_(str_fini) struct str s = { 0 };

	if (o->force)
		return true;
	str_printf(&s, "This will remove:\n  - all stopped instances\n  - all networks that no instance uses\n%s  - all %s\n",
		   o->volumes ? "  - all anonymous volumes that no instance uses\n" : "",
		   o->all ? "images that no instance uses" : "images without a name");
	return !s.failed && cli_confirm(s.p);
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int64_t size = 0;
	int r = check_filters(o, err);

	(void) argc;
	(void) argv;
	if (r < 0 || !confirmed(o))
		return r;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = prune_instances(e, &o->filter, &size, err);
	if (r == 0 && o->volumes)
		r = prune_volumes(e, false, &o->filter, &size, err);
	if (r == 0)
		r = prune_networks(e, &o->filter, err);
	if (r == 0)
		r = prune_images(e, o->all, &o->filter, &size, err);
	if (r == 0)
		prune_total(size);
	return r;
}

CLI_VERB(system_prune_verb) = {
	.name = "system prune",
	.args = "",
	.summary = "Remove what nobody uses: instances that do not run, images, volumes",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
