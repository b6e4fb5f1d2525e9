/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/volume_print.h"
#include "engine/engine.h"

struct inspect_opts {
	const char *format;
};

static const struct opt inspect_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format), "FORMAT",
	  "a Go template, or json" },
	{ 0 },
};

/* With a template: a line for each.  Else it is added to the list. */
static int print_one(const struct engine *e, const struct eng_volume *v, const char *format, int n,
		     struct str *list, struct err *err)
{
	_cleanup_(str_fini) struct str one = { 0 };

	if (format == NULL) {
		str_puts(list, n > 0 ? ",\n" : "\n");
		volume_json(e, v, "    ", list);
		return 0;
	}
	volume_json(e, v, "", &one);
	return one.failed ? err_set(err, -ENOMEM, "describe the volume")
			  : listing_template(format, one.p, one.len, err);
}

/* Prints what there is also when something is missing. */
static int inspect_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_(str_fini) struct str out = { 0 };
	const struct inspect_opts *o = opts;
	int r = cli_engine(cli, &e, err), result = 0, n = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		struct eng_volume v;
		struct err why = { 0 };
		int found = eng_volume_find(e, argv[i], &a, &v, &why);

		if (found < 0) {
			if (result < 0)
				fprintf(stderr, "cleave: %s\n", err->text);
			*err = why;
			result = found;
			continue;
		}
		r = print_one(e, &v, o->format, n++, &out, err);
	}
	if (r < 0)
		return r;
	if (out.failed)
		return err_set(err, -ENOMEM, "describe the volumes");
	if (o->format == NULL)
		printf("[%s%s]\n", out.p != NULL ? out.p : "", n > 0 ? "\n" : "");
	return result;
}

CLI_VERB(volume_inspect_verb) = {
	.name = "volume inspect",
	.args = "VOLUME...",
	.summary = "Show all there is to know of volumes",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_table,
	.opts_size = sizeof(struct inspect_opts),
	.interspersed = true,
	.run = inspect_run,
};
