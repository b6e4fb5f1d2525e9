/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/format/table.h"
#include "cli/instance_match.h"
#include "cli/prune.h"
#include "cli/when.h"
#include "engine/disk.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct prune_opts {
	bool force;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE",
	  "only those that match: " PRUNE_FILTERS },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ 0 },
};

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	struct instance_match *m = (struct instance_match *) what; /* reads the configuration late */
	int64_t until;

	if (strcmp(name, "until") == 0) {
		int r = cli_when("--filter until", value, &until, err);

		return r < 0 ? r : m->i->created < until;
	}
	return filter_label(&instance_match_config(m)->labels, value) == (name[5] == '\0');
}

static int prune_one(struct engine *e, const struct eng_instance *i,
		     const struct opt_strings *filters, bool *first, int64_t *size,
		     struct err *err)
{
	_cleanup_(instance_match_fini) struct instance_match m = { .e = e, .i = i };
	int64_t bytes;
	int r = filter_match(filters, test, &m, err);

	if (r <= 0 || (i->state != ENG_STATE_CREATED && i->state != ENG_STATE_EXITED))
		return r;
	bytes = (int64_t) eng_disk_writable(e, i->id);
	r = eng_instance_remove(e, i, false, false, err);
	if (r == -EBUSY || r == -ENOENT)
		return 0; /* somebody started or removed it meanwhile */
	if (r < 0)
		return r;
	printf("%s%s\n", *first ? "Deleted Containers:\n" : "", i->id);
	*first = false;
	*size += bytes;
	return 0;
}

int prune_instances(struct engine *e, const struct opt_strings *filters, int64_t *size,
		    struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance *list = NULL;
	_cleanup_(instance_match_fini) struct instance_match none = { .e = e, .i = &(struct eng_instance) { .id = "" } };
	bool first = true;
	int r = filter_check(filters, PRUNE_FILTERS, err), n;

	if (r == 0)
		r = filter_match(filters, test, &none, err); /* wrong values are told in any case */
	n = r < 0 ? r : eng_instance_list(e, &arena, &list, err);

	for (int i = 0; r >= 0 && i < n; i++)
		r = prune_one(e, &list[i], filters, &first, size, err);
	eng_instances_sweep(e);
	if (!first)
		puts("");
	return n < 0 ? n : r < 0 ? r : 0;
}

void prune_total(int64_t size)
{
	char text[32];

	cli_size(size, text);
	printf("Total reclaimed space: %s\n", text);
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int64_t size = 0;
	int r;

	(void) argc;
	(void) argv;
	if (!o->force && !cli_confirm("This will remove all stopped instances."))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = prune_instances(e, &o->filter, &size, err);
	if (r < 0)
		return r;
	prune_total(size);
	return 0;
}

CLI_VERB(container_prune_verb) = {
	.name = "container prune",
	.args = "",
	.summary = "Remove instances that do not run",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
