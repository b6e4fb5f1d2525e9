/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct eng_config;
struct eng_exec;
struct eng_instance;
struct engine;
struct err;
struct net_leg;

/**
 * struct eng_running - an instance that was started
 * @pid: its first process
 * @master: terminal, or -EBADF
 */
struct eng_running {
	pid_t pid;
	int master;
};

/**
 * struct eng_usage - what an instance uses now; what cannot be told is 0
 * @cpu_ns: processor time so far
 * @memory, @memory_limit: bytes; UINT64_MAX without a limit
 * @pids: processes and threads
 * @net_in, @net_out, @read, @written: bytes so far, of networks and of block devices
 */
struct eng_usage {
	uint64_t cpu_ns, memory, memory_limit, pids, net_in, net_out, read, written;
};

/**
 * struct eng_copy - files for a running instance
 * @fd: archive; read to its end, at most
 * @dir: directory they go to, as the instance sees it
 * @owned: they belong to @uid and @gid; else to whom the archive says
 */
struct eng_copy {
	int fd;
	const char *dir;
	bool owned;
	uint32_t uid, gid;
};

/**
 * struct eng_backend - a kind of isolation
 * All the engine knows of it.  Members are called with the instance's lock held, but where it says not.
 *
 * @name: what the row of an instance says
 * @machine: it has a kernel of its own: nobody can join its namespaces, and what joins a network is its device
 * @check: refuse what it cannot do; NULL: there is nothing such.  0; -EOPNOTSUPP, -EINVAL with a message
 * @prepare: make what belongs to the instance on disk; @dir is its directory.  Called once.
 * @start: run the workload.  Called in a process of its own, a child of the monitor-to-be, with the
 *         instance's standard input, output and error as descriptors 0 to 2; the first process becomes a
 *         sibling of the caller, so a child of the monitor
 * @exec: run another program in a running instance.  Called without the lock, in a process like @start's
 * @kill: send a signal to the first process; -ESRCH or -ENOENT when there is none.  Called without the lock
 * @pause: freeze or thaw all processes; -ENOENT when there is none.  Called without the lock
 * @usage: fill what is known; 0 or -errno.  Called without the lock
 * @pids: its processes as the host numbers them, ascending; the caller frees *ret; number or -errno with a
 *        message.  Called without the lock
 * @update: change the limits of a running instance from those of @old to those of @config; all or none.
 *          Called without the lock
 * @join: give a running instance a device in one more network; @leg is leased.  NULL: devices are put into the network
 *        namespace of its first process.  0 or -errno with a message.  Called without the lock
 * @own_files: it runs with a kernel that puts the root file system together itself, so that nobody else may write the
 *             instance's files; how they are is seen by eng_overlay_view().  NULL: never.  Called without the lock
 * @copy: unpack an archive in one with @own_files; -errno with a message.  Called without the lock
 * @leave: take device @number away; 0 also when there is none; -errno with a message.  Called without the lock
 * @oom_killed: the kernel killed a process of it for want of memory; asked before @stop
 * @stop: end what still runs and release what it held of the host (cgroup, ...).  Called after the
 *        first process has ended, or instead of waiting for it; fine when there is nothing
 */
struct eng_backend {
	const char *name;
	bool machine;
	int (*check)(const struct eng_config *config, struct err *err);
	int (*prepare)(struct engine *e, const char *id, const struct eng_config *config, int dir,
		       struct err *err);
	int (*start)(struct engine *e, const char *id, const struct eng_config *config,
		     struct eng_running *ret, struct err *err);
	int (*exec)(struct engine *e, const char *id, const struct eng_exec *exec,
		    struct eng_running *ret, struct err *err);
	int (*kill)(struct engine *e, const char *id, int signal, struct err *err);
	int (*pause)(struct engine *e, const char *id, bool pause, struct err *err);
	int (*usage)(struct engine *e, const char *id, struct eng_usage *ret);
	ssize_t (*pids)(struct engine *e, const char *id, pid_t **ret, struct err *err);
	int (*update)(struct engine *e, const char *id, const struct eng_config *old,
		      const struct eng_config *config, struct err *err);
	int (*join)(struct engine *e, const char *id, struct net_leg *leg, struct err *err);
	int (*leave)(struct engine *e, const char *id, int number, struct err *err);
	bool (*own_files)(struct engine *e, const char *id);
	int (*copy)(struct engine *e, const char *id, const struct eng_copy *copy, uint64_t *ret_bytes, struct err *err);
	bool (*oom_killed)(struct engine *e, const char *id);
	int (*stop)(struct engine *e, const char *id, struct err *err);
};

/** eng_backend_find() - by name; NULL when there is none such */
const struct eng_backend *eng_backend_find(const char *name);

#define ENG_CONSOLE "console.log" /* what the kernel of a virtual machine says, in the instance's directory */

extern const struct eng_backend eng_container, eng_vm;
