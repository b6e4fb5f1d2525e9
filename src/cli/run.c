/* SPDX-License-Identifier: MIT */
/**
 * DOC: `run`
 *
 * Once the program runs, this process becomes the small client in cleave-monitor, so that a foreground
 * instance does not keep a large program around.  Signals that the client forwards are blocked before
 * anything is started and arrive there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/run_config.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/start.h"
#include "oci/foreground.h"

static int run_instance(struct cli *cli, struct engine *e, const struct run_opts *o,
			struct eng_config *config, const struct cli_client *client, struct err *err)
{
	_cleanup_close_ int sock = -EBADF;
	struct eng_instance i;
	sigset_t old;
	int lock = -EBADF, r;

	r = run_replace(e, o, err);
	if (r == 0)
		r = eng_instance_new(e, config, run_name(o), run_isolation(o, config), &config->arena, &i, &lock, err);
	if (r < 0)
		return r;
	r = run_cidfile(o, i.id, err);
	if (r < 0) {
		i.auto_remove = true;
		(void) eng_instance_failed(e, &i, CLI_EXIT_FAILURE, "", NULL); /* or the next command */
		return r;
	}
	if (!o->detach)
		oci_foreground_block(&old);
	r = eng_start(e, &i, config, lock, !o->detach, &sock, err);
	if (r < 0) {
		fprintf(stderr, "cleave: %s\n", err->text);
		return eng_start_exit_code(err);
	}
	if (!o->detach && !client->show_out && !client->show_err) {
		puts(i.id); /* as Docker: else nothing would tell */
		(void) fflush(stdout);
	}
	if (!o->detach)
		return cli_client_become(cli, client, sock, err);
	puts(i.id);
	return 0;
}

static int run_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct run_opts *o = opts;
	struct eng_config config;
	struct cli_client client = {
		.tty = o->tty,
		.input = o->interactive,
		.sig_proxy = !o->no_sig_proxy,
		.detach_keys = o->detach_keys != NULL ? o->detach_keys : CLI_DETACH_KEYS,
	};
	int r = cli_client_streams(&client, &o->attach, err);

	if (r == 0 && !o->detach)
		r = cli_client_check(&client, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = cli_preserve_fds(e, o->preserve_fds, err);
	if (r == 0)
		r = run_config(e, o, argc, argv, &config, err);
	if (r < 0)
		return r;
	r = run_created_by(&config, cli->argv, err);
	if (r == 0)
		r = run_instance(cli, e, o, &config, &client, err);
	eng_config_fini(&config);
	return r;
}

CLI_VERB(run_verb) = {
	.name = "run",
	.args = "IMAGE [COMMAND [ARG...]]",
	.summary = "Run a command in a new instance",
	.min_args = 1,
	.max_args = -1,
	.opts = run_table,
	.opts_size = sizeof(struct run_opts),
	.seal = true,
	.fail_status = CLI_EXIT_FAILURE,
	.as_program = true,
	.run = run_run,
};
