/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/start.h"
#include "engine/stop.h"
#include "oci/foreground.h"

struct start_opts {
	struct cli_select select;
	bool attach, interactive, no_sig_proxy;
	const char *detach_keys;
};

static const struct opt start_table[] = {
	{ "attach", 'a', OPT_BOOL, offsetof(struct start_opts, attach), NULL,
	  "show its output, forward signals, and exit as it does" },
	CLI_SELECT_ALL(struct start_opts, select, 0, "all instances that do not run"),
	{ "detach-keys", 0, OPT_STRING, offsetof(struct start_opts, detach_keys), "KEYS",
	  "keys that leave it running, e.g. ctrl-x,x (default: ctrl-p,ctrl-q)" },
	CLI_SELECT_FILTER(struct start_opts, select, 'f'),
	{ "interactive", 'i', OPT_BOOL, offsetof(struct start_opts, interactive), NULL,
	  "attach standard input, too" },
	CLI_SELECT_LATEST(struct start_opts, select),
	{ "sig-proxy", 0, OPT_OFF, offsetof(struct start_opts, no_sig_proxy), NULL,
	  "forward signals (default)" },
	{ 0 },
};

static int start(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		 bool attach, int *ret_client, struct err *err)
{
	int lock = -EBADF, r = eng_begin(e, i, &lock, err);

	*ret_client = -EBADF;
	return r < 0 ? r : eng_start(e, i, config, lock, attach, ret_client, err);
}

static int start_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	struct eng_config config;
	int client, r = eng_instance_config(e, i, &config, err);

	(void) data;
	if (r < 0)
		return r;
	r = start(e, i, &config, false, &client, err);
	eng_config_fini(&config);
	return r == -EALREADY ? 0 : r; /* as Docker */
}

static int start_stopped(struct engine *e, const struct eng_instance *i, void *data,
			 struct err *err)
{
	if (i->state == ENG_STATE_RUNNING || i->state == ENG_STATE_RESTARTING)
		return 1;
	return start_one(e, i, data, err);
}

/* Becomes the client. */
static int start_attached(struct cli *cli, const struct start_opts *o, const char *what,
			  struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_close_ int client = -EBADF;
	struct cli_client c = {
		.show_out = true,
		.show_err = true,
		.sig_proxy = !o->no_sig_proxy,
		.detach_keys = o->detach_keys != NULL ? o->detach_keys : CLI_DETACH_KEYS,
	};
	struct eng_config config;
	struct eng_instance i;
	sigset_t old;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = eng_instance_find(e, what, &arena, &i, err);
	if (r == 0)
		r = eng_instance_config(e, &i, &config, err);
	if (r < 0)
		return r;
	c.tty = config.tty;
	c.input = config.open_stdin && o->interactive;
	r = cli_client_check(&c, err);
	if (r < 0) {
		eng_config_fini(&config);
		return r;
	}
	oci_foreground_block(&old);
	r = start(e, &i, &config, true, &client, err);
	if (r == -EALREADY)
		r = err_msg(err, r, "instance '%s' is running: use 'cleave attach %s'", i.name,
			    i.name);
	if (r == 0)
		r = cli_client_become(cli, &c, client, err);
	eng_config_fini(&config);
	return r;
}

static int start_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct start_opts *o = opts;
	int r = cli_select_check(&o->select, argc, err);

	if (r < 0)
		return r;
	if (argc == 0 && (o->attach || o->interactive))
		return err_msg(err, -EINVAL, "--all cannot be combined with --attach, --interactive");
	if (!o->attach && !o->interactive)
		return cli_each(cli, &o->select, argc, argv, argc > 0 ? start_one : start_stopped, NULL, err);
	if (argc > 1)
		return err_msg(err, -EINVAL, "only one instance can be attached to");
	return start_attached(cli, o, argv[0], err);
}

CLI_VERB(start_verb) = {
	.name = "start",
	.args = "[INSTANCE...]",
	.summary = "Start instances that do not run",
	.max_args = -1,
	.opts = start_table,
	.opts_size = sizeof(struct start_opts),
	.interspersed = true,
	.seal = true,
	.as_program = true,
	.run = start_run,
};
