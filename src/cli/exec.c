/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "cli/run_config.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "engine/instance.h"
#include "engine/start.h"
#include "oci/foreground.h"

#define CANNOT_RUN 126 /* exit status, as of a shell */

struct exec_opts {
	bool detach, interactive, tty, privileged;
	const char *user, *workdir, *detach_keys;
	uint64_t preserve_fds;
	struct opt_strings env, env_file;
};

#define FIELD(name) offsetof(struct exec_opts, name)

static const struct opt exec_table[] = {
	{ "detach", 'd', OPT_BOOL, FIELD(detach), NULL, "do not wait for it" },
	{ "detach-keys", 0, OPT_STRING, FIELD(detach_keys), "KEYS",
	  "keys that leave it running, e.g. ctrl-x,x (default: ctrl-p,ctrl-q)" },
	{ "env", 'e', OPT_STRINGS, FIELD(env), "NAME[=VALUE]",
	  "set a variable, or take it from here" },
	{ "env-file", 0, OPT_STRINGS, FIELD(env_file), "FILE", "read variables from a file" },
	{ "interactive", 'i', OPT_BOOL, FIELD(interactive), NULL, "keep standard input open" },
	{ "preserve-fds", 0, OPT_U64, FIELD(preserve_fds), "N", "pass on descriptors 3 to 2+N" },
	{ "privileged", 0, OPT_BOOL, FIELD(privileged), NULL, "with all capabilities" },
	{ "tty", 't', OPT_BOOL, FIELD(tty), NULL, "give it a terminal" },
	{ "user", 'u', OPT_STRING, FIELD(user), "USER[:GROUP]",
	  "who runs it, names or numbers (default: as the instance)" },
	{ "workdir", 'w', OPT_STRING, FIELD(workdir), "DIR", "working directory inside" },
	{ 0 },
};

static int read_words(const struct exec_opts *o, int argc, char **argv, struct arena *a,
		      struct eng_exec *ret, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++)
		r = eng_words_add(a, &ret->args, argv[i]);
	if (r < 0)
		return err_set(err, r, "read the command");
	return run_env(a, &ret->env, &o->env_file, &o->env, err);
}

static int exec_instance(struct cli *cli, const struct exec_opts *o, const char *what,
			 const struct eng_exec *x, struct arena *arena, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_close_ int client = -EBADF;
	struct cli_client c = {
		.tty = o->tty,
		.input = x->open_stdin,
		.show_out = true,
		.show_err = true,
		.sig_proxy = true,
		.detach_keys = o->detach_keys != NULL ? o->detach_keys : CLI_DETACH_KEYS,
	};
	struct eng_instance i;
	sigset_t old;
	int r = o->detach ? 0 : cli_client_check(&c, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, what, arena, &i, err);
	if (r == 0)
		r = cli_preserve_fds(e, o->preserve_fds, err);
	if (r < 0)
		return r;
	if (!o->detach)
		oci_foreground_block(&old);
	r = eng_exec(e, &i, x, !o->detach, &client, err);
	if (r < 0 && r != -ESRCH && r != -EBUSY) { /* it runs, but not that */
		fprintf(stderr, "cleave: %s\n", err->text);
		r = eng_start_exit_code(err);
		return r != CLI_EXIT_FAILURE ? r : CANNOT_RUN;
	}
	return r < 0 || o->detach ? r : cli_client_become(cli, &c, client, err);
}

static int exec_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct exec_opts *o = opts;
	struct eng_exec x = {
		.user = o->user,
		.workdir = o->workdir,
		.tty = o->tty,
		.open_stdin = o->interactive && !o->detach,
		.privileged = o->privileged,
	};
	int r;

	if (o->workdir != NULL && o->workdir[0] != '/')
		return err_msg(err, -EINVAL, "the working directory '%s' is not an absolute path",
			       o->workdir);
	r = read_words(o, argc - 1, argv + 1, &arena, &x, err);
	return r < 0 ? r : exec_instance(cli, o, argv[0], &x, &arena, err);
}

CLI_VERB(exec_verb) = {
	.name = "exec",
	.args = "INSTANCE COMMAND [ARG...]",
	.summary = "Run another command in an instance that runs",
	.min_args = 2,
	.max_args = -1,
	.opts = exec_table,
	.opts_size = sizeof(struct exec_opts),
	.seal = true,
	.as_program = true,
	.run = exec_run,
};
