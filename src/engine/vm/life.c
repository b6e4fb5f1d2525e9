/* SPDX-License-Identifier: MIT */
#include "engine/vm/life.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/vm/control.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "engine/vm/tree.h"
#include "oci/spec.h"
#include "sys/proc.h"

#define EXIT_OURS 125

int vm_life_boot(struct vm_life *l, const struct vm_want *want, struct err *err)
{
	int r;

	(void) unlinkat(l->machine.dir, VM_SOCKET, 0); /* of the last time, as the next one */
	(void) unlinkat(l->machine.dir, VM_SOCKET_READY, 0);
	(void) unlinkat(l->machine.dir, VM_CONTROL, 0);
	_cleanup_close_ int listener = vm_link_listen(l->machine.dir, err);
	r = listener < 0 ? listener : vm_machine_start(want, &l->machine, err);
	if (r < 0)
		return r;
	l->program.machine = l->machine.pidfd;
	l->program.dir = l->machine.dir;
	r = vm_machine_wait_ready(&l->machine, listener, l->program.signals, err);
	if (r < 0)
		return r;
	l->program.control = r;
	(void) unlinkat(l->machine.dir, VM_SOCKET_READY, 0); /* nobody else is expected */
	vm_machine_forget(&l->machine);
	return 0;
}

int vm_life_run(struct vm_life *l, const struct oci_spec *spec, struct err *err)
{
	_cleanup_(str_fini) struct str message = { 0 };
	struct vm_program *p = &l->program;
	struct vm_how how = { .number = vm_message_number(), .input = p->input, .size = vm_conduct_size(p->terminal),
			      .image = l->machine.image >= 0 };
	int r = vm_message_run(spec, &how, l->machine.nets, l->machine.nr_nets, &message, err);

	if (r == 0)
		r = vm_conduct_start(p, &message, how.number, spec->process.args.v[0], err);
	return r == 0 ? vm_tree_enter(l->machine.root, err) : r;
}

void vm_life_end(const struct vm_life *l)
{
	if (l->machine.pid <= 0)
		return;
	(void) proc_pidfd_kill(l->machine.pidfd, SIGKILL); /* it may have ended */
	(void) proc_wait(l->machine.pid); /* it is our child */
}

/* The machine has ended before its program: what a person finds in the log, and what a shell sees. */
static int lost(const struct vm_life *l)
{
	char why[512];
	int status = proc_wait(l->machine.pid);

	vm_machine_complaint(&l->machine, why, sizeof(why));
	dprintf(STDERR_FILENO, "cleave: the virtual machine ended before its program: %s\n",
		why[0] != '\0' ? why : "it was killed, or turned itself off");
	return status >= 0 && (status & 0x7f) != 0 ? proc_exit_code(status) : EXIT_OURS;
}

void vm_life_keep(const struct vm_life *l, int also)
{
	const struct vm_machine *m = &l->machine;
	const struct vm_program *p = &l->program;
	int keep[] = { m->dir,	   m->files,   m->root,	   m->kernel,	  m->initramfs,	 m->modules, m->complaints, p->control,
		       p->machine, p->signals, p->terminal, p->stream[0], p->stream[1], also };

	(void) proc_close_except(STDERR_FILENO + 1, keep, ARRAY_LEN(keep)); /* tidiness */
}

_Noreturn void vm_life_stay(struct vm_life *l)
{
	int r;

	vm_life_keep(l, -EBADF);
	r = vm_conduct(&l->program);
	if (l->program.oom)
		(void) file_replace(l->program.dir, VM_OOM, "", 0, 0600); /* memory file system */
	if (r < 0)
		_exit(lost(l));
	vm_life_end(l);
	_exit(r);
}
