/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave`
 *
 * Global options, a verb (one or two words), its options and operands.  The verbs are members of a
 * linker set, one file each.  Failures are printed once, here.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "engine/engine.h"
#include "image/settle.h"
#include "sys/exe.h"

struct global_opts {
	const char *root, *runroot;
	bool version;
};

static const struct opt global_table[] = {
	{ "root", 0, OPT_STRING, offsetof(struct global_opts, root), "DIR",
	  "directory of the store (default: $CLEAVE_ROOT, /var/lib/cleave)" },
	{ "runroot", 0, OPT_STRING, offsetof(struct global_opts, runroot), "DIR",
	  "directory of what runs (default: $CLEAVE_RUNROOT, /run/cleave)" },
	{ "version", 'v', OPT_BOOL, offsetof(struct global_opts, version), NULL,
	  "print the version" },
	{ 0 },
};

int cli_engine(struct cli *cli, struct engine **ret, struct err *err)
{
	_cleanup_(str_fini) struct str lost = { 0 };
	int r = eng_open(cli->root, cli->runroot, cli->monitor, ret, err);

	if (r == 0)
		r = img_settle_check((*ret)->images, &lost, err);
	if (lost.len > 0)
		fputs(lost.p, stderr);
	return r;
}

int cli_preserve_fds(struct engine *e, uint64_t n, struct err *err)
{
	if (n > ENG_PRESERVE_FDS_MAX)
		return err_msg(err, -EINVAL, "--preserve-fds %" PRIu64 " is over the limit %d", n,
			       ENG_PRESERVE_FDS_MAX);
	e->preserve_fds = (unsigned) n;
	return 0;
}

const struct opt *cli_global_options(void)
{
	return global_table;
}

static void print_help(const char *group)
{
	_cleanup_(str_fini) struct str s = { 0 };

	cli_help(group, &s);
	if (!s.failed && s.p != NULL)
		fputs(s.p, stdout);
}

static void print_verb_help(const struct cli_verb *v)
{
	_cleanup_(str_fini) struct str s = { 0 };

	cli_verb_help(v, &s);
	if (!s.failed)
		fputs(s.p, stdout);
}

static void report(const struct err *err)
{
	fprintf(stderr, "cleave: %s\n", err->text);
}

static int run_with(const struct cli_verb *v, const struct opt *table, void *opts, struct cli *cli,
		    int argc, char **argv)
{
	struct err err = { 0 };
	int r = opt_parse(table, opts, &argc, argv, v->interspersed, &err);

	if (r == 1) {
		print_verb_help(v);
		return 0;
	}
	if (r < 0)
		(void) err_msg(&err, r, "%s (see 'cleave %s --help')", err.text, v->name);
	if (r == 0 && (argc < v->min_args || (v->max_args >= 0 && argc > v->max_args)))
		r = err_msg(&err, -EINVAL, "wrong number of arguments; usage: cleave %s %s",
			    v->name, v->args);
	if (r == 0 && v->seal)
		r = exe_seal(cli->argv, &err);
	if (r == 0)
		r = v->run(cli, opts, argc, argv, &err);
	if (r >= 0)
		return r;
	if (err.text[0] != '\0') /* else a program that it ran has said it */
		report(&err);
	return v->fail_status != 0 ? v->fail_status : 1;
}

static int run_verb(const struct cli_verb *v, struct cli *cli, int argc, char **argv)
{
	_cleanup_free_ void *opts = calloc(1, v->opts_size != 0 ? v->opts_size : 1);
	static const struct opt none[] = { { 0 } };
	const struct opt *table = v->opts != NULL ? v->opts : none;
	int r;

	if (opts == NULL)
		return 1;
	r = run_with(v, table, opts, cli, argc, argv);
	opt_fini(table, opts);
	return r;
}

static int run_words(struct cli *cli, int argc, char **argv)
{
	const struct cli_verb *v;
	struct err err = { 0 };
	int words;

	v = cli_verb_find(argc, argv, &words);
	if (v != NULL)
		return run_verb(v, cli, argc - words, argv + words);
	if (cli_group_summary(argv[0]) != NULL && (argc == 1 || argv[1][0] == '-')) {
		print_help(argv[0]);
		return argc == 1;
	}
	(void) cli_unknown(argc, argv, &err);
	report(&err);
	return 1;
}

static int help_words(int argc, char **argv)
{
	int words;
	const struct cli_verb *v = cli_verb_find(argc, argv, &words);
	struct err err = { 0 };

	if (v != NULL)
		print_verb_help(v);
	else if (argc == 1 && cli_group_summary(argv[0]) != NULL)
		print_help(argv[0]);
	else {
		(void) cli_unknown(argc, argv, &err);
		report(&err);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	/* opt_parse() reorders its words; exe_seal() needs them as they were */
	_cleanup_free_ char **words = calloc((size_t) argc + 1, sizeof(*words));
	struct global_opts g = { 0 };
	struct cli cli = { 0 };
	struct err err = { 0 };
	char monitor[PATH_MAX];
	int n = argc - 1, r;

	if (words == NULL || argc < 1)
		return 1;
	memcpy(words, argv, (size_t) argc * sizeof(*words));
	(void) umask(0); /* modes are given exactly */
	(void) log_open(NULL, LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, NULL); /* opens nothing */
	r = opt_parse(global_table, &g, &n, argv + 1, false, &err);
	if (r < 0) {
		report(&err);
		return CLI_EXIT_FAILURE;
	}
	(void) exe_helper("cleave-monitor", monitor, sizeof(monitor)); /* whoever needs it says that it is missing */
	if (g.version) {
		printf("cleave version %s\n", CLEAVE_VERSION);
		return 0;
	}
	if (r == 1 || n == 0 || (n == 1 && strcmp(argv[1], "help") == 0)) {
		print_help(NULL);
		return r != 1 && n == 0;
	}
	if (strcmp(argv[1], "help") == 0) /* "help image ls" is "image ls --help" */
		return help_words(n - 1, argv + 2);
	cli.argv = words;
	cli.root = g.root;
	cli.runroot = g.runroot;
	cli.monitor = monitor;
	return run_words(&cli, n, argv + 1);
}
