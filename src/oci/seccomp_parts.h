/* SPDX-License-Identifier: MIT */
/* What the seccomp files share: names, program writer, compiler, cache; included by them only. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oci_filter;
struct oci_seccomp;
struct oci_seccomp_arg;
struct oci_seccomp_rule;

#define SECCOMP_ARCHES_MAX 32 /* architectures of a profile, the native one included */
#define SECCOMP_ARGS_MAX 6 /* arguments of a system call */

/**
 * seccomp_nr() - number of a system call, also of those newer than the library's tables
 * @arch: SCMP_ARCH_* token
 * Return: number as the kernel's filter sees it; -1 unknown, or not on this architecture.
 */
int seccomp_nr(uint32_t arch, const char *name);

/**
 * seccomp_mux() - the other way to a system call on i386: socketcall(2) or ipc(2)
 * @ret_call: returns the value of the first argument that means @name
 * Return: number of the multiplexer; -1 there is none.
 */
int seccomp_mux(uint32_t arch, const char *name, uint32_t *ret_call);

/** seccomp_rule_action() - SECCOMP_RET_* of a rule with its data */
uint32_t seccomp_rule_action(const struct oci_seccomp_rule *rule);

/** seccomp_default_action() - SECCOMP_RET_* of everything without a rule, with its data */
uint32_t seccomp_default_action(const struct oci_seccomp *seccomp);

/** typedef seccomp_label - an instruction, counted from the end of the program: 1 is the last one */
typedef size_t seccomp_label;

/**
 * struct seccomp_prog - a program that is written from its end to its start
 * @insns: OCI_FILTER_LEN_MAX of them, in reverse
 * @overflow: there was no room; what was written since is lost
 * @rets: returns written last, for use by more than one jump
 *
 * Every target is known when a jump to it is written, and a jump too long for 8 bits goes over an
 * unconditional one.
 */
struct seccomp_prog {
	struct sock_filter *insns;
	size_t len;
	bool overflow;
	struct {
		uint32_t action;
		seccomp_label at;
	} rets[8];
	size_t next_ret;
};

/** seccomp_emit_ret() - where a verdict is returned; an instruction in reach is used again */
seccomp_label seccomp_emit_ret(struct seccomp_prog *p, uint32_t action);

/** seccomp_emit_load() - load 32 bits of struct seccomp_data, go on at @next */
seccomp_label seccomp_emit_load(struct seccomp_prog *p, size_t offset, seccomp_label next);

/** seccomp_emit_if() - compare with @k by BPF_JEQ, JGT, JGE or JSET */
seccomp_label seccomp_emit_if(struct seccomp_prog *p, unsigned op, uint32_t k, seccomp_label yes,
			      seccomp_label no);

/** seccomp_emit_arg() - one condition on an argument, with the argument size of @arch */
seccomp_label seccomp_emit_arg(struct seccomp_prog *p, uint32_t arch, const struct oci_seccomp_arg *arg,
			       seccomp_label yes, seccomp_label no);

/**
 * seccomp_emit_profile() - the whole program
 * Return: 0, p->overflow may be set; -ENOMEM; -E2BIG too many architectures; -ENOTSUP an
 *         architecture whose other multiplexers are not known, as native one.
 */
int seccomp_emit_profile(struct seccomp_prog *p, const struct oci_seccomp *seccomp);

/**
 * seccomp_cache_load() - look a program up
 * @key: canonical form of the profile
 * Return: 0; -ENOENT not there, not ours, or damaged.
 */
int seccomp_cache_load(int dirfd, const void *key, size_t key_len, struct oci_filter *ret);

/** seccomp_cache_store() - remember a program; a failure only means that it is compiled again */
void seccomp_cache_store(int dirfd, const void *key, size_t key_len, const struct oci_filter *filter);
