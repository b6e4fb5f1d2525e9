/* SPDX-License-Identifier: MIT */
/*
 * What the cgroup*.c files share; everybody else includes oci/cgroup.h.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "oci/cgroup.h"
#include "sys/cg_layout.h"

#define CGROUP_FILE_MAX (4u << 20) /* bytes of a control file */
#define CGROUP_DEPTH_MAX 64 /* levels below the container's cgroup */

/**
 * struct cg_dir - the container's directory in one hierarchy
 * @controllers: "cpu,cpuacct", "name=systemd", "" for v2
 * @mount: mount point of the hierarchy
 * @path: the directory, begins with @mount
 * @links: each of several controllers, for oci_cgroup_view()
 * @fd: for CLONE_INTO_CGROUP, v2 only; else -EBADF
 * @made: by this process just now, so it is empty and has the kernel's defaults
 */
struct cg_dir {
	const char *controllers, *mount, *path;
	const char *links[4];
	int fd;
	bool made;
};

/**
 * struct cg_unit - the systemd unit that holds the container
 * @name: "runc-x.scope"; NULL: systemd has no part in it
 * @slice: parent
 * @user: of the caller's service manager
 * @started: the unit exists
 */
struct cg_unit {
	const char *name, *slice;
	bool user, started;
};

/**
 * struct oci_cgroup - the container's cgroup
 * @dirs: v1 hierarchies in the order of /proc/self/cgroup; v2 is the last one
 * @unified: the host has v2 only
 * @rootless: a user, or root of a user namespace below the initial one: no permission is no failure
 *            while no limit is asked for
 * @cpuset_done: cpus and mems were written when the directory was made
 */
struct oci_cgroup {
	struct arena arena;
	struct cg_dir dirs[CG_V1_MAX + 1];
	size_t nr_dirs;
	bool unified, rootless, cpuset_done;
	struct cg_unit unit;
	struct oci_cgroup_want want;
};

/* cgroup_file.c */

/** cg_write() - one write to a control file; 0 or -errno */
int cg_write(const char *dir, const char *file, const char *text);

/** cg_read() - append a control file; 0 or -errno */
int cg_read(const char *dir, const char *file, struct str *ret);

/** cg_read_u64() - a file with one number, "max" is UINT64_MAX; 0, -EINVAL or -errno */
int cg_read_u64(const char *dir, const char *file, uint64_t *ret);

/** cg_read_key() - number behind @key in a file of "key number" lines; -ENODATA no such key */
int cg_read_key(const char *dir, const char *file, const char *key, uint64_t *ret);

/**
 * cg_set() - write a limit
 * @field: name below linux.resources for the message
 * Return: 0; -errno with a message that names field, value and file.
 */
int cg_set(const struct cg_dir *d, const char *field, const char *file, const char *value,
	   struct err *err);

/** cg_set_i64() - as cg_set() */
int cg_set_i64(const struct cg_dir *d, const char *field, const char *file, int64_t value,
	       struct err *err);

/** cg_set_u64() - as cg_set() */
int cg_set_u64(const struct cg_dir *d, const char *field, const char *file, uint64_t value,
	       struct err *err);

/** cg_set_failed() - message of a failed cg_write(); Return: @r */
int cg_set_failed(const struct cg_dir *d, const char *field, const char *file, const char *value,
		  int r, struct err *err);

/** cg_is_gone() - @r says that the cgroup was removed */
static inline bool cg_is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/** cg_is_forbidden() - @r says that the caller may not */
static inline bool cg_is_forbidden(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* cgroup.c */

/** cg_v1() - directory of the v1 hierarchy with this controller, NULL if there is none */
const struct cg_dir *cg_v1(const struct oci_cgroup *cg, const char *controller);

/** cg_v2() - directory in v2, NULL if there is none */
const struct cg_dir *cg_v2(const struct oci_cgroup *cg);

/** cg_main() - the directory that is asked for the container's processes */
const struct cg_dir *cg_main(const struct oci_cgroup *cg);

/**
 * cg_dir_init() - fill @d with copies of the strings
 * Return: 0; -ENOMEM.
 */
int cg_dir_init(struct oci_cgroup *cg, struct cg_dir *d, const char *controllers, const char *mount,
		const char *path);

/* cgroup_path.c */

/**
 * cg_place() - decide where the container's directories are
 * @cg: @want is set; @dirs is filled, nothing is created
 *
 * Return: 0; -EINVAL with a message.
 */
int cg_place(struct oci_cgroup *cg, const struct cg_layout *layout, struct err *err);

/** cg_place_at() - as cg_place(), below every mount point at @path, which begins with a slash */
int cg_place_at(struct oci_cgroup *cg, const struct cg_layout *layout, const char *path,
		struct err *err);

/* cgroup_make.c */

/** cg_make() - create or reuse the directories of @cg->dirs; those that are not allowed are dropped */
int cg_make(struct oci_cgroup *cg, struct err *err);

/**
 * cg_check_unused() - refuse a directory with processes, or frozen, which would stop the container for ever
 * @d: exists
 * Return: 0; -EBUSY or another -errno with a message.
 */
int cg_check_unused(const struct oci_cgroup *cg, const struct cg_dir *d, struct err *err);

/** cg_unmake() - remove those that cg_make() created */
void cg_unmake(struct oci_cgroup *cg);

/* cgroup_apply.c */

/** cg_needs_v2() - @r asks for something that @layout has only in v2 */
bool cg_needs_v2(const struct oci_resources *r, const struct cg_layout *layout);

/** cg_has_limits() - @r asks for any limit besides devices */
bool cg_has_limits(const struct oci_resources *r);

/* cgroup_v1.c, cgroup_v2.c: one function per controller and version */

/** struct cg_job - what the functions of one controller get */
struct cg_job {
	const struct oci_cgroup *cg;
	const struct cg_dir *dir;
	const struct oci_resources *r;
	bool update;
};

/**
 * cg_v1_*(), cg_v2_*(), cg_*() - write the limits of one controller that are set
 * @j: borrows
 * Return: 0; -errno with a message naming file and value.
 */
int cg_v1_memory(const struct cg_job *j, struct err *err);
int cg_v1_cpu(const struct cg_job *j, struct err *err);
int cg_v1_cpuset(const struct cg_job *j, struct err *err);
int cg_v1_blkio(const struct cg_job *j, struct err *err);
int cg_v1_net_cls(const struct cg_job *j, struct err *err);
int cg_v1_net_prio(const struct cg_job *j, struct err *err);
int cg_v2_memory(const struct cg_job *j, struct err *err);
int cg_v2_cpu(const struct cg_job *j, struct err *err);
int cg_v2_cpuset(const struct cg_job *j, struct err *err);
int cg_v2_io(const struct cg_job *j, struct err *err);
int cg_v2_unified(const struct cg_job *j, struct err *err);
int cg_pids(const struct cg_job *j, struct err *err); /* same file in both versions */
int cg_rdma(const struct cg_job *j, struct err *err); /* same file in both versions */
int cg_v1_hugetlb(const struct cg_job *j, struct err *err);
int cg_v2_hugetlb(const struct cg_job *j, struct err *err);

/** cg_cpu_weight() - cpu.weight for v1 cpu.shares; 0 for 0 (unset) */
uint64_t cg_cpu_weight(uint64_t shares);

/** cg_io_weight() - io.weight for blkio.weight 10..1000; 0 for 0 (unset) */
uint64_t cg_io_weight(uint64_t weight);

/**
 * cg_swap_max() - memory.swap.max for limits that count memory and swap together
 * @swap: memory+swap, 0 unset, -1 unlimited
 * @memory: likewise
 * @ret: returns; 0 with @swap unset means "leave it", -1 "max"
 * Return: 0; -EINVAL with a message.
 */
int cg_swap_max(int64_t swap, int64_t memory, int64_t *ret, struct err *err);

/**
 * cg_v2_swap() - memory.swap.max for what @j asks for
 * @j: @dir may be NULL: then nothing is known about the present limits
 * @ret: returns; -1 "max"; INT64_MIN leave it as it is
 * Return: 0; -EINVAL, -EBUSY (checkBeforeUpdate) with a message.
 */
int cg_v2_swap(const struct cg_job *j, int64_t *ret, struct err *err);

/* cgroup_devices.c */

/**
 * cg_devices() - set the device rules
 * @rules: configured ones; the default ones follow
 * Return: 0; -errno with a message.
 */
int cg_devices(const struct oci_cgroup *cg, const struct oci_device_rule *rules, size_t n,
	       struct err *err);

/* cgroup_systemd.c */

/** cg_unit_place() - parse cgroupsPath "slice:prefix:name" into @cg->unit */
int cg_unit_place(struct oci_cgroup *cg, struct err *err);

/** cg_unit_start() - have systemd make the unit with @pid in it, fill @cg->dirs */
int cg_unit_start(struct oci_cgroup *cg, pid_t pid, struct err *err);

/** cg_unit_update() - tell systemd the limits it knows about */
int cg_unit_update(const struct oci_cgroup *cg, const struct oci_resources *r, bool update,
		   struct err *err);

/** cg_unit_stop() - stop the unit and forget its failure */
int cg_unit_stop(const struct oci_cgroup *cg, struct err *err);
