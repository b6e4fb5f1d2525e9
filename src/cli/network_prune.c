/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/network_print.h"
#include "cli/prune.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct prune_opts {
	bool force;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE", "only those that match: until, label" },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ 0 },
};

/* A network that a stopped instance is to be in again is not unused. */
static int is_wanted(struct engine *e, const char *network, const struct eng_instance *list, int n)
{
	for (int i = 0; i < n; i++) {
		struct eng_config c;
		bool wanted;

		if (eng_instance_config(e, &list[i], &c, NULL) < 0)
			continue;
		wanted = c.network != NULL && strcmp(c.network, network) == 0;
		for (size_t k = 0; !wanted && k < c.networks.n; k++)
			wanted = strncmp(c.networks.v[k], network, strlen(network)) == 0 &&
				 strchr(",", c.networks.v[k][strlen(network)]) != NULL;
		eng_config_fini(&c);
		if (wanted)
			return 1;
	}
	return 0;
}

int prune_networks(struct engine *e, const struct opt_strings *filters, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_instance *instances = NULL;
	struct eng_network *list = NULL;
	int nr_instances = eng_instance_list(e, &a, &instances, err), r = nr_instances, n = 0;
	bool first = true;

	if (r >= 0)
		r = n = eng_network_list(e, &a, &list, err);
	for (int i = 0; r >= 0 && i < n; i++) {
		if (eng_network_is_fixed(list[i].name))
			continue;
		r = network_matches(&list[i], 0, filters, err);
		if (r <= 0 || is_wanted(e, list[i].name, instances, nr_instances) == 1)
			continue;
		r = eng_network_remove(e, list[i].name, err);
		if (r == -EBUSY || r == -ENOENT) { /* somebody was quicker */
			r = 0;
			continue;
		}
		if (r == 0)
			printf("%s%s\n", first ? "Deleted Networks:\n" : "", list[i].name);
		first = false;
	}
	if (!first)
		puts("");
	return r < 0 ? r : eng_networks_idle(e, err);
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int r;

	(void) argc;
	(void) argv;
	if (!o->force && !cli_confirm("This will remove all networks that no instance uses, and bridges of the host that none needs now."))
		return 0;
	r = cli_engine(cli, &e, err);
	return r == 0 ? prune_networks(e, &o->filter, err) : r;
}

CLI_VERB(network_prune_verb) = {
	.name = "network prune",
	.args = "",
	.summary = "Remove networks that no instance uses",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
