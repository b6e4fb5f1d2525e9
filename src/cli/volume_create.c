/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/name.h"
#include "engine/volume.h"

struct create_opts {
	bool ignore; /* as always: one that is there is fine */
	const char *driver, *name;
	struct opt_strings label, opt;
};

static const struct opt create_table[] = {
	{ "driver", 'd', OPT_STRING, offsetof(struct create_opts, driver), "DRIVER", "only local" },
	{ "ignore", 0, OPT_BOOL, offsetof(struct create_opts, ignore), NULL, NULL },
	{ "label", 0, OPT_STRINGS, offsetof(struct create_opts, label), "NAME[=VALUE]",
	  "set a label" },
	{ "name", 0, OPT_STRING, offsetof(struct create_opts, name), "NAME", NULL },
	{ "opt", 'o', OPT_STRINGS, offsetof(struct create_opts, opt), "NAME=VALUE",
	  "type, device and o as of mount(8)" },
	{ 0 },
};

static int read_volume(const struct create_opts *o, struct arena *a, struct eng_volume *v,
		       struct err *err)
{
	static const struct opt_strings no_files;
	char id[ENG_ID_LEN + 1];
	int r = run_labels(a, &v->labels, &no_files, &o->label, err);

	for (size_t i = 0; r == 0 && i < o->opt.n; i++)
		r = eng_env_set(a, &v->options, o->opt.v[i]) < 0 ? run_nomem(err) : 0;
	if (r < 0 || v->name != NULL)
		return r;
	v->anonymous = true;
	r = eng_id_random(id, err);
	if (r == 0)
		v->name = arena_strdup(a, id);
	return r == 0 && v->name == NULL ? run_nomem(err) : r;
}

static int create_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct create_opts *o = opts;
	struct eng_volume v = { .name = argc > 0 ? argv[0] : o->name };
	int r;

	if (o->driver != NULL && strcmp(o->driver, "local") != 0)
		return err_msg(err, -EINVAL, "volume driver '%.100s' not found: only 'local' exists",
			       o->driver);
	if (argc > 0 && o->name != NULL && strcmp(o->name, argv[0]) != 0)
		return err_msg(
			err, -EINVAL,
			"conflicting options: cannot specify a volume-name through both --name and as a positional arg");
	r = read_volume(o, &a, &v, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_volume_create(e, &v, err);
	if (r < 0)
		return r;
	puts(v.name);
	return 0;
}

CLI_VERB(volume_create_verb) = {
	.name = "volume create",
	.args = "[VOLUME]",
	.summary = "Make a volume",
	.max_args = 1,
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.interspersed = true,
	.run = create_run,
};
