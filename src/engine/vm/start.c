/* SPDX-License-Identifier: MIT */
/**
 * DOC: starting a virtual machine
 *
 * The process that stands for the program puts the files together, starts the machine as its child, has the
 * guest run the program, and stays until that has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/overlay.h"
#include "engine/rootfs.h"
#include "engine/spec.h"
#include "engine/vm/cgroup.h"
#include "engine/vm/conduct.h"
#include "engine/vm/link.h"
#include "engine/vm/machine.h"
#include "engine/vm/message.h"
#include "engine/vm/tree.h"
#include "engine/vm/vm_parts.h"
#include "engine/volume.h"
#include "oci/spec.h"
#include "sys/proc.h"

#define EXIT_OURS 125
#define PATH_SIZE 4096

struct starting {
	struct engine *e;
	const char *id;
	const struct eng_config *config;
	struct oci_spec *spec;
	struct vm_machine machine;
	struct vm_program program;
	int listener, master;
};

static int open_dirs(struct starting *s, char path[PATH_SIZE], struct err *err)
{
	if (snprintf(path, PATH_SIZE, "%s/instances/%s", s->e->root, s->id) >= PATH_SIZE)
		return err_set(err, -ENAMETOOLONG, "start a virtual machine");
	s->machine.files = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->machine.dir = openat(s->e->run_fd, s->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->machine.files < 0 || s->machine.dir < 0)
		return err_set(err, -errno, "open the instance's directories");
	(void) unlinkat(s->machine.dir, VM_SOCKET, 0); /* of the last time, as the next ones */
	(void) unlinkat(s->machine.dir, VM_SOCKET_READY, 0);
	(void) unlinkat(s->machine.dir, "oom", 0);
	(void) unlinkat(s->machine.files, VM_CONSOLE, 0);
	s->program.dir = s->machine.dir;
	return 0;
}

static int make_files(struct starting *s, struct err *err)
{
	const struct eng_config *c = s->config;
	_cleanup_(str_fini) struct str json = { 0 };
	char path[PATH_SIZE];
	int r = open_dirs(s, path, err);

	if (r < 0)
		return r;
	s->machine.root = eng_overlay_open(s->e, s->machine.files, c->chain, eng_spec_needs_layer(c), c->auto_remove,
					   -EBADF, err);
	if (s->machine.root < 0)
		return s->machine.root;
	r = eng_volumes_fill(s->e, c, s->machine.root, err);
	if (r == 0) /* not before: kernels want layers of a namespace that is theirs */
		r = eng_rootfs_unshare(err);
	if (r == 0)
		r = eng_spec_make(s->e, s->id, c, s->machine.root, path, &json, err);
	if (r == 0)
		r = oci_spec_parse("config.json", json.p, json.len, &s->spec, err);
	return r == 0 ? vm_tree_attach(s->spec, s->machine.root, err) : r;
}

static int make_machine(struct starting *s, struct err *err)
{
	int r = vm_machine_prepare(s->e, s->config, &s->machine, err);

	if (r == 0)
		r = s->listener = vm_link_listen(s->machine.dir, err);
	if (r >= 0)
		r = vm_cgroup_enter(s->e, s->id, s->spec, err);
	if (r == 0)
		r = vm_machine_start(s->e, s->config, &s->machine, err);
	s->program.machine = s->machine.pidfd;
	return r;
}

/* From here on the files of the instance are this process' root directory. */
static int run_program(struct starting *s, struct err *err)
{
	_cleanup_(str_fini) struct str message = { 0 };
	int r = vm_machine_wait_ready(&s->machine, s->listener, s->program.signals, err);

	if (r < 0)
		return r;
	s->program.control = r;
	cleanup_closep(&s->listener); /* nobody else is expected */
	s->listener = -EBADF;
	(void) unlinkat(s->machine.dir, VM_SOCKET_READY, 0); /* it is ours */
	r = vm_message_run(s->spec, s->program.input, vm_conduct_size(s->program.terminal), &message, err);
	if (r == 0)
		r = vm_link_start(s->program.control, message.p, message.len, s->spec->process.args.v[0],
				  &s->program.number, err);
	return r == 0 ? vm_tree_enter(s->machine.root, err) : r;
}

static int begin(struct starting *s, struct err *err)
{
	int r = 0;

	(void) setsid(); /* a new process leads no group */
	s->program.signals = vm_conduct_signals(err);
	if (s->program.signals < 0)
		return s->program.signals;
	if (s->config->tty)
		r = vm_conduct_terminal(&s->master, &s->program.terminal, err);
	if (r == 0)
		r = make_files(s, err);
	if (r == 0)
		r = make_machine(s, err);
	return r == 0 ? run_program(s, err) : r;
}

static void end_machine(const struct starting *s)
{
	if (s->machine.pid <= 0)
		return;
	(void) proc_pidfd_kill(s->machine.pidfd, SIGKILL); /* it may have ended */
	(void) proc_wait(s->machine.pid); /* it is our child */
}

/* The machine has ended before its program: what a person finds in the log, and what a shell sees. */
static int lost(const struct starting *s)
{
	char why[512];
	int status = proc_wait(s->machine.pid);

	vm_machine_complaint(&s->machine, why, sizeof(why));
	dprintf(STDERR_FILENO, "cleave: the virtual machine ended before its program: %s\n",
		why[0] != '\0' ? why : "it was killed, or turned itself off");
	return status >= 0 && (status & 0x7f) != 0 ? proc_exit_code(status) : EXIT_OURS;
}

static void keep_only(const struct starting *s)
{
	int keep[] = { s->program.dir,	   s->program.control,	s->program.machine,
		       s->program.signals, s->program.terminal, s->machine.complaints };

	(void) proc_close_except(STDERR_FILENO + 1, keep, ARRAY_LEN(keep)); /* tidiness */
}

static _Noreturn void be_stand_in(void *arg, int report)
{
	struct starting *s = arg;
	struct err err = { 0 };
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a number that is known */
	r = begin(s, &err);
	if (r < 0) {
		err.code = r;
		end_machine(s);
		vm_report(report, &err, -EBADF);
		_exit(EXIT_OURS);
	}
	vm_report(report, NULL, s->master);
	keep_only(s);
	r = vm_conduct(&s->program);
	if (s->program.oom)
		(void) file_replace(s->program.dir, "oom", "", 0, 0600); /* memory file system */
	if (r < 0)
		_exit(lost(s));
	end_machine(s);
	_exit(r);
}

int vm_start(struct engine *e, const char *id, const struct eng_config *config, struct eng_running *ret, struct err *err)
{
	struct starting s = {
		.e = e,
		.id = id,
		.config = config,
		.machine = VM_MACHINE_NONE,
		.program = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, 0, config->open_stdin, false },
		.listener = -EBADF,
		.master = -EBADF,
	};

	return vm_stand_in(be_stand_in, &s, ret, err);
}
