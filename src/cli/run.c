/* SPDX-License-Identifier: MIT */
/**
 * DOC: `run`
 *
 * Once the program runs, this process becomes the small client in cleave-monitor, so that a foreground
 * instance does not keep a large program around.  Signals that the client forwards are blocked before
 * anything is started and arrive there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/run_config.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/launch.h"
#include "engine/monitor/protocol.h"
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

/* Becomes the client.  Return: -errno when that fails; the instance runs then. */
static int attach(const struct cli *cli, const struct run_opts *o, int sock, struct err *err)
{
	char *const argv[] = { "cleave", "a",
			       o->tty           ? o->interactive ? "-ti" : "-t"
			       : o->interactive ? "-i"
						: "-",
			       NULL };

	if (sock == MON_FD_STARTER ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, MON_FD_STARTER) < 0)
		return err_set(err, -errno, "attach to the instance");
	(void) execv(cli->monitor, argv);
	return err_set(err, -errno, "execute '%s'", cli->monitor);
}

static int run_instance(struct cli *cli, struct engine *e, const struct run_opts *o,
			struct eng_config *config, struct err *err)
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
		return attach(cli, o, sock, err);
	puts(i.id);
	return 0;
}

static int run_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct run_opts *o = opts;
	struct eng_config config;
	int r;

	if (o->tty && o->interactive && !o->detach && !isatty(STDIN_FILENO))
		return err_msg(err, -ENOTTY, "the input device is not a terminal: leave out -t");
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = run_config(e, o, argc, argv, &config, err);
	if (r < 0)
		return r;
	r = run_instance(cli, e, o, &config, err);
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
