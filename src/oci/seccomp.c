/* SPDX-License-Identifier: MIT */
#include "oci/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define KEY_VERSION "cleave-seccomp " CLEAVE_VERSION " 1\n"

/* An action with its data, which only two actions have. */
static uint32_t action_of(uint32_t action, const struct opt_u64 *errno_ret)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | (uint32_t) (errno_ret->set ? errno_ret->v & SECCOMP_RET_DATA : EPERM);
}

uint32_t seccomp_rule_action(const struct oci_seccomp_rule *rule)
{
	return action_of(rule->action, &rule->errno_ret);
}

uint32_t seccomp_default_action(const struct oci_seccomp *seccomp)
{
	return action_of(seccomp->default_action, &seccomp->default_errno_ret);
}

/* What the program depends on, as bytes; two profiles with equal keys have equal programs. */
static void make_key(const struct oci_seccomp *s, struct str *key)
{
	const struct scmp_version *v = seccomp_version();

	str_puts(key, KEY_VERSION);
	str_printf(key, "%u.%u.%u %x %x\n", v->major, v->minor, v->micro, seccomp_arch_native(),
		   seccomp_default_action(s));
	for (size_t i = 0; i < s->nr_arches; i++)
		str_printf(key, " %x", s->arches[i]);
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct oci_seccomp_rule *r = &s->rules[i];

		str_printf(key, "\n%x %zu", seccomp_rule_action(r), r->names.n);
		for (size_t k = 0; k < r->names.n; k++) {
			str_add(key, "\0", 1); /* ends the previous name: none can hold it */
			str_puts(key, r->names.v[k]);
		}
		for (size_t k = 0; k < r->nr_args; k++)
			str_printf(key, "\n %x %x %llx %llx", r->args[k].index,
				   (unsigned) r->args[k].op, (unsigned long long) r->args[k].value,
				   (unsigned long long) r->args[k].value_two);
	}
}

/* Checks that do not depend on the library; the numbers that follow trust them. */
static int check_profile(const struct oci_seccomp *s, uint32_t *flags, struct err *err)
{
	*flags = s->flags_set ? s->flags & ~(uint32_t) SECCOMP_FILTER_FLAG_TSYNC :
				(uint32_t) SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	if (s->default_action == SECCOMP_RET_USER_NOTIF)
		return err_msg(err, -EINVAL, "SCMP_ACT_NOTIFY cannot be used as default action");
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct oci_seccomp_rule *r = &s->rules[i];

		for (size_t k = 0; k < r->nr_args; k++)
			if (r->args[k].index >= SECCOMP_ARGS_MAX)
				return err_msg(err, -EINVAL,
					       "linux.seccomp.syscalls[%zu].args[%zu].index is %u, "
					       "limit %d", i, k, r->args[k].index, SECCOMP_ARGS_MAX - 1);
		if (r->action != SECCOMP_RET_USER_NOTIF)
			continue;
		*flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		for (size_t k = 0; k < r->names.n; k++)
			if (strcmp(r->names.v[k], "write") == 0)
				return err_msg(err, -EINVAL, "SCMP_ACT_NOTIFY cannot be used for the "
							     "write syscall");
	}
	if ((*flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0 &&
	    (s->listener_path == NULL || *s->listener_path == '\0'))
		return err_msg(err, -EINVAL, "seccomp listenerPath is not set");
	return 0;
}

static int check_arches(const struct oci_seccomp *s, struct err *err)
{
	for (size_t i = 0; i < s->nr_arches; i++)
		if (seccomp_syscall_resolve_name_arch(s->arches[i], "read") == __NR_SCMP_ERROR)
			return err_msg(err, -EINVAL, "linux.seccomp.architectures[%zu]: unknown "
						     "architecture 0x%x", i, s->arches[i]);
	return 0;
}

static int build(const struct oci_seccomp *s, struct oci_filter *ret, struct err *err)
{
	_cleanup_free_ struct sock_filter *reverse = calloc(OCI_FILTER_LEN_MAX, sizeof(*reverse));
	struct seccomp_prog prog = { .insns = reverse };
	struct sock_filter *insns;
	int r = check_arches(s, err);

	if (r < 0)
		return r;
	if (reverse == NULL)
		return -ENOMEM;
	r = seccomp_emit_profile(&prog, s);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return err_set(err, r, "linux.seccomp.architectures: compile for 0x%x and others, "
				       "limit %d", seccomp_arch_native(), SECCOMP_ARCHES_MAX);
	if (prog.overflow)
		return err_msg(err, -E2BIG, "linux.seccomp compiles to more than %d instructions",
			       OCI_FILTER_LEN_MAX);
	insns = calloc(prog.len, sizeof(*insns));
	if (insns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < prog.len; i++)
		insns[i] = reverse[prog.len - 1 - i];
	ret->len = (unsigned short) prog.len;
	ret->prog = insns;
	return 0;
}

int oci_seccomp_compile(const struct oci_seccomp *seccomp, int cache_fd, struct oci_filter *ret,
			struct err *err)
{
	_cleanup_(oci_filter_fini) struct oci_filter filter = { 0 };
	_cleanup_(str_fini) struct str key = { 0 };
	int r = check_profile(seccomp, &filter.flags, err);

	if (r < 0)
		return r;
	log_debug("seccomp filter flags: %u", filter.flags);
	if (cache_fd >= 0) {
		make_key(seccomp, &key);
		if (key.failed)
			return -ENOMEM;
	}
	if (cache_fd < 0 || seccomp_cache_load(cache_fd, key.p, key.len, &filter) < 0) {
		r = build(seccomp, &filter, err);
		if (r < 0)
			return r;
		if (cache_fd >= 0)
			seccomp_cache_store(cache_fd, key.p, key.len, &filter);
	}
	*ret = filter;
	filter.prog = NULL;
	return 0;
}

void oci_filter_fini(struct oci_filter *filter)
{
	free(filter->prog);
	*filter = (struct oci_filter) { 0 };
}
