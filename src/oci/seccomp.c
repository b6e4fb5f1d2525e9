/* SPDX-License-Identifier: MIT */
#include "oci/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define ARGS_MAX 6 /* arguments of a system call */
#define TREE_MIN 32 /* names from which a search tree pays; the library breaks with none */
#define KEY_VERSION "cleave-seccomp " CLEAVE_VERSION " 1\n"

static void release_ctx(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

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

bool seccomp_args_repeat(const struct oci_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->nr_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
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
			if (r->args[k].index >= ARGS_MAX)
				return err_msg(err, -EINVAL,
					       "linux.seccomp.syscalls[%zu].args[%zu].index is %u, "
					       "limit %d", i, k, r->args[k].index, ARGS_MAX - 1);
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

static int add_rule(scmp_filter_ctx ctx, const struct oci_seccomp_rule *rule, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name), r = 0;
	struct scmp_arg_cmp args[ARGS_MAX];
	uint32_t action = seccomp_rule_action(rule);
	bool repeat = seccomp_args_repeat(rule);

	if (nr == __NR_SCMP_ERROR) {
		if (!seccomp_is_new(name))
			log_debug("unknown seccomp syscall '%s' ignored", name);
		return 0;
	}
	for (size_t i = 0; i < rule->nr_args; i++) {
		const struct oci_seccomp_arg *a = &rule->args[i];

		args[repeat ? 0 : i] = (struct scmp_arg_cmp) {
			.arg = a->index,
			.op = (enum scmp_compare) a->op,
			.datum_a = a->value,
			.datum_b = a->value_two,
		};
		if (repeat && r == 0)
			r = seccomp_rule_add_array(ctx, action, nr, 1, args);
	}
	if (!repeat)
		r = seccomp_rule_add_array(ctx, action, nr, (unsigned) rule->nr_args, args);
	return r == -EEXIST ? 0 : r;
}

static int add_rules(scmp_filter_ctx ctx, const struct oci_seccomp *s, struct err *err)
{
	size_t names = 0;
	int r;

	for (size_t i = 0; i < s->nr_arches; i++) {
		r = seccomp_arch_add(ctx, s->arches[i]);
		if (r < 0 && r != -EEXIST)
			return err_set(err, -EINVAL,
				       "error adding architecture 0x%x to seccomp filter: %s",
				       s->arches[i], strerror(-r));
	}
	for (size_t i = 0; i < s->nr_rules; i++)
		names += s->rules[i].names.n;
	if (names > TREE_MIN)
		(void) seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* only speed */
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct oci_seccomp_rule *rule = &s->rules[i];

		if (seccomp_rule_action(rule) == seccomp_default_action(s))
			continue; /* says nothing, and the library refuses it */
		for (size_t k = 0; k < rule->names.n; k++) {
			r = add_rule(ctx, rule, rule->names.v[k]);
			if (r < 0)
				return err_set(err, r == -ENOMEM ? r : -EINVAL,
					       "error adding seccomp filter rule for syscall %s "
					       "(linux.seccomp.syscalls[%zu], %s)",
					       rule->names.v[k], i, strerror(-r));
		}
	}
	return 0;
}

/* The library writes a program only to a descriptor. */
static int export(scmp_filter_ctx ctx, struct str *ret, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "memfd_create for seccomp program");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_set(err, r, "export seccomp program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "lseek in seccomp program");
	r = fd_read_str(fd, OCI_FILTER_LEN_MAX * sizeof(struct sock_filter), ret);
	return r < 0 ? err_set(err, r, "read seccomp program, limit %d instructions",
			       OCI_FILTER_LEN_MAX) : 0;
}

static int build(const struct oci_seccomp *s, struct oci_filter *ret, struct err *err)
{
	_cleanup_(release_ctx) scmp_filter_ctx ctx = seccomp_init(seccomp_default_action(s));
	_cleanup_free_ struct sock_filter *insns = calloc(OCI_FILTER_LEN_MAX, sizeof(*insns));
	_cleanup_(str_fini) struct str tail = { 0 };
	struct seccomp_prog prog = { .insns = insns };
	size_t n;
	int r;

	if (ctx == NULL)
		return err_msg(err, -EINVAL, "error creating seccomp filter with default action 0x%x",
			       s->default_action);
	if (insns == NULL)
		return -ENOMEM;
	r = add_rules(ctx, s, err);
	if (r == 0)
		r = export(ctx, &tail, err);
	if (r < 0)
		return r;
	r = seccomp_prefix(s, &prog);
	if (r < 0)
		return err_msg(err, r, "linux.seccomp.architectures: more than %d",
			       SECCOMP_ARCHES_MAX);
	n = tail.len / sizeof(*insns);
	if (prog.overflow || prog.len + n > OCI_FILTER_LEN_MAX)
		return err_msg(err, -E2BIG, "linux.seccomp compiles to more than %d instructions",
			       OCI_FILTER_LEN_MAX);
	memcpy(insns + prog.len, tail.p, n * sizeof(*insns));
	ret->len = (unsigned short) (prog.len + n);
	ret->prog = take_ptr(insns);
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
