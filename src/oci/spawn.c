/* SPDX-License-Identifier: MIT */
/**
 * DOC: how the container's first process comes into being
 *
 * Usually one clone3() with every new namespace at once.  Two things need a process between: a pid
 * namespace that is joined takes effect only for children, and a user namespace (new or joined) must
 * be entered after joining namespaces that it does not own, or before those that it does.  That
 * helper joins, clones with CLONE_PARENT, tells the pid and is gone.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "oci/child.h"
#include "oci/ns.h"
#include "oci/sync.h"
#include "sys/proc.h"

static int join_one(const struct oci_child *child, int ns, struct err *err)
{
	if (setns(child->ns_fds[ns], (int) oci_ns_infos[ns].clone_flag) == 0)
		return 0;
	return err_set(err, -errno, "join %s namespace '%s'", oci_ns_infos[ns].name,
		       child->init.spec->linux.namespaces[ns].path);
}

/*
 * A namespace that the user namespace to be joined does not own has to be joined before it, with the
 * runtime's own privileges; one that only it may join, after it.
 */
int oci_child_join(const struct oci_child *child, struct err *err)
{
	bool late[OCI_NS_N_] = { false };
	int r = 0;

	if (child->target_pidfd >= 0) {
		if (setns(child->target_pidfd, child->target_flags) < 0)
			return err_set(err, -errno, "join the namespaces of the container");
		return 0;
	}
	for (int ns = 0; r == 0 && ns < OCI_NS_N_; ns++) {
		if (ns == OCI_NS_USER || child->ns_fds[ns] < 0)
			continue;
		r = join_one(child, ns, err);
		if (r == -EPERM && child->ns_fds[OCI_NS_USER] >= 0) {
			late[ns] = true;
			r = 0;
		}
	}
	if (r == 0 && child->ns_fds[OCI_NS_USER] >= 0)
		r = join_one(child, OCI_NS_USER, err);
	for (int ns = 0; r == 0 && ns < OCI_NS_N_; ns++)
		if (late[ns])
			r = join_one(child, ns, err);
	return r;
}

/* What else is open is the caller's: a container that is joined must not find it in its process. */
static int close_others(const struct oci_child *child, int cgroup_fd)
{
	int keep[OCI_TASK_FDS_MAX + 6] = {
		log_fd(), child->sync, child->console, child->seccomp_agent, child->init.proc_fd, cgroup_fd,
	};

	memcpy(keep + 6, child->task_fds, child->nr_task_fds * sizeof(*keep));
	return proc_close_except(child->keep_fds, keep, 6 + child->nr_task_fds);
}

static _Noreturn void helper_main(struct oci_child *child, void (*run)(struct oci_child *),
				  unsigned long flags, int cgroup_fd)
{
	struct err err = { 0 };
	pid_t pid = oci_child_join(child, &err);

	if (pid == 0) {
		for (int ns = 0; ns < OCI_NS_N_; ns++)
			child->ns_fds[ns] = -EBADF; /* done; they close on exec */
		if (child->target_pidfd >= 0)
			(void) close_others(child, cgroup_fd); /* they close on exec at the latest */
		child->target_pidfd = -EBADF;
		pid = proc_clone(flags | CLONE_PARENT, 0, cgroup_fd, NULL);
		if (pid == 0)
			run(child);
		if (pid < 0)
			err_set(&err, (int) pid, "clone the container process");
	}
	if (pid < 0)
		oci_sync_send_err(child->sync, &err);
	else
		(void) oci_sync_send(child->sync, OCI_SYNC_PID, pid); /* a dead parent ends the child too */
	_exit(pid < 0 ? 1 : 0);
}

static int spawn_by_helper(struct oci_child *child, void (*run)(struct oci_child *), unsigned long flags,
			   int cgroup_fd, int sync, bool clone_parent, int *ret_pid, struct err *err)
{
	pid_t helper = proc_clone(clone_parent ? CLONE_PARENT : 0, clone_parent ? 0 : SIGCHLD, -EBADF, NULL);
	int32_t pid = 0;
	int r;

	if (helper < 0)
		return err_set(err, (int) helper, "fork");
	if (helper == 0) {
		(void) close(sync); /* the parent's end: its death must be seen as end of file */
		helper_main(child, run, flags, cgroup_fd);
	}
	(void) close(take_fd(child->sync)); /* so that a dead child is seen as end of file */
	r = oci_sync_expect(sync, OCI_SYNC_PID, &pid, err);
	if (!clone_parent)
		(void) proc_wait(helper); /* its message counts */
	*ret_pid = pid;
	return r;
}

int oci_child_spawn(struct oci_child *child, void (*run)(struct oci_child *), unsigned long flags,
		    int cgroup_fd, int sync, bool clone_parent, bool via_helper, int *ret_pid,
		    int *ret_pidfd, struct err *err)
{
	pid_t pid;
	int r;

	if (via_helper) {
		r = spawn_by_helper(child, run, flags, cgroup_fd, sync, clone_parent, ret_pid, err);
		if (r < 0)
			return r;
		r = proc_pidfd_open(*ret_pid);
		if (r < 0)
			return err_set(err, r, "open the container process");
		*ret_pidfd = r;
		return 0;
	}
	pid = proc_clone(flags | (clone_parent ? CLONE_PARENT : 0), clone_parent ? 0 : SIGCHLD, cgroup_fd,
			 ret_pidfd);
	if (pid == 0) {
		(void) close(sync); /* the parent's end: its death must be seen as end of file */
		run(child);
	}
	if (pid < 0)
		return err_set(err, (int) pid, "clone the container process");
	(void) close(take_fd(child->sync)); /* so that a dead child is seen as end of file */
	*ret_pid = pid;
	return 0;
}
