/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define STEP_MS 200

struct console_opts {
	bool follow;
};

static const struct opt console_table[] = {
	{ "follow", 'f', OPT_BOOL, offsetof(struct console_opts, follow), NULL, "go on until the machine ends" },
	{ 0 },
};

static int copy(int fd, struct err *err)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		int r = fd_write_full(STDOUT_FILENO, buf, (size_t) n);

		if (r < 0)
			return err_set(err, r, "print the console");
	}
	return n < 0 ? err_set(err, -errno, "read the console") : 0;
}

static bool is_running(struct engine *e, const char *id)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;

	return eng_instance_find(e, id, &arena, &i, NULL) == 0 && i.state == ENG_STATE_RUNNING;
}

static int console_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct console_opts *o = opts;
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct eng_instance i;
	const char *path;
	bool more = true;
	int r = cli_engine(cli, &e, err);

	(void) argc;
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r < 0)
		return r;
	if (strcmp(i.isolation, eng_vm.name) != 0)
		return err_msg(err, -EINVAL, "instance '%s' is no virtual machine: see 'cleave logs'", i.name);
	path = arena_printf(&arena, "instances/%s/" ENG_CONSOLE, i.id);
	fd = path != NULL ? openat(e->root_fd, path, O_RDONLY | O_CLOEXEC) : -ENOMEM;
	if (fd < 0)
		return errno == ENOENT ? err_msg(err, -ENOENT, "instance '%s' was never started", i.name)
				       : err_set(err, -errno, "open the console of '%s'", i.name);
	for (r = 0; r == 0 && more;) {
		more = o->follow && is_running(e, i.id); /* before the last look */
		r = copy(fd, err);
		if (r == 0 && more)
			(void) poll(NULL, 0, STEP_MS);
	}
	return r;
}

CLI_VERB(console_verb) = {
	.name = "console",
	.args = "INSTANCE",
	.summary = "Print what the kernel of a virtual machine said",
	.min_args = 1,
	.max_args = 1,
	.opts = console_table,
	.opts_size = sizeof(struct console_opts),
	.interspersed = true,
	.run = console_run,
};
