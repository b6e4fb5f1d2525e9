/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "sys/proc.h"

struct ps_opts {
	const char *format;
};

static const struct opt ps_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct ps_opts, format), "FORMAT", "table or json" },
	{ 0 },
};

static bool contains(const pid_t *pids, size_t n, long pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Which blank-separated column of the header is PID; -1 none. */
static int pid_column(const char *header)
{
	_cleanup_free_ char *copy = strdup(header);
	char *save = copy, *word;
	int i = 0;

	while (copy != NULL && (word = strsep(&save, " \t\n")) != NULL) {
		if (*word == '\0')
			continue;
		if (strcmp(word, "PID") == 0)
			return i;
		i++;
	}
	return -1;
}

static long field(const char *line, int column)
{
	for (;;) {
		line += strspn(line, " \t");
		if (column-- == 0)
			return strtol(line, NULL, 10);
		line += strcspn(line, " \t");
		if (*line == '\0')
			return -1;
	}
}

static int filter(FILE *f, const pid_t *pids, size_t n, struct err *err)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int column;

	if (getline(&line, &size, f) < 0)
		return err_msg(err, -EIO, "ps printed nothing");
	column = pid_column(line);
	if (column < 0)
		return err_msg(err, -EINVAL, "couldn't find PID field in ps output");
	fputs(line, stdout);
	while (getline(&line, &size, f) >= 0)
		if (contains(pids, n, field(line, column)))
			fputs(line, stdout);
	return 0;
}

/* The host's ps knows all columns; its output is cut down to the container's processes. */
static int print_table(const pid_t *pids, size_t n, char **args, struct err *err)
{
	_cleanup_fclose_ FILE *f = NULL;
	int out[2], r, status;
	char *const usual[] = { "ps", "-ef", NULL };
	pid_t pid;

	if (pipe(out) < 0)
		return err_set(err, -errno, "create a pipe");
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid == 0) {
		(void) dup2(out[1], STDOUT_FILENO);
		(void) close(out[0]);
		(void) close(out[1]);
		(void) execvp("ps", args[1] != NULL ? args : usual);
		dprintf(STDERR_FILENO, "exec: \"ps\": %s: install the package procps\n", strerror(errno));
		_exit(127);
	}
	(void) close(out[1]);
	f = fdopen(out[0], "r");
	if (pid < 0 || f == NULL)
		return err_set(err, pid < 0 ? pid : -ENOMEM, "run ps");
	r = filter(f, pids, n, err);
	status = proc_wait(pid);
	if (status != 0 && r == 0)
		return err_msg(err, -ECANCELED, "ps: exit status %d", proc_exit_code(status));
	return r;
}

/* As `exec` does it, in this process' place */
static int run_inside(const struct oci_cli *cli, const char *id, int argc, char **options, struct err *err)
{
	_cleanup_free_ const char **words = calloc((size_t) argc + 8, sizeof(*words));
	const char *const first[] = { oci_runtime.name, "--root", cli->root, "exec", id, "ps", argc == 0 ? "-ef" : NULL };
	size_t n = argc == 0 ? ARRAY_LEN(first) : ARRAY_LEN(first) - 1;

	if (words == NULL)
		return err_set(err, -ENOMEM, "run ps");
	memcpy(words, first, n * sizeof(*first));
	memcpy(words + n, options, (size_t) argc * sizeof(*options));
	(void) execv("/proc/self/exe", (char *const *) words);
	return err_set(err, -errno, "run ps");
}

static int ps_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct ps_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = 0;
	bool table = o->format == NULL || strcmp(o->format, "table") == 0;
	int r = oci_container_open(cli->root, argv[0], &c, err);

	if (r == 0 && table && oci_runtime.apart)
		return run_inside(cli, argv[0], argc - 1, argv + 1, err);
	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	if (c->cgroup != NULL)
		n = oci_cgroup_pids(c->cgroup, &pids, err);
	if (n < 0)
		return (int) n;
	if (table) {
		argv[0] = "ps";
		return print_table(pids, (size_t) n, argv, err);
	}
	if (strcmp(o->format, "json") != 0)
		return err_msg(err, -EINVAL, "invalid format option '%s': table and json are known", o->format);
	if (n == 0)
		puts("null");
	for (ssize_t i = 0; i < n; i++)
		printf("%s%d%s", i == 0 ? "[" : ",", (int) pids[i], i == n - 1 ? "]\n" : "");
	return 0;
}

OCI_VERB(verb_ps) = {
	.name = "ps",
	.args = "<container-id> [ps options]",
	.summary = "list the processes of a container",
	.min_args = 1,
	.max_args = -1,
	.opts = ps_table,
	.opts_size = sizeof(struct ps_opts),
	.run = ps_run,
};
