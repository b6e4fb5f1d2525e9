/* SPDX-License-Identifier: MIT */
/**
 * DOC: back end "vm"
 *
 * The first process of the instance is one on the host that stands for the program in the machine: signals
 * to it reach the program, but SIGKILL, with which the machine ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/hostfiles.h"
#include "engine/instance.h"
#include "engine/overlay.h"
#include "engine/spec.h"
#include "engine/stop.h"
#include "engine/vm/cgroup.h"
#include "engine/vm/link.h"
#include "engine/vm/machine.h"
#include "engine/vm/network.h"
#include "engine/vm/vm_parts.h"
#include "oci/cgroup.h"
#include "oci/spec.h"
#include "oci/usage.h"
#include "sys/proc.h"

static int vm_prepare(struct engine *e, const char *id, const struct eng_config *config, int dir, struct err *err)
{
	int r = vm_check(config, err);

	(void) e;
	(void) id;
	if (r == 0)
		r = eng_hostfiles_write(config, dir, err);
	return r < 0 || !eng_spec_needs_layer(config) ? r : eng_overlay_prepare(dir, 0, err);
}

static int vm_kill(struct engine *e, const char *id, int signal, struct err *err)
{
	struct eng_instance i = { .id = id, .name = id };
	int pid = eng_pid(e, &i);
	_cleanup_close_ int pidfd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;

	if (pidfd < 0 || eng_pid(e, &i) != pid)
		return err_set(err, -ESRCH, "send a signal");
	if (signal == SIGSTOP) /* it would stop the process on the host */
		return err_msg(err, -EOPNOTSUPP, "SIGSTOP does not reach a virtual machine: use 'cleave pause', or 'cleave exec' with kill");
	return proc_pidfd_kill(pidfd, signal);
}

/* Threads of the kernel's, which KVM puts into the cgroup, cannot be frozen: so the processes are stopped. */
static int vm_pause(struct engine *e, const char *id, bool pause, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	int r = vm_cgroup_open(e, id, &cg, err);

	return r < 0 ? r : oci_cgroup_kill(cg, pause ? SIGSTOP : SIGCONT, err);
}

/* What the guest says of itself, if it does so at once. */
static uint64_t guest_pids(struct engine *e, const char *id)
{
	_cleanup_close_ int dir = openat(e->run_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int sock = -EBADF;
	uint8_t buf[GUEST_HEADER];
	struct guest_out ask = { .p = buf, .room = sizeof(buf) };
	struct vm_reply m;
	uint64_t pids = 0;

	guest_begin(&ask, GUEST_ASK);
	(void) guest_end(&ask); /* it fits */
	if (dir >= 0)
		sock = vm_link_begin(dir, ask.p, ask.len, NULL);
	if (sock >= 0 && vm_link_begun(sock, NULL) == 0 && vm_link_read(sock, &m, NULL) == 0)
		pids = vm_reply_number(&m, GUEST_PIDS, 0);
	if (cwd >= 0)
		(void) fchdir(cwd); /* it is where we were */
	return pids;
}

static int vm_usage(struct engine *e, const char *id, struct eng_usage *ret)
{
	struct eng_instance i = { .id = id, .name = id };
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	struct oci_usage u = { 0 };
	struct eng_config config;
	int r = vm_cgroup_open(e, id, &cg, NULL);

	if (r < 0)
		return r;
	oci_cgroup_usage(cg, &u);
	*ret = (struct eng_usage) { .cpu_ns = u.cpu_ns,
				    .memory = u.memory,
				    .memory_limit = ENG_VM_MEMORY,
				    .read = u.read,
				    .written = u.written };
	if (eng_instance_config(e, &i, &config, NULL) == 0) {
		ret->memory_limit = config.memory != 0 ? config.memory : ENG_VM_MEMORY;
		eng_config_fini(&config);
	}
	vm_network_usage(e, id, ret);
	ret->pids = guest_pids(e, id);
	return 0;
}

static ssize_t vm_pids(struct engine *e, const char *id, pid_t **ret, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	int r = vm_cgroup_open(e, id, &cg, err);

	return r < 0 ? r : oci_cgroup_pids(cg, ret, err);
}

static int vm_update(struct engine *e, const char *id, const struct eng_config *old, const struct eng_config *config,
		     struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	_cleanup_(str_fini) struct str json = { 0 };
	int r = vm_cgroup_open(e, id, &cg, err);

	if (r == 0 && (old->memory != config->memory || old->pids_limit != config->pids_limit))
		r = err_msg(err, -EOPNOTSUPP,
			    "memory and number of processes of a virtual machine are changed while it is stopped");
	if (r == 0)
		r = eng_spec_limits(old, config, &json, err);
	if (r == 0)
		r = oci_spec_parse("config.json", json.p, json.len, &spec, err);
	if (r < 0)
		return r;
	vm_cgroup_limits(&spec->linux.resources);
	return oci_cgroup_apply(cg, &spec->linux.resources, true, err);
}

static bool has_note(struct engine *e, const char *id, const char *name)
{
	char path[ENG_ID_LEN + 16];

	(void) snprintf(path, sizeof(path), "%.64s/%s", id, name);
	return faccessat(e->run_fd, path, F_OK, 0) == 0;
}

static bool vm_own_files(struct engine *e, const char *id)
{
	return has_note(e, id, VM_OWN);
}

static bool vm_oom_killed(struct engine *e, const char *id)
{
	return has_note(e, id, VM_OOM);
}

static int vm_stop(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	int r = vm_cgroup_open(e, id, &cg, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = oci_cgroup_kill(cg, SIGKILL, err);
	if (r == -ENOENT && e->rootless) /* the host gave it none: its processes end with the one that stood for it */
		r = 0;
	return r == 0 ? oci_cgroup_delete(cg, err) : r;
}

const struct eng_backend eng_vm = {
	.name = "vm",
	.machine = true,
	.check = vm_check,
	.prepare = vm_prepare,
	.start = vm_start,
	.exec = vm_exec,
	.kill = vm_kill,
	.pause = vm_pause,
	.usage = vm_usage,
	.pids = vm_pids,
	.update = vm_update,
	.join = vm_join,
	.leave = vm_leave,
	.own_files = vm_own_files,
	.copy = vm_copy,
	.oom_killed = vm_oom_killed,
	.stop = vm_stop,
};
