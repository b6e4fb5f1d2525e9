/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/vm/bundle.h"
#include "engine/vm/bundle_parts.h"
#include "engine/vm/conduct.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "engine/vm/vm_parts.h"
#include "oci/container.h"
#include "oci/exec.h"
#include "oci/pidfile.h"
#include "sys/msg.h"
#include "sys/proc.h"
#include "sys/pty.h"

#define EXIT_OURS 1

struct execution {
	struct oci_container *c;
	const struct oci_exec_opts *opts;
	struct vm_program program;
	int console, master;
};

static int open_terminal(struct execution *x, struct err *err)
{
	const struct oci_process *p = x->opts->process;
	int r = vm_conduct_terminal(&x->master, &x->program.terminal, err);

	if (r < 0)
		return r;
	if (p->console_height != 0 && p->console_width != 0)
		(void) pty_resize(x->master, p->console_height, p->console_width); /* cosmetic */
	r = vm_bundle_use_terminal(x->program.terminal, err);
	if (r < 0 || x->console < 0)
		return r;
	r = vm_bundle_send_terminal(x->console, x->master, err);
	cleanup_closep(&x->master);
	x->master = -EBADF;
	return r;
}

static int begin(struct execution *x, struct err *err)
{
	const struct oci_process *p = x->opts->process;
	_cleanup_(str_fini) struct str message = { 0 };
	struct vm_how how = { .number = vm_message_number(), .input = true };
	int r;

	(void) setsid(); /* a new process leads no group */
	r = x->program.signals = vm_conduct_signals(err);
	if (r >= 0)
		r = p->terminal ? open_terminal(x, err) : 0;
	how.size = vm_conduct_size(x->program.terminal);
	if (r == 0)
		r = vm_message_exec(x->c->spec, p, &how, &message, err);
	return r == 0 ? vm_conduct_start(&x->program, &message, how.number, p->args.v[0], err) : r;
}

static _Noreturn void be_stand_in(void *arg, int report)
{
	struct execution *x = arg;
	struct err err = { 0 };
	int r = begin(x, &err);

	if (r == 0)
		vm_stand_for(&x->program, report, x->master);
	err.code = r;
	vm_report(report, &err, x->master);
	_exit(EXIT_OURS);
}

int vm_bundle_exec(struct oci_container *c, const struct oci_exec_opts *opts, struct oci_executed *ret,
		   struct err *err)
{
	struct execution x = {
		.c = c,
		.opts = opts,
		.program = VM_PROGRAM_NONE,
		.console = -EBADF,
		.master = -EBADF,
	};
	struct eng_running running = { .master = -EBADF };
	int r;

	x.program.dir = c->dir_fd;
	x.program.input = true;
	if (opts->console_socket != NULL && opts->process->terminal) {
		x.console = msg_connect(opts->console_socket);
		if (x.console < 0)
			return err_set(err, x.console, "connect to the console socket '%s'", opts->console_socket);
	}
	r = vm_stand_in(be_stand_in, &x, true, &running, err);
	cleanup_closep(&x.console);
	if (r < 0)
		return r;
	*ret = (struct oci_executed) { .pid = running.pid, .pidfd = proc_pidfd_open(running.pid),
				       .master = running.master };
	if (ret->pidfd < 0)
		return err_set(err, ret->pidfd, "open the process that stands for the program");
	if (opts->pidfd_socket != NULL)
		r = oci_pidfd_send(opts->pidfd_socket, ret->pidfd, err);
	return r == 0 && opts->pid_file != NULL ? oci_pidfile_write(opts->pid_file, ret->pid, err) : r;
}
