/* SPDX-License-Identifier: MIT */
/**
 * DOC: an OCI bundle as a virtual machine
 *
 * The runtime checks the configuration, makes the cgroup and clones the process that stands for the program.
 * That puts the files together and reports READY; from then on state.json names it, and it waits for `start` as a container's
 * first process does.  Then it starts the machine: some engines set up the network between `create` and `start`.
 */
#include "engine/vm/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/rootfs.h"
#include "engine/vm/bundle_parts.h"
#include "engine/vm/cgroup.h"
#include "engine/vm/life.h"
#include "engine/vm/tree.h"
#include "oci/cgroup.h"
#include "oci/console.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/describe.h"
#include "oci/hook.h"
#include "oci/sync.h"
#include "sys/mnt.h"
#include "sys/msg.h"
#include "sys/proc.h"
#include "sys/pty.h"

#define EXIT_OURS 1

/**
 * struct bundle - a machine that is made from a bundle
 * @limits: those that the host enforces
 * @sync: to the process that stands for the program, or from there to here
 * @listen: where `start` connects; @console: where the terminal goes, @given: of which we have the other end
 */
struct bundle {
	struct engine *e;
	struct oci_create_opts opts;
	struct oci_container *c;
	struct vm_life life;
	struct vm_want want;
	struct oci_resources limits;
	struct vm_bundle_net net;
	int sync, listen, console, given;
	pid_t pid;
	int pidfd;
};

/* The stand-in's side. */

static int open_terminal(struct bundle *b, struct err *err)
{
	const struct oci_process *p = &b->c->spec->process;
	_cleanup_close_ int master = -EBADF;
	int r = vm_conduct_terminal(&master, &b->life.program.terminal, err);

	if (r < 0)
		return r;
	if (p->console_height != 0 && p->console_width != 0)
		(void) pty_resize(master, p->console_height, p->console_width); /* cosmetic */
	r = vm_bundle_use_terminal(b->life.program.terminal, err);
	return r == 0 ? vm_bundle_send_terminal(b->console, master, err) : r;
}

static int make_files(struct bundle *b, struct err *err)
{
	int r = eng_rootfs_unshare(err);

	if (r < 0)
		return r;
	b->life.machine.root = mnt_clone(AT_FDCWD, b->c->state.rootfs, AT_RECURSIVE);
	if (b->life.machine.root < 0)
		return err_set(err, b->life.machine.root, "open the root file system '%s'", b->c->state.rootfs);
	r = vm_tree_attach(b->c->spec, b->life.machine.root, err);
	return r == 0 ? vm_bundle_find_program(b->c->spec, b->life.machine.root, err) : r;
}

/* By now hooks, or who called `create`, have set up the network. */
static int boot(struct bundle *b, struct err *err)
{
	int r = vm_bundle_network(&b->net, b->want.cpus, err);

	b->life.machine.nr_nets = b->net.n;
	return r == 0 ? vm_life_boot(&b->life, &b->want, err) : r;
}

static int be_ready(struct bundle *b, struct err *err)
{
	int r = oci_sync_expect(b->sync, OCI_SYNC_GO, NULL, err);

	if (r < 0)
		return r;
	(void) setsid(); /* a new process leads no group */
	r = b->life.program.signals = vm_conduct_signals(err);
	if (r >= 0)
		r = b->c->spec->process.terminal ? open_terminal(b, err) : 0;
	if (r == 0)
		r = make_files(b, err);
	b->life.machine.nets = b->net.nets;
	if (r == 0)
		r = vm_machine_prepare(b->e, &b->want, &b->life.machine, err);
	if (r == 0 && oci_sync_send(b->sync, OCI_SYNC_READY, 0) < 0)
		r = err_msg(err, -EPIPE, "the runtime died");
	return r == 0 ? oci_sync_expect(b->sync, OCI_SYNC_PERSIST, NULL, err) : r;
}

/* A signal that would end the first process of a container which was not started yet; 0 for none. */
static int fatal_signal(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT &&
		    info.ssi_signo != SIGURG)
			return (int) info.ssi_signo;
	return 0;
}

static int wait_for_start(struct bundle *b)
{
	struct pollfd p[] = { { .fd = b->listen, .events = POLLIN }, { .fd = b->life.program.signals, .events = POLLIN } };

	for (;;) {
		int r = poll(p, ARRAY_LEN(p), -1), signal = r > 0 && p[1].revents != 0 ? fatal_signal(p[1].fd) : 0;
		_cleanup_close_ int conn = -EBADF;

		if (signal != 0)
			_exit(128 + signal);
		if (r <= 0 || p[0].revents == 0)
			continue;
		conn = accept4(b->listen, NULL, NULL, SOCK_CLOEXEC);
		if (conn >= 0 && oci_sync_recv(conn, NULL, NULL) == OCI_SYNC_START)
			return take_fd(conn); /* others only look whether somebody is there */
	}
}

static _Noreturn void be_stand_in(struct bundle *b)
{
	struct err err = { 0 };
	int tell = b->sync, r = be_ready(b, &err);

	if (r == 0 && !b->opts.start) {
		vm_life_keep(&b->life, b->listen); /* whoever created it may wait for their end */
		r = tell = wait_for_start(b);
	}
	if (r >= 0)
		r = boot(b, &err);
	if (r == 0)
		r = vm_life_run(&b->life, b->c->spec, &err);
	if (r < 0) {
		err.code = r;
		vm_life_end(&b->life);
		if (tell >= 0)
			oci_sync_send_err(tell, &err);
		_exit(EXIT_OURS);
	}
	(void) close(tell); /* its end says that the program runs */
	vm_life_stay(&b->life);
}

/* The runtime's side. */

static int make_cgroup(struct bundle *b, struct err *err)
{
	struct oci_spec *spec = b->c->spec;
	const struct oci_cgroup_want want = { .id = b->c->id,
					      .path = spec->linux.cgroups_path,
					      .systemd = b->opts.systemd_cgroup,
					      .resources = &b->limits,
					      .spec = spec };

	if (b->opts.no_cgroup)
		return 0;
	return oci_cgroup_create(&want, &b->c->cgroup, err);
}

static int connect_console(struct bundle *b, struct err *err)
{
	int pair[2], r;

	if (!b->c->spec->process.terminal)
		return 0;
	if (b->opts.console_socket != NULL) {
		r = b->console = msg_connect(b->opts.console_socket);
		return r < 0 ? err_set(err, r, "connect to the console socket '%s'", b->opts.console_socket) : 0;
	}
	r = msg_pair(pair);
	if (r < 0)
		return err_set(err, r, "create a socket pair");
	b->given = pair[0];
	b->console = pair[1];
	return 0;
}

static int prepare(struct bundle *b, struct err *err)
{
	struct oci_container *c = b->c;
	int r = oci_describe(c, &b->opts, err);

	if (r == 0)
		r = vm_bundle_want(c->spec, &b->want, err);
	if (r == 0)
		r = oci_describe_enter(c, &b->opts, err);
	if (r < 0)
		return r;
	b->limits = c->spec->linux.resources;
	vm_cgroup_limits(&b->limits);
	b->life.machine.dir = fcntl(c->dir_fd, F_DUPFD_CLOEXEC, 3);
	b->life.machine.files = fcntl(c->dir_fd, F_DUPFD_CLOEXEC, 3);
	b->life.program.input = true;
	if (b->life.machine.dir < 0 || b->life.machine.files < 0)
		return err_set(err, -errno, "open the container's directory");
	r = connect_console(b, err);
	if (r == 0)
		r = make_cgroup(b, err);
	if (r < 0 || b->opts.start)
		return r;
	b->listen = msg_listen_at(c->dir_fd, OCI_START_SOCKET);
	return b->listen < 0 ? err_set(err, b->listen, "listen for `start`") : 0;
}

static int spawn(struct bundle *b, struct err *err)
{
	int pair[2], r = msg_pair(pair);

	if (r < 0)
		return err_set(err, r, "create a socket pair");
	b->pid = vm_bundle_clone(b->c->spec, &b->pidfd, err);
	b->sync = pair[b->pid == 0];
	(void) close(pair[b->pid != 0]); /* so that the other's death is seen as end of file */
	if (b->pid == 0)
		be_stand_in(b);
	cleanup_closep(&b->console);
	b->console = -EBADF;
	return b->pid < 0 ? b->pid : 0;
}

static int enter_cgroup(struct bundle *b, struct err *err)
{
	struct oci_container *c = b->c;
	int r;

	if (c->cgroup == NULL)
		return 0;
	r = oci_cgroup_enter_pid(c->cgroup, b->pid, err);
	return r == 0 ? oci_cgroup_apply(c->cgroup, &b->limits, true, err) : r;
}

static int run_hooks(struct bundle *b, struct err *err)
{
	struct oci_container *c = b->c;
	int r = oci_state_save(c->dir_fd, &c->state, err); /* a hook may ask for the state */

	if (r < 0)
		return r;
	c->has_state = true;
	r = oci_hook_run(c->spec, OCI_HOOK_PRESTART, &c->state, OCI_STATUS_CREATED, NULL, err);
	return r == 0 ? oci_hook_run(c->spec, OCI_HOOK_CREATE_RUNTIME, &c->state, OCI_STATUS_CREATING, NULL, err) : r;
}

/* Until all is ready for the machine and its process written down; with `run` until the program runs. */
static int serve(struct bundle *b, int *ret_master, struct err *err)
{
	struct oci_container *c = b->c;
	int r = enter_cgroup(b, err);

	if (r == 0)
		r = oci_describe_pid(c, b->pid, err);
	if (r == 0)
		r = run_hooks(b, err);
	if (r == 0 && oci_sync_send(b->sync, OCI_SYNC_GO, 0) < 0)
		r = err_msg(err, -EPIPE, "the process that starts the virtual machine died");
	if (r == 0)
		r = oci_sync_expect(b->sync, OCI_SYNC_READY, NULL, err);
	if (r == 0 && b->given >= 0) {
		*ret_master = oci_console_receive(b->given, false, err); /* sent before READY */
		r = *ret_master < 0 ? *ret_master : 0;
	}
	if (r == 0)
		r = oci_describe_publish(c, &b->opts, b->pid, b->pidfd, err);
	if (r == 0 && oci_sync_send(b->sync, OCI_SYNC_PERSIST, 0) < 0)
		r = err_msg(err, -EPIPE, "the process that starts the virtual machine died");
	if (r < 0 || !b->opts.start)
		return r;
	r = oci_sync_recv(b->sync, NULL, err); /* end of file: the program runs */
	if (r != 0)
		return r < 0 ? r : err_msg(err, -EPROTO, "unexpected message %d in the machine's set-up", r);
	return oci_hook_run(c->spec, OCI_HOOK_POSTSTART, &c->state, OCI_STATUS_RUNNING, NULL, err);
}

/* Undo whatever was done; the first failure is the one that is reported. */
static void roll_back(const struct bundle *b)
{
	struct oci_container *c = b->c;

	if (b->pid > 0) {
		(void) kill(b->pid, SIGKILL); /* its machine dies with it */
		(void) proc_wait(b->pid);
	}
	if (c->cgroup != NULL)
		(void) oci_cgroup_delete(c->cgroup, NULL);
	if (b->pid > 0)
		oci_hook_warn(c->spec, OCI_HOOK_POSTSTOP, &c->state, OCI_STATUS_STOPPED);
	(void) oci_container_remove(c, NULL);
}

int vm_bundle_create(struct engine *e, const struct oci_create_opts *opts, struct oci_created *ret, struct err *err)
{
	struct bundle b = { .e = e, .opts = *opts, .life = VM_LIFE_NONE, .sync = -EBADF, .listen = -EBADF,
			    .console = -EBADF, .given = -EBADF, .pidfd = -EBADF };
	struct oci_created made = OCI_CREATED_NONE;
	int r;

	b.opts.notify_socket = NULL; /* a socket of the host's is none of the guest's */
	r = oci_container_new(opts->root, opts->id, &b.c, err);
	if (r < 0)
		return r;
	r = prepare(&b, err);
	if (r == 0)
		r = spawn(&b, err);
	if (r == 0)
		r = serve(&b, &made.master, err);
	int *const fds[] = { &b.sync, &b.listen, &b.console, &b.given };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_closep(fds[i]);
	vm_machine_fini(&b.life.machine);
	made.container = b.c;
	made.pid = b.pid;
	made.pidfd = b.pidfd;
	if (r < 0) {
		roll_back(&b);
		oci_created_fini(&made);
		return r;
	}
	*ret = made;
	return 0;
}
