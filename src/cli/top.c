/* SPDX-License-Identifier: MIT */
/**
 * DOC: `top`
 *
 * The host's ps prints what it is asked for (-ef) about the processes of the instance.  Some of its options
 * cannot be combined with a list of processes: then it prints all, and the lines of others are left out.
 * Processes of a virtual machine are not the host's: there the ps of the image is run, as `exec` does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "sys/proc.h"

#define OUTPUT_MAX (64u << 20) /* bytes */

static _Noreturn void become_ps(int out, bool quiet, int argc, char **argv, char *list)
{
	char **words = calloc((size_t) argc + 4, sizeof(*words)), name[] = "ps", all[] = "-ef";
	int n = 0;

	if (words == NULL || dup2(out, STDOUT_FILENO) < 0)
		_exit(125);
	words[n++] = name;
	if (argc == 0)
		words[n++] = all;
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	words[n] = list;
	if (quiet)
		(void) dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	(void) execvp("ps", words);
	_exit(errno == ENOENT ? 127 : 126);
}

/* @list: "-qPID,PID..." or NULL.  Return: 0; -EINVAL ps failed; -errno, with a message. */
static int run_ps(int argc, char **argv, char *list, struct str *ret, struct err *err)
{
	int out[2], status, r;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid == 0)
		become_ps(out[1], list != NULL, argc, argv, list);
	(void) close(out[1]); /* a pipe */
	r = pid < 0 ? pid : fd_read_str(out[0], OUTPUT_MAX, ret);
	(void) close(out[0]);
	if (pid < 0)
		return err_set(err, r, "create a process");
	status = proc_wait(pid);
	if (r < 0)
		return err_set(err, r, "read the output of ps");
	if (status >= 0 && proc_exit_code(status) == 127)
		return err_msg(err, -ENOENT, "there is no 'ps' here: install procps");
	return status == 0 && ret->p != NULL
		       ? 0
		       : err_msg(err, -EINVAL, "ps failed: see its message above");
}

static int ps_of(const pid_t *pids, ssize_t n, int argc, char **argv, struct str *ret, struct err *err)
{
	_cleanup_(str_fini) struct str list = { 0 };
	struct err why = { 0 };
	int r = -EINVAL;

	for (ssize_t i = 0; i < n; i++)
		str_printf(&list, "%s%d", i == 0 ? "-q" : ",", (int) pids[i]);
	if (list.failed)
		return err_set(err, -ENOMEM, "ask ps for processes");
	if (list.p != NULL)
		r = run_ps(argc, argv, list.p, ret, &why);
	if (r != -EINVAL)
		return r < 0 ? err_msg(err, r, "%s", why.text) : 0;
	str_fini(ret);
	return run_ps(argc, argv, NULL, ret, err);
}

/* Which word of the headings is PID; -EINVAL */
static int pid_column(const char *headings)
{
	int column = 0;

	for (const char *p = headings + strspn(headings, " "); *p != '\0'; column++) {
		size_t n = strcspn(p, " ");

		if (n == 3 && strncmp(p, "PID", 3) == 0)
			return column;
		p += n;
		p += strspn(p, " ");
	}
	return -EINVAL;
}

static pid_t pid_of(const char *line, int column)
{
	const char *p = line + strspn(line, " ");

	for (; column > 0; column--) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return (pid_t) strtol(p, NULL, 10);
}

static bool is_among(pid_t pid, const pid_t *pids, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static int print_lines(char *text, const pid_t *pids, ssize_t n, struct err *err)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);
	int column = line != NULL ? pid_column(line) : -EINVAL;

	if (column < 0)
		return err_msg(err, -EINVAL, "the output of ps has no column PID: ask for it");
	puts(line);
	while ((line = strtok_r(NULL, "\n", &save)) != NULL)
		if (is_among(pid_of(line, column), pids, n))
			puts(line);
	return 0;
}

static int run_inside(const struct engine *e, const char *name, int argc, char **argv, struct err *err)
{
	char **words = calloc((size_t) argc + 10, sizeof(*words)), self[] = "cleave", root[] = "--root";
	char runroot[] = "--runroot", exec[] = "exec", ps[] = "ps", all[] = "-ef";
	char *const first[] = { self, root, e->root, runroot, e->runroot, exec, (char *) (uintptr_t) name, ps };
	size_t n = ARRAY_LEN(first);

	if (words == NULL)
		return err_set(err, -ENOMEM, "run ps");
	memcpy(words, first, sizeof(first));
	if (argc == 0)
		words[n++] = all;
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	(void) execv("/proc/self/exe", words);
	free(words);
	return err_set(err, -errno, "run ps");
}

static int top_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	_cleanup_free_ pid_t *pids = NULL;
	const struct eng_backend *b;
	struct eng_instance i;
	ssize_t n;
	int r = cli_engine(cli, &e, err);

	(void) opts;
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r < 0)
		return r;
	b = eng_backend_find(i.isolation);
	if (b == NULL || i.state != ENG_STATE_RUNNING)
		return err_msg(err, -ESRCH, "instance '%s' is not running", i.name);
	if (b == &eng_vm)
		return run_inside(e, i.name, argc - 1, argv + 1, err);
	n = b->pids(e, i.id, &pids, err);
	if (n < 0)
		return (int) n;
	r = ps_of(pids, n, argc - 1, argv + 1, &text, err);
	return r < 0 ? r : print_lines(text.p, pids, n, err);
}

CLI_VERB(top_verb) = {
	.name = "top",
	.args = "INSTANCE [PS_OPTION...]",
	.summary = "Show the processes of an instance",
	.min_args = 1,
	.max_args = -1,
	.run = top_run,
};
