/* SPDX-License-Identifier: MIT */
/**
 * DOC: making a container
 *
 * The order is chosen for the two things that must hold when this process is killed at any moment:
 * nothing runs that no state.json names (the child gives up when its parent dies before PERSIST), and
 * whatever was made can be found again from the container's directory, which comes first and holds
 * the configuration.
 */
#include "oci/create.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/child.h"
#include "oci/console.h"
#include "oci/container.h"
#include "oci/describe.h"
#include "oci/hook.h"
#include "oci/lifecycle.h"
#include "oci/ns.h"
#include "oci/process.h"
#include "oci/rootfs.h"
#include "oci/sync.h"
#include "oci/userns.h"
#include "sys/msg.h"
#include "sys/proc.h"

struct creation {
	struct oci_create_opts opts;
	struct oci_container *c;
	struct oci_child child;
	int sync, console, master;
	pid_t pid;
	int pidfd, netns;
};

static int open_namespaces(struct creation *cr, struct err *err)
{
	for (int ns = 0; ns < OCI_NS_N_; ns++) {
		const char *path = cr->c->spec->linux.namespaces[ns].path;
		int fd, type;

		if (path == NULL)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return err_set(err, -errno, "lstat %s: open %s namespace", path,
				       oci_ns_infos[ns].name);
		cr->child.ns_fds[ns] = fd;
		type = ioctl(fd, NS_GET_NSTYPE);
		if (type != (int) oci_ns_infos[ns].clone_flag)
			return err_msg(err, -EINVAL, "'%s' is not a %s namespace", path,
				       oci_ns_infos[ns].name);
	}
	return 0;
}

static int make_cgroup(struct creation *cr, struct err *err)
{
	const struct oci_linux *l = &cr->c->spec->linux;
	const struct oci_cgroup_want want = {
		.id = cr->c->id,
		.path = l->cgroups_path,
		.systemd = cr->opts.systemd_cgroup,
		.rootless = cr->child.init.rootless,
		.resources = &l->resources,
		.spec = cr->c->spec,
	};
	int r;

	if (cr->opts.no_cgroup)
		return 0;
	r = oci_cgroup_create(&want, &cr->c->cgroup, err);
	if (r < 0)
		return r;
	cr->child.init.cgroup = cr->c->cgroup;
	r = oci_cgroup_task_fds(cr->c->cgroup, cr->child.task_fds, OCI_TASK_FDS_MAX, err);
	if (r < 0)
		return r;
	cr->child.nr_task_fds = (size_t) r;
	/* before the child is in it: device rules are written one by one, first of all "nothing" */
	return want.systemd ? 0 : oci_cgroup_apply(cr->c->cgroup, &l->resources, false, err);
}

/* To wait for `start` takes a socket, a connection, and with a seccomp listener another socket. */
static int check_descriptors(const struct oci_child *ch, struct err *err)
{
	const uint64_t need = ch->keep_fds + 3;

	for (size_t i = 0; i < ch->process.nr_rlimits; i++)
		if (ch->process.rlimits[i].type == RLIMIT_NOFILE && ch->process.rlimits[i].soft < need)
			return err_msg(err, -EINVAL,
				       "process.rlimits: RLIMIT_NOFILE %llu is under %llu, what waiting for `start` takes",
				       (unsigned long long) ch->process.rlimits[i].soft, (unsigned long long) need);
	return 0;
}

/* All that does not need the child. */
static int prepare(struct creation *cr, struct err *err)
{
	struct oci_child *ch = &cr->child;
	struct oci_container *c = cr->c;
	int r = oci_describe(c, &cr->opts, err);

	if (r < 0)
		return r;
	oci_child_init(ch, c);
	ch->process = c->spec->process;
	ch->state = c->state;
	ch->init.bundle = c->state.bundle;
	ch->init.no_pivot = cr->opts.no_pivot;
	ch->init.in_userns = c->spec->linux.namespaces[OCI_NS_USER].set;
	ch->init.rootless = geteuid() != 0 || proc_in_userns();
	ch->new_keyring = !cr->opts.no_new_keyring;
	ch->unshare_cgroup = oci_ns_is_new(c->spec, OCI_NS_CGROUP);
	ch->bind_console = true;
	if (cr->opts.rootfs_fd > 0) {
		ch->init.rootfs_fd = fcntl(cr->opts.rootfs_fd, F_DUPFD_CLOEXEC, 3);
		ch->init.rootfs_given = true;
		if (ch->init.rootfs_fd < 0)
			return err_set(err, -errno, "keep the root file system");
	}
	r = oci_describe_enter(c, &cr->opts, err);
	if (r < 0)
		return r;
	r = oci_child_prepare(ch, c, cr->opts.console_socket, cr->opts.preserve_fds, &cr->console, err);
	if (r == 0 && c->spec->linux.mount_label != NULL && !oci_selinux_active(ch->init.proc_fd)) {
		log_warning("linux.mountLabel is set but SELinux is off, ignoring it");
		c->spec->linux.mount_label = NULL;
	}
	if (r == 0)
		r = open_namespaces(cr, err);
	if (r == 0)
		r = make_cgroup(cr, err);
	if (r == 0 && !ch->init.rootless)
		r = oci_rootfs_open(&ch->init, ch->ns_fds[OCI_NS_USER], err);
	if (r < 0 || cr->opts.start)
		return r;
	r = check_descriptors(ch, err);
	if (r < 0)
		return r;
	ch->listen = msg_listen_at(c->dir_fd, OCI_START_SOCKET);
	return ch->listen < 0 ? err_set(err, ch->listen, "listen for `start`") : 0;
}

/* See spawn.c: joined pid and user namespaces, and any join beside a new user namespace. */
static bool needs_helper(const struct oci_spec *spec)
{
	const struct oci_namespace *ns = spec->linux.namespaces;
	bool joins = false;

	for (int i = 0; i < OCI_NS_N_; i++)
		joins = joins || ns[i].path != NULL;
	return ns[OCI_NS_PID].path != NULL || ns[OCI_NS_USER].path != NULL || ns[OCI_NS_TIME].path != NULL ||
	       (joins && ns[OCI_NS_USER].set);
}

static int spawn(struct creation *cr, struct err *err)
{
	const struct oci_spec *spec = cr->c->spec;
	bool helper = needs_helper(spec);
	unsigned long flags = 0;
	int pair[2], r;

	for (int ns = 0; ns < OCI_NS_N_; ns++)
		if (oci_ns_is_new(spec, ns) && ns != OCI_NS_CGROUP && ns != OCI_NS_TIME)
			flags |= oci_ns_infos[ns].clone_flag;
	r = msg_pair(pair);
	if (r < 0)
		return err_set(err, r, "create a socket pair");
	cr->sync = pair[0];
	cr->child.sync = pair[1];
	/* without root nobody can look into a process that hides */
	cr->child.shown = cr->opts.connect != NULL && cr->child.init.rootless;
	cr->child.wait_go = helper || oci_ns_is_new(spec, OCI_NS_USER) || cr->opts.systemd_cgroup || cr->child.shown;
	r = oci_child_spawn(&cr->child, oci_child_main, flags,
			    cr->c->cgroup != NULL ? oci_cgroup_clone_fd(cr->c->cgroup) : -EBADF, cr->sync,
			    cr->opts.clone_parent, helper, &cr->pid, &cr->pidfd, err);
	return r;
}

static int open_netns(pid_t pid)
{
	char path[64];
	int fd;

	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* While the child waits, or while it makes its mounts. */
static int serve_start(struct creation *cr, struct err *err)
{
	const struct oci_spec *spec = cr->c->spec;
	int r = 0;

	if (cr->opts.connect != NULL)
		cr->netns = open_netns(cr->pid);
	if (oci_ns_is_new(spec, OCI_NS_USER))
		r = oci_userns_map(cr->pid, &spec->linux.uid_mappings, &spec->linux.gid_mappings, err);
	if (r == 0 && cr->opts.systemd_cgroup)
		r = oci_cgroup_enter_pid(cr->c->cgroup, cr->pid, err);
	if (r == 0 && cr->opts.systemd_cgroup)
		r = oci_cgroup_apply(cr->c->cgroup, &spec->linux.resources, false, err);
	if (r == 0 && cr->c->cgroup != NULL)
		r = oci_cgroup_delegate(cr->c->cgroup, spec, cr->pid, err);
	if (r == 0 && cr->child.wait_go) {
		r = oci_sync_send(cr->sync, OCI_SYNC_GO, 0);
		if (r < 0)
			return err_set(err, r, "talk to the container process");
	}
	if (r == 0 && spec->linux.intel_rdt != NULL)
		r = oci_rdt_apply(spec, cr->c->id, cr->pid, err);
	return r;
}

static int move_net_devices(struct creation *cr, struct err *err)
{
	char path[64];

	if (cr->c->spec->linux.nr_net_devices == 0)
		return 0;
	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) cr->pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "open the network namespace of the container");
	return oci_netdev_move(cr->c->spec, fd, err);
}

/* When the child has died meanwhile, why it did tells more. */
static int connect_networks(struct creation *cr, struct err *err)
{
	int r = cr->netns < 0 ? err_set(err, cr->netns, "open the network namespace of the container")
			      : cr->opts.connect(cr->opts.connect_data, cr->netns, err);
	struct err why = { 0 };
	int kind;

	if (r == 0)
		return 0;
	kind = oci_sync_recv(cr->sync, NULL, &why);
	return kind < 0 && err != NULL ? (*err = why).code : r;
}

static int run_runtime_hooks(struct creation *cr, struct err *err)
{
	struct oci_container *c = cr->c;
	int r = oci_state_save(c->dir_fd, &c->state, err); /* a hook may ask for the state */

	if (r < 0)
		return r;
	c->has_state = true;
	r = oci_hook_run(c->spec, OCI_HOOK_PRESTART, &c->state, OCI_STATUS_CREATED, NULL, err);
	if (r == 0)
		r = oci_hook_run(c->spec, OCI_HOOK_CREATE_RUNTIME, &c->state, OCI_STATUS_CREATING, NULL, err);
	if (r < 0)
		return r;
	r = oci_sync_send(cr->sync, OCI_SYNC_GO, 0);
	return r < 0 ? err_set(err, r, "talk to the container process") : 0;
}

/* Until the child is READY and written down. */
static int serve(struct creation *cr, struct err *err)
{
	struct oci_container *c = cr->c;
	int r = serve_start(cr, err), kind;

	if (r == 0)
		r = move_net_devices(cr, err);
	if (r == 0 && cr->opts.connect != NULL)
		r = connect_networks(cr, err);
	if (r == 0)
		r = oci_describe_pid(c, cr->pid, err);
	while (r == 0) {
		kind = oci_sync_recv(cr->sync, NULL, err);
		if (kind < 0)
			return kind;
		if (kind == OCI_SYNC_READY)
			break;
		if (kind != OCI_SYNC_HOOKS)
			return err_msg(err, -EPIPE, "the container process died during its set-up");
		r = run_runtime_hooks(cr, err);
	}
	if (r == 0 && cr->console >= 0) {
		cr->master = oci_console_receive(cr->console, !cr->opts.clone_parent, err); /* sent before READY */
		r = cr->master < 0 ? cr->master : 0;
	}
	/* not earlier: a low limit of descriptors is the program's, not ours */
	if (r == 0 && cr->child.init.in_userns && c->spec->process_set)
		r = oci_process_quota(&c->spec->process, cr->child.init.proc_fd, cr->pid, err);
	if (r == 0)
		r = oci_describe_publish(c, &cr->opts, cr->pid, cr->pidfd, err);
	if (r < 0)
		return r;
	r = oci_sync_send(cr->sync, OCI_SYNC_PERSIST, 0);
	if (r < 0)
		return err_set(err, r, "talk to the container process");
	if (!cr->opts.start)
		return 0;
	r = oci_sync_recv(cr->sync, NULL, err); /* end of file: execve() worked */
	if (r != 0)
		return r < 0 ? r : err_msg(err, -EPROTO, "unexpected message %d from the container", r);
	return oci_hook_run(c->spec, OCI_HOOK_POSTSTART, &c->state, OCI_STATUS_RUNNING, NULL, err);
}

/* Undo whatever was done; the first failure is the one that is reported. */
static void roll_back(struct creation *cr)
{
	struct oci_container *c = cr->c;

	if (cr->pid > 0) {
		(void) kill(cr->pid, SIGKILL);
		if (!cr->opts.clone_parent)
			(void) proc_wait(cr->pid);
		if (c->cgroup != NULL && !oci_ns_is_new(c->spec, OCI_NS_PID)) /* its end takes no hook along */
			(void) oci_cgroup_kill(c->cgroup, SIGKILL, NULL); /* deleting waits for them */
	}
	if (c->cgroup != NULL)
		(void) oci_cgroup_delete(c->cgroup, NULL);
	if (c->spec != NULL && c->spec->linux.intel_rdt != NULL && cr->pid > 0)
		(void) oci_rdt_remove(c->spec, c->id, NULL);
	if (cr->pid > 0) /* from its first process on, a container has an end */
		oci_hook_warn(c->spec, OCI_HOOK_POSTSTOP, &c->state, OCI_STATUS_STOPPED);
	(void) oci_container_remove(c, NULL);
}

int oci_create(const struct oci_create_opts *opts, struct oci_created *ret, struct err *err)
{
	struct creation cr = {
		.opts = *opts, .sync = -EBADF, .console = -EBADF, .master = -EBADF, .pidfd = -EBADF, .netns = -EBADF,
	};
	int r = oci_container_new(opts->root, opts->id, &cr.c, err);

	if (r < 0)
		return r;
	oci_child_init(&cr.child, cr.c);
	r = prepare(&cr, err);
	if (r == 0)
		r = spawn(&cr, err);
	if (r == 0) {
		if (cr.child.console >= 0) /* so that its end is seen when the child dies */
			(void) close(take_fd(cr.child.console));
		r = serve(&cr, err);
	}
	oci_rootfs_close(&cr.child.init);
	oci_child_fini(&cr.child);
	if (cr.sync >= 0)
		(void) close(cr.sync);
	if (cr.console >= 0)
		(void) close(cr.console);
	if (cr.netns >= 0)
		(void) close(cr.netns);
	struct oci_created made = {
		.container = cr.c, .pid = cr.pid, .pidfd = cr.pidfd, .master = cr.master,
	};
	if (r < 0) {
		roll_back(&cr);
		oci_created_fini(&made);
		return r;
	}
	*ret = made;
	return 0;
}

void oci_created_fini(struct oci_created *made)
{
	if (made->pidfd >= 0)
		(void) close(made->pidfd);
	if (made->master >= 0)
		(void) close(made->master);
	oci_container_free(made->container);
}
