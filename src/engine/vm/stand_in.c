/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/vm/conduct.h"
#include "engine/vm/vm_parts.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define EXIT_KILLED 137

void vm_report(int sock, const struct err *failure, int master)
{
	static const struct err none;
	const struct err *e = failure != NULL ? failure : &none;

	(void) msg_send(sock, e, sizeof(e->code) + strlen(e->text) + 1, &master, master >= 0); /* or it sees our end */
}

static int read_report(int sock, int *ret_master, struct err *err)
{
	struct err report = { 0 };
	size_t nr_fds = 1;
	ssize_t n = msg_recv(sock, &report, sizeof(report), ret_master, &nr_fds);

	if (nr_fds == 0)
		*ret_master = -EBADF;
	if (n < (ssize_t) sizeof(report.code))
		return err_msg(err, -ECHILD, "the process that starts the virtual machine died");
	report.text[sizeof(report.text) - 1] = '\0';
	return report.code < 0 ? err_msg(err, report.code, "%s", report.text) : 0;
}

int vm_stand_in(void (*be)(void *arg, int report), void *arg, bool child, struct eng_running *ret, struct err *err)
{
	int pair[2], r = msg_pair(pair);

	if (r < 0)
		return err_set(err, r, "start a virtual machine");
	ret->pid = proc_clone(child ? 0 : CLONE_PARENT, child ? SIGCHLD : 0, -EBADF, NULL);
	if (ret->pid == 0)
		be(arg, pair[1]);
	(void) close(pair[1]); /* a socket */
	_cleanup_close_ int ours = pair[0];
	if (ret->pid < 0)
		return err_set(err, ret->pid, "create a process");
	return read_report(ours, &ret->master, err);
}

_Noreturn void vm_stand_for(struct vm_program *p, int report, int master)
{
	int keep[] = { p->dir, p->control, p->signals, p->terminal, p->stream[0], p->stream[1] }, r;

	vm_report(report, NULL, master);
	(void) proc_close_except(STDERR_FILENO + 1, keep, ARRAY_LEN(keep)); /* tidiness */
	r = vm_conduct(p);
	_exit(r < 0 ? EXIT_KILLED : r); /* the machine has ended: as all in a container are killed */
}
