/* SPDX-License-Identifier: MIT */
#include "oci/exec.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/cgroup.h"
#include "oci/child.h"
#include "oci/console.h"
#include "oci/container.h"
#include "oci/ns.h"
#include "oci/pidfile.h"
#include "oci/process.h"
#include "oci/sync.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define FOLLOW_MAX 10 /* times */

struct execution {
	const struct oci_exec_opts *opts;
	struct oci_container *c;
	struct oci_child child;
	int sync, console, master, cgroup_fd;
	pid_t pid;
	int pidfd;
};

static int open_cgroups(struct execution *ex, struct err *err)
{
	struct oci_child *ch = &ex->child;

	return oci_cgroup_exec_fds(ex->c->cgroup, ex->c->state.pid, ex->opts->cgroups,
				   ex->opts->nr_cgroups, ch->task_fds, OCI_TASK_FDS_MAX,
				   &ch->nr_task_fds, &ex->cgroup_fd, err);
}

static int prepare(struct execution *ex, struct err *err)
{
	struct oci_container *c = ex->c;
	struct oci_child *ch = &ex->child;
	int r;

	oci_child_init(ch, c);
	ch->process = *ex->opts->process;
	ch->state = c->state;
	ch->init.bundle = c->state.bundle;
	ch->init.in_userns = c->spec->linux.namespaces[OCI_NS_USER].set;
	ch->init.rootless = geteuid() != 0 || proc_in_userns();
	ch->init.exec = true;
	ch->target_pidfd = proc_pidfd_open(c->state.pid);
	if (ch->target_pidfd < 0 || !oci_container_alive(c))
		return err_msg(err, -ESRCH, "cannot exec in a stopped container");
	for (int ns = 0; ns < OCI_NS_N_; ns++)
		if (c->spec->linux.namespaces[ns].set)
			ch->target_flags |= (int) oci_ns_infos[ns].clone_flag;
	r = oci_child_prepare(ch, c, ex->opts->console_socket, ex->opts->preserve_fds, &ex->console, err);
	if (r < 0)
		return r;
	return c->cgroup != NULL ? open_cgroups(ex, err) : 0;
}

/*
 * The container's processes could follow /proc/PID/root of one that is in their pid namespace but
 * still has the host's root: what they need for that is this capability in the initial user namespace.
 */
static bool can_look_into(const struct oci_spec *spec)
{
	const struct oci_caps *caps = spec->process.caps;

	return !spec->linux.namespaces[OCI_NS_USER].set && caps != NULL &&
	       (caps->bounding & (UINT64_C(1) << CAP_SYS_PTRACE)) != 0;
}

/*
 * The pid namespace shows only for children of the process that joins it.  A privileged runtime joins
 * just that one itself; otherwise, or where the container could look into the process that comes, a helper
 * joins all, the user namespace first.
 */
static bool needs_helper(struct oci_child *ch, const struct oci_spec *spec)
{
	if ((ch->target_flags & CLONE_NEWPID) == 0)
		return false;
	if (can_look_into(spec) || setns(ch->target_pidfd, CLONE_NEWPID) < 0)
		return true;
	ch->target_flags &= ~CLONE_NEWPID;
	return false;
}

/* @attach: the process waits until systemd has moved it into the cgroup */
static int spawn_once(struct execution *ex, bool helper, bool attach, struct err *err)
{
	struct oci_child *ch = &ex->child;
	int pair[2], r;

	r = msg_pair(pair);
	if (r < 0)
		return err_set(err, r, "create a socket pair");
	ex->sync = pair[0];
	ch->sync = pair[1];
	r = oci_process_affinity(&ch->process, err);
	if (r < 0)
		return r;
	ch->wait_go = helper || attach || ch->init.in_userns;
	r = oci_child_spawn(ch, oci_child_exec_main, 0, attach ? -EBADF : ex->cgroup_fd, ex->sync,
			    ex->opts->clone_parent, helper, &ex->pid, &ex->pidfd, err);
	if (r == 0 && attach)
		r = oci_cgroup_attach(ex->c->cgroup, ex->pid, err);
	return r == 0 && ch->wait_go ? oci_sync_send(ex->sync, OCI_SYNC_GO, 0) : r;
}

static void forget_spawn(struct execution *ex)
{
	(void) close(ex->sync);
	if (ex->child.sync >= 0)
		(void) close(ex->child.sync);
	ex->pid = 0;
}

/*
 * The container's init gave controllers to its children since the cgroup was looked at.  It had to move
 * before that, so it is to be followed.
 */
static int follow(struct execution *ex, bool helper, struct err *err)
{
	struct oci_child *ch = &ex->child;
	int r;

	forget_spawn(ex);
	(void) close(ex->cgroup_fd);
	ex->cgroup_fd = -EBADF;
	while (ch->nr_task_fds > 0)
		(void) close(ch->task_fds[--ch->nr_task_fds]);
	r = open_cgroups(ex, err);
	return r == 0 ? spawn_once(ex, helper, false, err) : r;
}

/* Without systemd's help a user gets no further than the cgroups he owns. */
static int spawn(struct execution *ex, struct err *err)
{
	bool helper = needs_helper(&ex->child, ex->c->spec);
	int r = spawn_once(ex, helper, false, err);

	for (int i = 0; r == -EBUSY && ex->cgroup_fd >= 0 && i < FOLLOW_MAX; i++)
		r = follow(ex, helper, err);
	if (r != -EACCES || ex->cgroup_fd < 0 || !oci_cgroup_attachable(ex->c->cgroup))
		return r;
	forget_spawn(ex);
	return spawn_once(ex, helper, true, err);
}

static int serve(struct execution *ex, struct err *err)
{
	int r = oci_rdt_join(ex->c->spec, ex->c->id, ex->pid, err);

	if (r == 0)
		r = oci_sync_expect(ex->sync, OCI_SYNC_READY, NULL, err);
	if (r == 0 && ex->console >= 0) {
		ex->master = oci_console_receive(ex->console, !ex->opts->clone_parent, err); /* sent before READY */
		r = ex->master < 0 ? ex->master : 0;
	}
	/* not earlier: a low limit of descriptors is the program's, not the set-up's */
	if (r == 0 && ex->child.init.in_userns)
		r = oci_process_quota(&ex->child.process, ex->child.init.proc_fd, ex->pid, err);
	if (r == 0 && ex->opts->pidfd_socket != NULL)
		r = oci_pidfd_send(ex->opts->pidfd_socket, ex->pidfd, err);
	if (r == 0 && ex->opts->pid_file != NULL)
		r = oci_pidfile_write(ex->opts->pid_file, ex->pid, err);
	if (r < 0)
		return r;
	r = oci_sync_send(ex->sync, OCI_SYNC_PERSIST, 0);
	if (r < 0)
		return err_set(err, r, "talk to the process");
	r = oci_sync_recv(ex->sync, NULL, err); /* end of file: execve() worked */
	return r > 0 ? err_msg(err, -EPROTO, "unexpected message %d from the process", r) : r;
}

int oci_exec(struct oci_container *c, const struct oci_exec_opts *opts, struct oci_executed *ret,
	     struct err *err)
{
	struct execution ex = {
		.opts = opts, .c = c, .sync = -EBADF, .console = -EBADF, .master = -EBADF,
		.cgroup_fd = -EBADF, .pidfd = -EBADF,
	};
	int r = oci_container_spec(c, err);

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	r = prepare(&ex, err);
	if (r == 0)
		r = spawn(&ex, err);
	if (r == 0)
		r = serve(&ex, err);
	oci_child_fini(&ex.child);
	if (ex.sync >= 0)
		(void) close(ex.sync);
	if (ex.console >= 0)
		(void) close(ex.console);
	if (ex.cgroup_fd >= 0)
		(void) close(ex.cgroup_fd);
	if (r < 0) {
		if (ex.pid > 0) {
			(void) kill(ex.pid, SIGKILL);
			if (!opts->clone_parent)
				(void) proc_wait(ex.pid);
		}
		if (ex.pidfd >= 0)
			(void) close(ex.pidfd);
		if (ex.master >= 0)
			(void) close(ex.master);
		return r;
	}
	*ret = (struct oci_executed){ .pid = ex.pid, .pidfd = ex.pidfd, .master = ex.master };
	return 0;
}
