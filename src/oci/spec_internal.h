/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files that read config.json; nobody else includes it.
 *
 * Every reader takes the text (struct json_in), the object it reads and what it fills.  Failures
 * stick in in->code (base/json.h), so readers return nothing and the entry points look once.
 */
#pragma once

#include "base/json.h"
#include "oci/spec.h"

/* Limits on what one container may ask for; the kernel's own limits are lower for most */
#define SPEC_ARGS_MAX 65536
#define SPEC_ENV_MAX 65536
#define SPEC_GIDS_MAX 65536 /* NGROUPS_MAX of the kernel */
#define SPEC_CAPS_MAX 256
#define SPEC_MOUNTS_MAX 16384
#define SPEC_MOUNT_OPTIONS_MAX 256
#define SPEC_HOOKS_MAX 1024 /* of one kind */
#define SPEC_IDMAPS_MAX 340 /* the kernel's limit for one map */
#define SPEC_PAIRS_MAX 4096 /* annotations, sysctls, unified */
#define SPEC_DEVICES_MAX 4096
#define SPEC_RULES_MAX 4096 /* device rules, throttles, hugepage sizes, rdma devices */
#define SPEC_PATHS_MAX 4096 /* masked, read-only */
#define SPEC_SYSCALLS_MAX 4096 /* seccomp rules, and names of one rule */
#define SPEC_SYSCALL_ARGS_MAX 64 /* conditions of one rule */
#define SPEC_FLAGS_MAX 64
#define SPEC_LIST_MAX 65535 /* highest CPU or memory node in a list "0-3,7" */

struct oci_names;

/**
 * spec_array() - room for what an array describes
 * @size: bytes of one element of the result
 * @ret_n: elements; 0 when absent, empty or refused
 * @ret_first: first of that many values, linked by next
 * Return: zeroed, owned by the arena; NULL when *ret_n is 0.
 */
void *spec_array(struct json_in *in, const struct json *obj, const char *key, size_t max,
		 size_t size, size_t *ret_n, const struct json **ret_first);

/** spec_strv() - member that is an array of strings */
struct oci_strv spec_strv(struct json_in *in, const struct json *obj, const char *key, size_t max);

/** spec_pairs() - member that is an object whose values are strings */
struct oci_pairs spec_pairs(struct json_in *in, const struct json *obj, const char *key);

/** spec_idmaps() - member that is an array of id mappings */
struct oci_idmaps spec_idmaps(struct json_in *in, const struct json *obj, const char *key);

/** spec_opt_u64() - optional unsigned member */
struct opt_u64 spec_opt_u64(struct json_in *in, const struct json *obj, const char *key,
			    uint64_t max);

/** spec_opt_i64() - optional signed member */
struct opt_i64 spec_opt_i64(struct json_in *in, const struct json *obj, const char *key,
			    int64_t min, int64_t max);

/** spec_str() - optional string; NULL when absent or empty */
char *spec_str(struct json_in *in, const struct json *obj, const char *key);

/** spec_path() - optional string that must be an absolute path; NULL when absent or empty */
char *spec_path(struct json_in *in, const struct json *obj, const char *key);

/**
 * spec_flags() - member that is an array of names, combined to a mask
 * @what: start of the message about an unknown one, as in "WHAT: NAME"
 * Return: the mask; 0 when absent or after a failure.
 */
uint32_t spec_flags(struct json_in *in, const struct json *obj, const char *key,
		    const struct oci_names *names, const char *what);

/**
 * spec_list_count() - check a list of numbers "0-3,7"
 * @ret: how many numbers it holds, one that is repeated counts again
 * Return: false if it is none or has one over SPEC_LIST_MAX.
 */
bool spec_list_count(const char *list, size_t *ret);

/** spec_netdev_name() - true for what the kernel takes as name of a network device */
bool spec_netdev_name(const char *name);

/** spec_process() - process object */
void spec_process(struct json_in *in, const struct json *obj, struct oci_process *ret);

/** spec_scheduler() - process.scheduler, process.ioPriority and process.execCPUAffinity */
void spec_scheduler(struct json_in *in, const struct json *obj, struct oci_process *ret);

/** spec_mounts() - mounts; after spec_linux(), whose namespaces decide what is allowed */
void spec_mounts(struct json_in *in, const struct json *root, struct oci_spec *ret);

/** spec_hooks() - hooks */
void spec_hooks(struct json_in *in, const struct json *root, struct oci_spec *ret);

/** spec_linux() - linux */
void spec_linux(struct json_in *in, const struct json *root, struct oci_spec *spec);

/** spec_namespaces() - linux.namespaces, id mappings and time offsets, which depend on each other */
void spec_namespaces(struct json_in *in, const struct json *obj, struct oci_linux *ret);

/** spec_sysctl() - linux.sysctl; after spec_namespaces() */
void spec_sysctl(struct json_in *in, const struct json *obj, struct oci_linux *ret);

/** spec_resources() - linux.resources, @obj is the resources object itself */
void spec_resources(struct json_in *in, const struct json *obj, struct oci_resources *ret);

/** spec_seccomp() - linux.seccomp; NULL when there is none or it asks for nothing */
struct oci_seccomp *spec_seccomp(struct json_in *in, const struct json *obj);
