/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/attach.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/monitor/protocol.h"
#include "oci/foreground.h"
#include "sys/msg.h"

struct attach_opts {
	bool no_stdin, no_sig_proxy;
	const char *detach_keys;
};

static const struct opt attach_table[] = {
	{ "detach-keys", 0, OPT_STRING, offsetof(struct attach_opts, detach_keys), "KEYS",
	  "keys that detach from a terminal (default: ctrl-p,ctrl-q)" },
	{ "no-stdin", 0, OPT_BOOL, offsetof(struct attach_opts, no_stdin), NULL,
	  "do not attach standard input" },
	{ "sig-proxy", 0, OPT_OFF, offsetof(struct attach_opts, no_sig_proxy), NULL,
	  "forward signals, unless =false or with a terminal" },
	{ 0 },
};

/* The monitor says what the instance has.  Return: socket; -errno with a message. */
static int connect_monitor(struct engine *e, const struct eng_instance *i, struct mon_hello *ret,
			   struct err *err)
{
	_cleanup_close_ int dir = openat(e->run_fd, i->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int sock = dir < 0 ? dir : msg_connect_at(dir, "attach");
	ssize_t n = sock < 0 ? 0 : msg_recv(sock, ret, sizeof(*ret), NULL, NULL);

	if (n != (ssize_t) sizeof(*ret) || ret->kind != MON_HELLO)
		return err_msg(err, -ESRCH,
			       "instance '%s' is not running: start it with 'cleave start %s'",
			       i->name, i->name);
	if (ret->full)
		return err_msg(err, -EUSERS,
			       "instance '%s' has as many clients as it can have: detach one",
			       i->name);
	return take_fd(sock);
}

static int find(struct engine *e, const char *what, struct arena *arena, struct eng_instance *ret,
		struct err *err)
{
	int r = eng_instance_find(e, what, arena, ret, err);

	if (r < 0)
		return r;
	if (ret->paused)
		return err_msg(err, -EAGAIN,
			       "instance '%s' is paused: use 'cleave unpause %s' first", ret->name,
			       ret->name);
	return 0;
}

static int attach_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct attach_opts *o = opts;
	struct cli_client client = {
		.show_out = true,
		.show_err = true,
		.sig_proxy = !o->no_sig_proxy,
		.repaint = isatty(STDOUT_FILENO),
		.detach_keys = o->detach_keys != NULL ? o->detach_keys : CLI_DETACH_KEYS,
	};
	struct eng_instance i;
	struct mon_hello hello;
	sigset_t old;
	int r = cli_engine(cli, &e, err);

	(void) argc;
	if (r == 0)
		r = find(e, argv[0], &arena, &i, err);
	if (r < 0)
		return r;
	oci_foreground_block(&old);
	_cleanup_close_ int sock = connect_monitor(e, &i, &hello, err);
	if (sock < 0)
		return sock;
	client.tty = hello.terminal;
	client.input = hello.input && !o->no_stdin;
	r = cli_client_check(&client, err);
	return r < 0 ? r : cli_client_become(cli, &client, sock, err);
}

CLI_VERB(attach_verb) = {
	.name = "attach",
	.args = "INSTANCE",
	.summary = "Connect the terminal, or standard input and output, to a running instance",
	.min_args = 1,
	.max_args = 1,
	.opts = attach_table,
	.opts_size = sizeof(struct attach_opts),
	.interspersed = true,
	.as_program = true,
	.run = attach_run,
};
