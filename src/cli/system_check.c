/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/check.h"
#include "engine/engine.h"

struct check_opts {
	bool quick, repair, force;
};

static const struct opt check_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct check_opts, force), NULL,
	  "with --repair: remove images that stay damaged, if no instance was made from them" },
	{ "quick", 'q', OPT_BOOL, offsetof(struct check_opts, quick), NULL,
	  "do not read all content of images" },
	{ "repair", 'r', OPT_BOOL, offsetof(struct check_opts, repair), NULL,
	  "put right what can be; writable layers and volumes are never removed" },
	{ 0 },
};

/* One line for each; *data counts those that nothing was done about.  Names of files may hold anything. */
static void found(void *data, const char *text, const char *action)
{
	size_t *left = data;

	for (; *text != '\0'; text++)
		putchar((unsigned char) *text < ' ' || *text == 0x7f ? '?' : *text);
	printf("%s%s\n", action != NULL ? ": " : "", action != NULL ? action : "");
	*left += action == NULL;
}

static int check_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct check_opts *o = opts;
	size_t left = 0;
	const struct eng_check c = { .quick = o->quick,
				     .repair = o->repair,
				     .force = o->force,
				     .found = found,
				     .data = &left };
	int r = cli_engine(cli, &e, err);

	(void) argc;
	(void) argv;
	if (r == 0)
		r = eng_check(e, &c, err);
	return r < 0 ? r : left > 0;
}

CLI_VERB(system_check_verb) = {
	.name = "system check",
	.args = "",
	.summary = "Look for damage in the store and for what was left behind",
	.opts = check_table,
	.opts_size = sizeof(struct check_opts),
	.run = check_run,
};
