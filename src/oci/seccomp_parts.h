/* SPDX-License-Identifier: MIT */
/* What the seccomp files share: names, program buffer, prefix, cache; included by them only. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_filter;
struct oci_seccomp;
struct oci_seccomp_rule;

#define SECCOMP_ARCHES_MAX 32 /* architectures of a profile, the native one included */

/**
 * struct seccomp_prog - a program that is being written
 * @overflow: OCI_FILTER_LEN_MAX was passed; later instructions are dropped
 */
struct seccomp_prog {
	struct sock_filter *insns; /* OCI_FILTER_LEN_MAX of them */
	size_t len;
	bool overflow;
};

/**
 * seccomp_nr() - number of a system call, also of those newer than the library's tables
 * @arch: SCMP_ARCH_* token
 * Return: number as the kernel's filter sees it; -1 unknown, or not on this architecture.
 */
int seccomp_nr(uint32_t arch, const char *name);

/** seccomp_is_new() - true for a known system call that the library has no name for */
bool seccomp_is_new(const char *name);

/** seccomp_rule_action() - SECCOMP_RET_*, with errnoRet for those actions that have data */
uint32_t seccomp_rule_action(const struct oci_seccomp_rule *rule);
/** seccomp_default_action() - the same for what no rule matches */
uint32_t seccomp_default_action(const struct oci_seccomp *seccomp);

/** seccomp_args_repeat() - a rule names an argument twice: its conditions are alternatives then */
bool seccomp_args_repeat(const struct oci_seccomp_rule *rule);

/**
 * seccomp_prefix() - instructions that run before the library's program
 *
 * They answer new system calls by the profile's rules, and all still newer ones with ENOSYS where the
 * default action refuses.  @ret stays empty when there is nothing to do.
 * Return: 0; -E2BIG too many architectures.
 */
int seccomp_prefix(const struct oci_seccomp *seccomp, struct seccomp_prog *ret);

/**
 * seccomp_cache_load() - look a program up
 * @key: canonical form of the profile
 * Return: 0; -ENOENT not there, not ours, or damaged.
 */
int seccomp_cache_load(int dirfd, const void *key, size_t key_len, struct oci_filter *ret);

/** seccomp_cache_store() - remember a program; a failure only means that it is compiled again */
void seccomp_cache_store(int dirfd, const void *key, size_t key_len, const struct oci_filter *filter);
