/* SPDX-License-Identifier: MIT */
/**
 * DOC: the container's first process before its program
 *
 * Runs between clone3() and execve(), in the new namespaces, on a copy of the parent's memory.  Order
 * matters and is the whole design:
 *
 *   1. become root of the user namespace, join other namespaces, join the cgroup
 *   2. make the mount tree, let the parent run hooks, enter the tree       (needs privileges)
 *   3. terminal, limits, labels                                          (needs the finished tree)
 *   4. identity: ids, capabilities, no_new_privs
 *   5. look the program up, tell READY; the parent writes state.json
 *   6. wait for `start`, load the seccomp filter, startContainer hooks, execve()
 *
 * Step 4 ends by closing what is the host's: from then on paths that the image decides about, such as
 * the program's, are followed, and /proc/self/fd/N/.. of a directory of the host would lead out
 * (CVE-2024-21626).  Only sockets, the log and the standard descriptors are left.
 */
#include "oci/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/console.h"
#include "oci/env.h"
#include "oci/hook.h"
#include "oci/ns.h"
#include "oci/process.h"
#include "oci/rootfs.h"
#include "oci/seccomp.h"
#include "oci/sync.h"
#include "sys/proc.h"

static _Noreturn void child_fail(struct oci_child *child, int to, const struct err *err)
{
	oci_sync_send_err(to >= 0 ? to : child->sync, err);
	_exit(1);
}

/* The words by which people and tools know a failure of this kind. */
static _Noreturn void init_fail(struct oci_child *child, struct err *err)
{
	(void) err_wrap(err, err->code, "error during container init");
	child_fail(child, -1, err);
}

/* Ids of the new user namespace are not ours until we take them. */
static int become_root(const struct oci_child *child, struct err *err)
{
	if (!child->init.in_userns)
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(err, -errno, "become root of the user namespace");
	return 0;
}

static int write_offsets(const struct oci_child *child, struct err *err)
{
	const struct oci_linux *l = &child->init.spec->linux;
	char text[128];
	int n = 0, r;

	if (!oci_ns_is_new(child->init.spec, OCI_NS_TIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_set(err, -errno, "create a time namespace");
	if (l->monotonic.set)
		n += snprintf(text + n, sizeof(text) - (size_t) n, "monotonic %lld %u\n",
			      (long long) l->monotonic.secs, l->monotonic.nanosecs);
	if (l->boottime.set)
		n += snprintf(text + n, sizeof(text) - (size_t) n, "boottime %lld %u\n",
			      (long long) l->boottime.secs, l->boottime.nanosecs);
	if (n == 0)
		return 0;
	r = file_write(child->init.proc_fd, "self/timens_offsets", text);
	return r < 0 ? err_set(err, r, "write the offsets of the time namespace") : 0;
}

static int enter_namespaces(struct oci_child *child, struct err *err)
{
	const struct oci_spec *spec = child->init.spec;
	int r;

	if (child->wait_go) {
		r = oci_sync_expect(child->sync, OCI_SYNC_GO, NULL, err);
		if (r < 0)
			return r;
	}
	r = child->init.cgroup != NULL ? oci_cgroup_locate(child->init.cgroup, err) : 0;
	if (r == 0)
		r = oci_child_join(child, err);
	if (r == 0) /* before the ids change, which makes our files in /proc root's */
		r = write_offsets(child, err);
	if (r == 0)
		r = become_root(child, err);
	if (r == 0 && child->nr_task_fds != 0)
		r = oci_cgroup_join_fds(child->task_fds, child->nr_task_fds, err);
	if (r < 0)
		return r;
	if (child->unshare_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, -errno, "create a cgroup namespace");
	if (spec->hostname != NULL && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_set(err, -errno, "set the host name '%s'", spec->hostname);
	if (spec->domainname != NULL && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return err_set(err, -errno, "set the domain name '%s'", spec->domainname);
	return oci_ns_is_new(spec, OCI_NS_NETWORK) ? oci_lo_up(err) : 0;
}

/* pid as the host sees it: the host's procfs resolves "self" there */
static void read_own_pid(struct oci_child *child)
{
	char text[16];
	ssize_t n = readlinkat(child->init.proc_fd, "self", text, sizeof(text) - 1);

	if (n <= 0)
		return; /* hooks and the agent see the pid as 0 */
	text[n] = '\0';
	child->state.pid = (pid_t) strtol(text, NULL, 10);
}

static bool has_hooks(const struct oci_spec *spec, enum oci_hook_kind kind)
{
	return spec->hooks[kind].n != 0;
}

static int build_tree(struct oci_child *child, struct err *err)
{
	const struct oci_spec *spec = child->init.spec;
	int r = oci_rootfs_mount(&child->init, err);

	if (r < 0)
		return r;
	if (has_hooks(spec, OCI_HOOK_PRESTART) || has_hooks(spec, OCI_HOOK_CREATE_RUNTIME)) {
		r = oci_sync_send(child->sync, OCI_SYNC_HOOKS, 0);
		if (r < 0)
			return err_set(err, r, "talk to the runtime");
		r = oci_sync_expect(child->sync, OCI_SYNC_GO, NULL, err);
		if (r < 0)
			return r;
	}
	if (has_hooks(spec, OCI_HOOK_CREATE_CONTAINER) && fchdir(child->init.rootfs_fd) < 0)
		return err_set(err, -errno, "enter the root file system"); /* where such hooks expect to be */
	r = oci_hook_run(spec, OCI_HOOK_CREATE_CONTAINER, &child->state, OCI_STATUS_CREATING, NULL, err);
	return r < 0 ? r : oci_rootfs_enter(&child->init, err);
}

/*
 * Working directory.  It may be reachable only with privileges, or only as the user (NFS, FUSE): tried
 * as root first, then as the user.  create makes a missing one when it enters the tree; exec does not,
 * a path through /proc would make it anywhere.
 */
static bool enter_cwd_early(const struct oci_process *p)
{
	return chdir(p->cwd) == 0;
}

static int enter_cwd(const struct oci_process *p, bool entered, struct err *err)
{
	char cwd[PATH_MAX];

	if (!entered && chdir(p->cwd) < 0)
		return err_set(err, -errno, "chdir to cwd (\"%s\") set in config.json failed", p->cwd);
	/* a directory of the host has no path here (CVE-2024-21626) */
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 || cwd[0] != '/')
		return err_msg(err, -EPERM,
			       "current working directory is outside of container mount namespace root -- "
			       "possible container breakout detected");
	return 0;
}

/* What a path of the image could lead out by.  The log is a file or a pipe, there is no way on from it. */
static int close_host(struct oci_child *child, struct err *err)
{
	int keep[] = { child->sync, child->listen, child->seccomp_agent, log_fd() };
	int r = proc_close_except(child->keep_fds, keep, ARRAY_LEN(keep));

	child->init.proc_fd = -EBADF;
	return r < 0 ? err_set(err, r, "close descriptors") : 0;
}

static int become_process(struct oci_child *child, char **ret_file, struct err *err)
{
	const struct oci_process *p = child->init.process;
	bool filter = child->filter.len != 0, entered;
	int r;

	if (p->cwd == NULL)
		return close_host(child, err); /* no process is configured: wait to be deleted */
	if (child->console >= 0) {
		r = oci_console_open(&child->init, child->console, child->bind_console, err);
		if (r < 0)
			return r;
	}
	r = oci_process_limits(&child->init, child->new_keyring, err);
	if (r == 0)
		r = oci_process_label(&child->init, err);
	if (r < 0)
		return r;
	entered = enter_cwd_early(p);
	r = oci_env_finish(&child->process, err);
	if (r == 0 && !child->init.in_userns)
		r = oci_process_quota(p, child->init.proc_fd, 0, err);
	if (r == 0)
		r = oci_process_identity(&child->init, filter, err);
	if (r == 0)
		r = close_host(child, err);
	if (r == 0)
		r = enter_cwd(p, entered, err);
	return r == 0 ? oci_process_find(p, ret_file, err) : r;
}

/* A created container may wait for days: it keeps nothing but what `start` needs. */
static int leave_runtime(struct oci_child *child, struct err *err)
{
	int keep[] = { child->listen, child->seccomp_agent };
	int r = proc_close_except(child->keep_fds, keep, ARRAY_LEN(keep));

	child->sync = -EBADF;
	return r < 0 ? err_set(err, r, "close descriptors") : 0;
}

static void end_by_signal(int signal)
{
	_exit(128 + signal);
}

/*
 * The kernel keeps signals without a handler from the first process of a pid namespace, but a
 * container that waits for `start` can be stopped like any other.  execve() resets the handlers.
 */
static void obey_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	const struct sigaction end = { .sa_handler = end_by_signal };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void) sigaction(signals[i], &end, NULL); /* cannot fail for these */
}

/* Return: connection of the `start` to answer, or -EBADF when there was nothing to wait for. */
static int wait_for_start(struct oci_child *child)
{
	if (child->listen < 0)
		return -EBADF;
	obey_signals();
	for (;;) {
		int conn = accept4(child->listen, NULL, NULL, SOCK_CLOEXEC);

		if (conn < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (conn < 0)
			_exit(1); /* nobody can start this any more */
		if (oci_sync_expect(conn, OCI_SYNC_START, NULL, NULL) == 0)
			return conn;
		(void) close(conn); /* somebody only looked whether we still wait */
	}
}

/* Spec: runtime-spec 1.3 config-linux.md "The Container Process State" */
static void agent_json(const struct oci_child *child, struct str *ret)
{
	const struct oci_seccomp *seccomp = child->init.spec->linux.seccomp;

	str_puts(ret, "{\"ociVersion\":");
	str_json(ret, child->state.version);
	str_printf(ret, ",\"fds\":[\"seccompFd\"],\"pid\":%d", (int) child->state.pid);
	if (seccomp->listener_metadata != NULL) {
		str_puts(ret, ",\"metadata\":");
		str_json(ret, seccomp->listener_metadata);
	}
	str_puts(ret, ",\"state\":");
	oci_state_json(&child->state, OCI_STATUS_CREATING, NULL, false, ret); /* what agents know */
	str_puts(ret, "}");
}

/* From here on the filter may refuse anything but what execve() itself needs. */
static _Noreturn void run_program(struct oci_child *child, const char *file, int report)
{
	const struct oci_process *p = child->init.process;
	struct err err = { 0 };
	int r = 0;

	if (child->filter.len != 0) {
		_cleanup_(str_fini) struct str json = { 0 };

		if (child->seccomp_agent >= 0)
			agent_json(child, &json);
		r = oci_seccomp_load(&child->filter, child->seccomp_agent, json.p, &err);
	}
	if (r == 0 && !child->init.exec)
		r = oci_hook_run(child->init.spec, OCI_HOOK_START_CONTAINER, &child->state,
				 OCI_STATUS_CREATED, p->env.v, &err);
	if (r == 0) {
		(void) execve(file, p->args.v, p->env.v);
		err_set(&err, -errno, "exec %s", file);
	}
	child_fail(child, report, &err);
}

_Noreturn void oci_child_main(struct oci_child *child)
{
	_cleanup_free_ char *file = NULL;
	struct err err = { 0 };
	int report;

	proc_default_signals();
	if (!oci_ns_is_new(child->init.spec, OCI_NS_PID) && !child->shown)
		(void) prctl(PR_SET_DUMPABLE, 0); /* nobody who shares the namespace may look into us */
	(void) setsid(); /* fails for a session leader, which is what we want to be */
	if (enter_namespaces(child, &err) < 0)
		init_fail(child, &err);
	(void) prctl(PR_SET_DUMPABLE, 0); /* execve() sets it again */
	read_own_pid(child);
	if (build_tree(child, &err) < 0 || become_process(child, &file, &err) < 0)
		init_fail(child, &err);
	if (oci_sync_send(child->sync, OCI_SYNC_READY, child->state.pid) < 0 ||
	    oci_sync_expect(child->sync, OCI_SYNC_PERSIST, NULL, &err) < 0)
		_exit(1); /* the runtime died: nobody knows of us */
	if (child->listen >= 0 && leave_runtime(child, &err) < 0)
		_exit(1);
	report = wait_for_start(child);
	run_program(child, file, report);
}

_Noreturn void oci_child_exec_main(struct oci_child *child)
{
	_cleanup_free_ char *file = NULL;
	struct err err = { 0 };

	proc_default_signals();
	(void) prctl(PR_SET_DUMPABLE, 0);
	(void) setsid(); /* as above */
	if (child->wait_go && oci_sync_expect(child->sync, OCI_SYNC_GO, NULL, &err) < 0)
		_exit(1);
	if (child->nr_task_fds != 0 &&
	    oci_cgroup_join_fds(child->task_fds, child->nr_task_fds, &err) < 0)
		child_fail(child, -1, &err);
	if (child->target_pidfd >= 0 && oci_child_join(child, &err) < 0)
		child_fail(child, -1, &err);
	if (become_root(child, &err) < 0)
		child_fail(child, -1, &err);
	read_own_pid(child);
	if (become_process(child, &file, &err) < 0)
		child_fail(child, -1, &err);
	if (oci_sync_send(child->sync, OCI_SYNC_READY, child->state.pid) < 0 ||
	    oci_sync_expect(child->sync, OCI_SYNC_PERSIST, NULL, &err) < 0)
		_exit(1);
	run_program(child, file, -EBADF);
}
