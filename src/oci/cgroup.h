/* SPDX-License-Identifier: MIT */
/*
 * The container's cgroup, whatever the host has: v1 hierarchies, v2, or both beside each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "oci/spec.h"

struct err;
struct oci_cgroup;
struct str;

/**
 * struct oci_cgroup_want - what oci_cgroup_create() is asked for
 * @id: container id
 * @path: linux.cgroupsPath, NULL for the default; "slice:prefix:name" with @systemd
 * @systemd: --systemd-cgroup: a transient scope made by systemd
 * @rootless: failing to create is tolerated when no limit was asked for
 * @busy: take directories that hold processes, too; only to remove them
 * @resources: borrows; systemd needs some of them at creation; may be NULL
 * @pid: process for the systemd scope (it cannot be empty); 0 otherwise
 */
struct oci_cgroup_want {
	const char *id;
	const char *path;
	bool systemd;
	bool rootless;
	bool busy;
	const struct oci_resources *resources;
	pid_t pid;
	const struct oci_spec *spec;
};

/**
 * oci_cgroup_create() - make (or reuse) the container's directories in every hierarchy
 * @ret: returns; free with oci_cgroup_free()
 *
 * With systemd the scope is made by oci_cgroup_enter_pid(), after the process exists.
 * Return: 0; -errno with a message; -ENOENT no cgroup file system.
 */
int oci_cgroup_create(const struct oci_cgroup_want *want, struct oci_cgroup **ret, struct err *err);

/**
 * oci_cgroup_open() - a cgroup that exists, from the text oci_cgroup_save() made
 * @saved: JSON text kept in the state file
 * @ret: returns; free with oci_cgroup_free()
 * Return: 0; -EINVAL unusable text, -ENOMEM, with a message.
 */
int oci_cgroup_open(const char *saved, struct oci_cgroup **ret, struct err *err);

/** oci_cgroup_save() - append the JSON object that oci_cgroup_open() reads */
void oci_cgroup_save(const struct oci_cgroup *cg, struct str *ret);

/**
 * oci_cgroup_clone_fd() - directory for CLONE_INTO_CGROUP
 * Return: descriptor owned by @cg; -EBADF where the host has v1 only (or with systemd before the scope exists).
 */
int oci_cgroup_clone_fd(const struct oci_cgroup *cg);

/**
 * oci_cgroup_task_fds() - open "tasks" of every v1 hierarchy for the child
 * @fds: room for @max descriptors, CLOEXEC; the caller closes them
 *
 * The child writes "0" to each (oci_cgroup_join_fds()): a task that moves itself alone needs no
 * global lock, which costs milliseconds when another process moves it.
 * Return: number of descriptors (0 on v2); -errno with a message.
 */
int oci_cgroup_task_fds(const struct oci_cgroup *cg, int *fds, size_t max, struct err *err);

/**
 * oci_cgroup_exec_fds() - where the process of an exec goes
 * @init_pid: first process of the container, whose own cgroup is taken when the container's is not
 *            allowed to hold processes (v2: it delegated controllers to children)
 * @subs: paths below the container's cgroup, "controller[,controller]:path" for v1 hierarchies
 * @fds, @max, @ret_n: as oci_cgroup_task_fds()
 * @ret_clone_fd: v2 directory for CLONE_INTO_CGROUP, the caller closes it; -EBADF on v1
 * Return: 0; -errno with a message.
 */
int oci_cgroup_exec_fds(const struct oci_cgroup *cg, pid_t init_pid, const char *const *subs,
			size_t nr_subs, int *fds, size_t max, size_t *ret_n, int *ret_clone_fd, struct err *err);

/**
 * oci_cgroup_attachable() - oci_cgroup_attach() may put processes into it
 * Return: true for a scope of the user's service manager: the user may not move a process there himself
 *         that is in a cgroup he does not own, such as that of his login session.
 */
bool oci_cgroup_attachable(const struct oci_cgroup *cg);

/** oci_cgroup_attach() - have systemd move a process into the scope; 0 or -errno with a message */
int oci_cgroup_attach(const struct oci_cgroup *cg, pid_t pid, struct err *err);

/** oci_cgroup_join_fds() - in the child: move the calling (only) thread by those descriptors */
int oci_cgroup_join_fds(const int *fds, size_t n, struct err *err);

/**
 * oci_cgroup_enter_pid() - move another process: systemd scopes and kernels without the above
 *
 * With systemd the first call makes the unit with @pid in it, limits included; apply what systemd has
 * no property for with oci_cgroup_apply() afterwards.
 * Return: 0; -errno with a message.
 */
int oci_cgroup_enter_pid(struct oci_cgroup *cg, pid_t pid, struct err *err);

/**
 * oci_cgroup_locate() - in the child: learn where systemd has put it
 *
 * The parent makes the unit when the child exists already, so the child's copy of @cg does not know the
 * directories that oci_cgroup_view() shows.  Nothing happens without systemd.
 * Context: after the parent moved the caller, before a new cgroup or mount namespace.
 * Return: 0; -errno with a message.
 */
int oci_cgroup_locate(struct oci_cgroup *cg, struct err *err);

/**
 * oci_cgroup_apply() - write limits, all of them or none of them reported as done
 * @resources: borrows
 *             NULL: none given, the default device rules are set nevertheless
 * @update: true for a running container: only fields that are set are written, ordering of
 *          memory and swap limits is taken care of, device rules are untouched unless given
 *
 * v1: files of each controller; v2: converted (shares to weight, ...), devices by eBPF program.
 * Return: 0; -errno with a message naming field, file and value.
 * Spec: runtime-spec 1.3 config-linux.md "Control groups"; kernel cgroup-v2.rst.
 */
int oci_cgroup_apply(struct oci_cgroup *cg, const struct oci_resources *resources, bool update,
		     struct err *err);

/**
 * oci_cgroup_delegate() - let the container make cgroups of its own
 * @pid: first process, in the container's user namespace
 *
 * Changes the owner of the cgroup to the container's user where the container has a cgroup namespace
 * and a writable mount of it; otherwise, and on v1, nothing happens.
 * Return: 0; -errno with a message.
 */
int oci_cgroup_delegate(const struct oci_cgroup *cg, const struct oci_spec *spec, pid_t pid,
			struct err *err);

/** oci_cgroup_freeze() - freeze or thaw everything in it and wait until it is so */
int oci_cgroup_freeze(struct oci_cgroup *cg, bool freeze, struct err *err);

/** oci_cgroup_frozen() - 1 frozen, 0 not (or no such cgroup any more), -errno */
int oci_cgroup_frozen(const struct oci_cgroup *cg);

/**
 * oci_cgroup_pids() - every process in it and below
 * @ret: malloc'ed array, ascending; the caller frees
 * Return: number; -errno with a message.
 */
ssize_t oci_cgroup_pids(const struct oci_cgroup *cg, pid_t **ret, struct err *err);

/** oci_cgroup_kill() - send @signal to every process in it (cgroup.kill for SIGKILL on v2) */
int oci_cgroup_kill(const struct oci_cgroup *cg, int signal, struct err *err);

/** oci_cgroup_delete() - remove the directories (and scope), waiting briefly for dying processes */
int oci_cgroup_delete(struct oci_cgroup *cg, struct err *err);

/** oci_cgroup_stats() - append the "data" object of runc's `events --stats` */
int oci_cgroup_stats(const struct oci_cgroup *cg, struct str *ret, struct err *err);

/**
 * oci_cgroup_oom_fd() - descriptor that polls readable when the OOM killer ran (or the cgroup went)
 * v1: eventfd on memory.oom_control; v2: inotify on memory.events.  The kernel may lose the event of
 * a removal that follows the last exit at once: wait with a timeout and stop when
 * oci_cgroup_oom_kills() fails.
 * Return: descriptor, the caller closes it; -errno with a message.
 */
int oci_cgroup_oom_fd(const struct oci_cgroup *cg, struct err *err);

/** oci_cgroup_oom_kills() - OOM kills so far; -errno */
int64_t oci_cgroup_oom_kills(const struct oci_cgroup *cg);

/** struct oci_cgroup_view - how a mount of type "cgroup" shows the container's cgroup */
struct oci_cgroup_view {
	struct {
		const char *name; /* directory under the mount point, v1: "memory", "cpu,cpuacct"; v2: "" */
		const char *host_path; /* absolute path of the container's cgroup on the host */
		const char *links[4]; /* v1 symlinks to make, e.g. "cpu" -> "cpu,cpuacct" */
		const char *controllers; /* mount data for a cgroup-namespace mount: "memory", "name=systemd" */
	} v[32];
	size_t n;
	bool v2; /* one unified mount */
	bool hybrid; /* the host has v2 without controllers, too, which is not shown */
};

/** oci_cgroup_view() - fill @ret; strings live as long as @cg */
void oci_cgroup_view(const struct oci_cgroup *cg, struct oci_cgroup_view *ret);

/** oci_cgroup_free() - release the handle, not the cgroup */
void oci_cgroup_free(struct oci_cgroup *cg);

static inline void oci_cgroup_freep(struct oci_cgroup **cg)
{
	oci_cgroup_free(*cg);
}
