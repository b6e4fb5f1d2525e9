/* SPDX-License-Identifier: MIT */
/**
 * DOC: `run`
 *
 * Once the program runs, this process becomes the small client in cleave-monitor.  Signals that the client forwards are blocked before
 * anything is started and arrive there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/run_config.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/launch.h"
#include "oci/foreground.h"

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/* The runtime's messages about the program itself begin so; what else fails is our failure. */
static int failure_code(const struct err *err)
{
	if (strncmp(err->text, "exec", 4) != 0)
		return CLI_EXIT_FAILURE;
	return err->code == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int run_instance(struct cli *cli, struct engine *e, const struct run_opts *o,
			struct eng_config *config, const struct cli_client *client, struct err *err)
{
	struct eng_instance i;
	sigset_t old;
	int lock = -EBADF, r;

	_cleanup_close_ int sock = -EBADF;
	r = eng_instance_new(e, config, o->name, "container", &config->arena, &i, &lock, err);
	if (r < 0)
		return r;
	if (!o->detach)
		oci_foreground_block(&old);
	r = eng_launch(e, &i, config, lock, !o->detach, &sock, err);
	if (r < 0) {
		int code = failure_code(err);

		(void) eng_instance_failed(e, &i, code, err->text,
					   NULL); /* the next command does it */
		fprintf(stderr, "cleave: %s\n", err->text);
		return code;
	}
	r = eng_instance_started(e, i.id, err);
	if (r < 0)
		return r;
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
		.sig_proxy = o->sig_proxy.given ? o->sig_proxy.value : true,
		.detach_keys = o->detach_keys != NULL ? o->detach_keys : CLI_DETACH_KEYS,
	};
	int r = cli_client_streams(&client, &o->attach, err);

	if (r == 0 && o->detach && o->attach.n > 0)
		r = err_msg(err, -EINVAL, "options --attach and --detach exclude each other");
	if (r == 0 && !o->detach)
		r = cli_client_check(&client, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = run_config(e, o, argc, argv, &config, err);
	if (r < 0)
		return r;
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
	.run = run_run,
};
