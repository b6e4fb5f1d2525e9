/* SPDX-License-Identifier: MIT */
#include "oci/lifecycle.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/hook.h"
#include "oci/ns.h"
#include "oci/process.h"
#include "oci/sync.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define ORPHAN_WAIT_MS 500
#define KILL_WAIT_MS 10000 /* a killed process that is still there then is stuck in the kernel */

static int not_created(struct oci_container *c, struct err *err)
{
	switch (oci_container_status(c)) {
	case OCI_STATUS_STOPPED:
		return err_msg(err, -EINVAL, "cannot start a container that has stopped");
	case OCI_STATUS_CREATING:
		return err_msg(err, -EINVAL, "cannot start a container that is still being created");
	case OCI_STATUS_CREATED:
	case OCI_STATUS_RUNNING:
	case OCI_STATUS_PAUSED:
		break;
	}
	return err_msg(err, -EINVAL, "cannot start an already running container");
}

int oci_start(struct oci_container *c, struct err *err)
{
	int r = oci_container_spec(c, err);

	if (r < 0)
		return r;
	if (!c->spec->process_set)
		return err_msg(err, -EINVAL, "%s: process is missing, nothing to start", OCI_CONFIG_COPY);
	_cleanup_close_ int conn = oci_container_alive(c) ? msg_connect_at(c->dir_fd, OCI_START_SOCKET) : -ESRCH;
	if (conn < 0)
		return not_created(c, err);
	r = oci_sync_send(conn, OCI_SYNC_START, 0);
	if (r < 0)
		return err_set(err, r, "talk to the container process");
	r = oci_sync_recv(conn, NULL, err); /* end of file: execve() worked */
	if (unlinkat(c->dir_fd, OCI_START_SOCKET, 0) < 0 && r == 0)
		r = err_set(err, -errno, "remove the start socket");
	if (r < 0)
		return r;
	r = oci_hook_run(c->spec, OCI_HOOK_POSTSTART, &c->state, OCI_STATUS_RUNNING, NULL, err);
	if (r < 0)
		(void) oci_delete(c, true, NULL); /* the hook's failure is the one to report */
	return r;
}

/* Kill by pidfd, so that a reused pid is never hit. */
static int kill_init(struct oci_container *c, int signal)
{
	_cleanup_close_ int pidfd = c->has_state ? proc_pidfd_open(c->state.pid) : -ESRCH;

	if (pidfd < 0 || !oci_container_alive(c))
		return -ESRCH;
	return proc_pidfd_kill(pidfd, signal);
}

static bool has_pid_namespace(const struct oci_container *c)
{
	return oci_ns_is_new(c->spec, OCI_NS_PID);
}

int oci_kill(struct oci_container *c, int signal, bool all, struct err *err)
{
	int r = oci_container_spec(c, err);

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	if (all) {
		if (c->cgroup == NULL)
			return err_msg(err, -EINVAL, "can't kill all processes without a cgroup");
		return oci_cgroup_kill(c->cgroup, signal, err);
	}
	r = kill_init(c, signal);
	if (signal == SIGKILL && !has_pid_namespace(c) && c->cgroup != NULL) {
		/* no init whose end would take the others along */
		int q = oci_cgroup_kill(c->cgroup, signal, NULL);

		r = q == 0 ? 0 : r;
	}
	if (r == -ESRCH)
		return err_msg(err, r, "container not running");
	if (r < 0)
		return err_set(err, r, "send signal %d to the container", signal);
	if (signal == SIGKILL && c->cgroup != NULL && oci_cgroup_frozen(c->cgroup) == 1)
		(void) oci_cgroup_freeze(c->cgroup, false, NULL); /* v1: a frozen process does not die */
	return 0;
}

static int kill_and_wait(struct oci_container *c, struct err *err)
{
	struct pollfd p = { .events = POLLIN };
	int r;

	_cleanup_close_ int pidfd = proc_pidfd_open(c->state.pid);
	if (pidfd < 0 || !oci_container_alive(c))
		return 0;
	r = proc_pidfd_kill(pidfd, SIGKILL);
	if (r < 0 && r != -ESRCH)
		return err_set(err, r, "kill the container");
	if (c->cgroup != NULL && oci_cgroup_frozen(c->cgroup) == 1)
		(void) oci_cgroup_freeze(c->cgroup, false, NULL); /* deleting tells if it did not help */
	p.fd = pidfd;
	if (poll(&p, 1, KILL_WAIT_MS) == 0)
		return err_msg(err, -EBUSY, "the container's process %d does not end after SIGKILL",
			       (int) c->state.pid);
	return 0;
}

/* Creation was cut short: what state.json would have told follows from the configuration. */
static int recover(struct oci_container *c, struct err *err)
{
	struct oci_cgroup_want want = { .id = c->id };
	int r = oci_container_spec(c, NULL);

	if (r < 0)
		return 0; /* not even the configuration was written: nothing else can exist */
	if (faccessat(c->dir_fd, OCI_NO_CGROUP, F_OK, 0) == 0)
		return 0;
	want.path = c->spec->linux.cgroups_path;
	want.spec = c->spec;
	want.rootless = geteuid() != 0;
	/* a first process that nobody knows of sees the end of its creator when it next looks */
	for (int ms = 0; ms < ORPHAN_WAIT_MS; ms += 10) {
		r = oci_cgroup_create(&want, &c->cgroup, err);
		if (r != -EBUSY)
			return r;
		(void) poll(NULL, 0, 10);
	}
	want.busy = true; /* it, or a hook of its, does not look */
	r = oci_cgroup_create(&want, &c->cgroup, err);
	return r == 0 ? oci_cgroup_kill(c->cgroup, SIGKILL, err) : r;
}

int oci_delete(struct oci_container *c, bool force, struct err *err)
{
	int r;

	if (!c->has_state) {
		if (!force)
			return err_msg(err, -EBUSY, "container '%s' is being created or its creation was cut "
						    "short: use --force", c->id);
		r = recover(c, err);
		if (r == 0 && c->cgroup != NULL)
			r = oci_cgroup_delete(c->cgroup, err);
		return r < 0 ? r : oci_container_remove(c, err);
	}
	r = oci_container_cgroup(c, err);
	if (r == 0)
		r = oci_container_spec(c, err);
	if (r < 0 && !force)
		return r;
	if (oci_container_alive(c)) {
		enum oci_status status = oci_container_status(c);

		if (!force && status != OCI_STATUS_CREATED)
			return err_msg(err, -EBUSY, "cannot delete container %s that is not stopped: %s",
				       c->id, oci_status_name(status));
		r = kill_and_wait(c, err);
		if (r < 0)
			return r;
	}
	if (c->cgroup != NULL) {
		if (c->spec == NULL || !has_pid_namespace(c)) /* its end took nobody along */
			(void) oci_cgroup_kill(c->cgroup, SIGKILL, NULL); /* deleting tells if it failed */
		r = oci_cgroup_delete(c->cgroup, err);
		if (r < 0)
			return r;
	}
	if (c->spec != NULL && c->spec->linux.intel_rdt != NULL) {
		r = oci_rdt_remove(c->spec, c->id, err);
		if (r < 0)
			return r;
	}
	r = oci_container_remove(c, err);
	if (r == 0 && c->spec != NULL)
		oci_hook_warn(c->spec, OCI_HOOK_POSTSTOP, &c->state, OCI_STATUS_STOPPED);
	return r;
}

int oci_signal_parse(const char *text)
{
	uint64_t n;

	if (str_to_u64(text, &n) == 0)
		return n < (uint64_t) NSIG ? (int) n : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0 || strncasecmp(text, "RTMAX", 5) == 0) {
		bool min = strncasecmp(text, "RTMIN", 5) == 0;
		uint64_t off = 0;

		if (text[5] != '\0' && (text[5] != (min ? '+' : '-') || str_to_u64(text + 6, &off) < 0))
			return -EINVAL;
		if (off > 30)
			return -EINVAL;
		return min ? 34 + (int) off : 64 - (int) off; /* the kernel's numbers as shells show them */
	}
	for (int s = 1; s < 32; s++) {
		const char *name = sigabbrev_np(s);

		if (name != NULL && strcasecmp(name, text) == 0)
			return s;
	}
	return -EINVAL;
}
