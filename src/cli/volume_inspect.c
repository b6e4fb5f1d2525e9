/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "cli/format/listing.h"
#include "cli/volume_print.h"
#include "engine/engine.h"

struct inspect_opts {
	bool all;
	const char *format;
};

static const struct opt inspect_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct inspect_opts, all), NULL, "all volumes" },
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format), "FORMAT",
	  "a Go template, or json" },
	{ 0 },
};

static int add_volume(const struct engine *e, const struct inspect_opts *o,
		      const struct eng_volume *v, struct str *out, struct err *err)
{
	_cleanup_(str_fini) struct str one = { 0 };

	if (o->format == NULL) {
		str_puts(out, out->len > 0 ? ",\n" : "\n");
		volume_json(e, v, "    ", out);
		return 0;
	}
	volume_json(e, v, "", &one);
	return one.failed ? err_set(err, -ENOMEM, "describe the volumes")
			  : listing_template(o->format, one.p, one.len, err);
}

static int add_all(struct engine *e, const struct inspect_opts *o, struct arena *a, struct str *out,
		   struct err *err)
{
	struct eng_volume *list = NULL;
	int n = eng_volume_list(e, a, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = add_volume(e, o, &list[i], out, err);
	return r;
}

/* Prints what there is also when something is missing. */
static int inspect_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_(str_fini) struct str out = { 0 };
	const struct inspect_opts *o = opts;
	struct failures failures = { .err = err };
	int r;

	if (o->all == (argc > 0))
		return err_msg(err, -EINVAL, "give names of volumes, or --all");
	r = cli_engine(cli, &e, err);
	if (r == 0 && o->all)
		r = add_all(e, o, &a, &out, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		struct eng_volume v;
		struct err why = { 0 };
		int found = eng_volume_find(e, argv[i], &a, &v, &why);

		if (found == 0)
			found = add_volume(e, o, &v, &out, &why);
		if (found < 0)
			failures_note(&failures, found, &why);
	}
	if (r < 0)
		return r;
	if (out.failed)
		return err_set(err, -ENOMEM, "describe the volumes");
	if (o->format == NULL)
		printf("[%s%s]\n", out.p != NULL ? out.p : "", out.len > 0 ? "\n" : "");
	return failures.result;
}

CLI_VERB(volume_inspect_verb) = {
	.name = "volume inspect",
	.args = "[VOLUME...]",
	.summary = "Show all there is to know of volumes",
	.max_args = -1,
	.opts = inspect_table,
	.opts_size = sizeof(struct inspect_opts),
	.interspersed = true,
	.run = inspect_run,
};
