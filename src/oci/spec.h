/* SPDX-License-Identifier: MIT */
/*
 * config.json as C structs: what the runtime-spec 1.3 says for Linux, names parsed to the kernel's
 * constants where one exists.  Everything lives in one arena owned by struct oci_spec; strings are
 * never NULL inside arrays, optional strings are NULL when absent.
 * Spec: OCI runtime-spec 1.3, config.md and config-linux.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

#define OCI_SPEC_VERSION "1.3.0" /* newest version understood */
#define OCI_SPEC_SIZE_MAX (16u << 20) /* bytes of a config.json */

struct err;

struct opt_i64 {
	bool set;
	int64_t v;
};

struct opt_u64 {
	bool set;
	uint64_t v;
};

struct oci_strv {
	char **v; /* n strings and a NULL */
	size_t n;
};

struct oci_pair {
	char *key, *value;
};

struct oci_pairs {
	struct oci_pair *v;
	size_t n;
};

struct oci_idmap {
	uint32_t container, host, size;
};

struct oci_idmaps {
	struct oci_idmap *v;
	size_t n;
};

/* Capability sets are bit masks, bit n = capability n of linux/capability.h */
struct oci_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	int type; /* RLIMIT_* */
	uint64_t soft, hard;
};

struct oci_scheduler {
	uint32_t policy; /* SCHED_* */
	int32_t nice;
	uint32_t priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period; /* ns */
};

struct oci_process {
	bool terminal;
	uint16_t console_height, console_width; /* 0 = not given */
	uint32_t uid, gid;
	struct opt_u64 umask;
	uint32_t *additional_gids;
	size_t nr_additional_gids;
	struct oci_strv args, env;
	char *cwd;
	struct oci_caps *caps; /* NULL = keep none (spec: absent sets are empty) */
	struct oci_rlimit *rlimits;
	size_t nr_rlimits;
	bool no_new_privileges;
	char *apparmor_profile, *selinux_label; /* NULL when absent or empty */
	struct opt_i64 oom_score_adj;
	struct oci_scheduler *scheduler;
	struct {
		bool set;
		int class; /* IOPRIO_CLASS_* */
		int priority;
	} io_priority;
	char *cpu_affinity_initial, *cpu_affinity_final; /* lists "0-3,7"; NULL when absent */
};

struct oci_mount {
	char *destination, *type, *source; /* type and source may be NULL */
	struct oci_strv options; /* as written */
	struct oci_idmaps uid_mappings, gid_mappings;
};

struct oci_hook {
	char *path;
	struct oci_strv args, env; /* args.n == 0: argv[0] is path */
	struct opt_i64 timeout; /* seconds, > 0 */
};

struct oci_hook_list {
	struct oci_hook *v;
	size_t n;
};

enum oci_hook_kind {
	OCI_HOOK_PRESTART,
	OCI_HOOK_CREATE_RUNTIME,
	OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER,
	OCI_HOOK_POSTSTART,
	OCI_HOOK_POSTSTOP,
	OCI_HOOK_N_
};

enum oci_ns {
	OCI_NS_USER,
	OCI_NS_MOUNT,
	OCI_NS_PID,
	OCI_NS_NETWORK,
	OCI_NS_IPC,
	OCI_NS_UTS,
	OCI_NS_CGROUP,
	OCI_NS_TIME,
	OCI_NS_N_
};

struct oci_namespace {
	bool set; /* listed in linux.namespaces */
	char *path; /* join this one; NULL = a new one */
};

struct oci_device {
	char *path;
	char type; /* 'c' (also for "u"), 'b' or 'p' */
	int64_t major, minor;
	uint32_t mode; /* permission bits, 0666 when absent */
	uint32_t uid, gid;
};

/* A rule of the device controller; -1 = any number */
struct oci_device_rule {
	bool allow;
	char type; /* 'a', 'b' or 'c' */
	int64_t major, minor;
	bool read, write, mknod;
};

struct oci_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct opt_u64 swappiness;
	bool disable_oom_killer, disable_oom_killer_set;
	bool check_before_update;
};

struct oci_cpu {
	struct opt_u64 shares, burst, period, rt_period;
	struct opt_i64 quota, rt_runtime, idle;
	char *cpus, *mems;
};

struct oci_weight_device {
	int64_t major, minor;
	struct opt_u64 weight, leaf_weight;
};

struct oci_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};

enum oci_throttle { OCI_READ_BPS, OCI_WRITE_BPS, OCI_READ_IOPS, OCI_WRITE_IOPS, OCI_THROTTLE_N_ };

struct oci_block_io {
	struct opt_u64 weight, leaf_weight;
	struct oci_weight_device *weight_devices;
	size_t nr_weight_devices;
	struct {
		struct oci_throttle_device *v;
		size_t n;
	} throttle[OCI_THROTTLE_N_];
};

struct oci_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit;
};

struct oci_rdma {
	char *device;
	struct opt_u64 hca_handles, hca_objects;
};

struct oci_resources {
	struct oci_device_rule *devices;
	size_t nr_devices;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct opt_i64 pids_limit;
	struct oci_block_io block_io;
	struct oci_hugepage_limit *hugepages;
	size_t nr_hugepages;
	struct opt_u64 net_class_id;
	struct oci_pairs net_priorities; /* interface name, decimal priority */
	struct oci_rdma *rdma;
	size_t nr_rdma;
	struct oci_pairs unified;
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	int op; /* enum scmp_compare */
};

struct oci_seccomp_rule {
	struct oci_strv names;
	uint32_t action; /* SECCOMP_RET_* without data */
	struct opt_u64 errno_ret;
	struct oci_seccomp_arg *args;
	size_t nr_args;
};

struct oci_seccomp {
	uint32_t default_action; /* SECCOMP_RET_* without data */
	struct opt_u64 default_errno_ret;
	uint32_t *arches; /* SCMP_ARCH_* tokens */
	size_t nr_arches;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
	bool flags_set; /* "flags" was given, maybe empty */
	char *listener_path, *listener_metadata;
	struct oci_seccomp_rule *rules;
	size_t nr_rules;
};

struct oci_intel_rdt {
	char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct oci_strv schemata;
	bool enable_monitoring;
};

struct oci_memory_policy {
	int mode; /* MPOL_* | MPOL_F_* */
	char *nodes;
};

struct oci_time_offset {
	bool set;
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_net_device {
	char *host_name, *container_name;
};

struct oci_linux {
	struct oci_idmaps uid_mappings, gid_mappings;
	struct oci_namespace namespaces[OCI_NS_N_];
	struct oci_pairs sysctl;
	struct oci_resources resources;
	bool resources_set;
	char *cgroups_path; /* NULL when absent */
	struct oci_device *devices;
	size_t nr_devices;
	struct oci_net_device *net_devices;
	size_t nr_net_devices;
	struct oci_seccomp *seccomp;
	unsigned long rootfs_propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0 */
	struct oci_strv masked_paths, readonly_paths;
	char *mount_label;
	struct oci_intel_rdt *intel_rdt;
	struct oci_memory_policy *memory_policy;
	bool personality_set;
	unsigned long personality; /* PER_* */
	struct oci_time_offset monotonic, boottime;
};

struct oci_spec {
	struct arena arena;
	char *version;
	bool process_set; /* config.json may have no process until start */
	struct oci_process process;
	char *root_path; /* as written */
	bool root_readonly;
	char *hostname, *domainname;
	struct oci_mount *mounts;
	size_t nr_mounts;
	struct oci_hook_list hooks[OCI_HOOK_N_];
	struct oci_pairs annotations;
	struct oci_linux linux;
};

/**
 * oci_spec_parse() - read and check a config.json
 * @file: name used in messages
 * @text: @len bytes, need not be terminated
 * @ret: returns; free with oci_spec_free()
 *
 * Refuses malformed JSON, wrong types, unknown enumerators, versions whose major is not 1, values
 * out of range; the message names file, field, value and limit.  Unknown fields are ignored, as the
 * spec demands.
 * Return: 0; -EINVAL with a message; -EFBIG over OCI_SPEC_SIZE_MAX; -ENOMEM.
 */
int oci_spec_parse(const char *file, const char *text, size_t len, struct oci_spec **ret,
		   struct err *err);

/**
 * oci_spec_check_host() - refuse what the text cannot show to be wrong
 * @spec: borrows
 * @rootless: the caller's effective user is not root
 *
 * For create and run: sysctls of a network namespace that is the caller's own, time namespaces on a
 * kernel without them, what an unprivileged caller cannot do.  Looks at files named in @spec.
 * Return: 0; -EINVAL with a message; -errno of stat(2).
 */
int oci_spec_check_host(const struct oci_spec *spec, bool rootless, struct err *err);

/**
 * oci_process_parse() - read a process object, the file of `exec --process`
 * @spec: the container's; its arena owns what is returned
 * @ret: filled
 *
 * Return: as oci_spec_parse().
 */
int oci_process_parse(struct oci_spec *spec, const char *file, const char *text, size_t len,
		      struct oci_process *ret, struct err *err);

/**
 * oci_resources_parse() - read a linux.resources object, the file of `update --resources`
 * Parameters are those of oci_process_parse().
 *
 * Return: as oci_spec_parse().
 */
int oci_resources_parse(struct oci_spec *spec, const char *file, const char *text, size_t len,
			struct oci_resources *ret, struct err *err);

/**
 * oci_spec_annotation() - value of an annotation
 * Return: borrowed from @spec; NULL when absent.
 */
const char *oci_spec_annotation(const struct oci_spec *spec, const char *key);

/** oci_spec_free() - release; NULL is fine */
void oci_spec_free(struct oci_spec *spec);

static inline void oci_spec_freep(struct oci_spec **spec)
{
	oci_spec_free(*spec);
}
