/* SPDX-License-Identifier: MIT */
/**
 * DOC: from a profile to a program
 *
 * For each architecture the rules become clauses (number, conditions, action), sorted by number, and
 * those a list of ranges of numbers with one verdict each: an action, or a run of clauses.  A search
 * tree over the ranges is written; a profile that allows most calls has few ranges, so the program is
 * a fraction of one with a test per call, and the kernel, which checks, translates and evaluates it
 * for every number when it is loaded, is that much faster.  Only number and architecture are looked at
 * before the verdict of an unconditional call, so the kernel skips the filter for allowed ones.
 *
 * Where rules overlap: one without conditions wins; else the first in the profile's order.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#define X32_BIT 0x40000000u
#define RET_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define OFF_NR offsetof(struct seccomp_data, nr)
#define OFF_ARCH offsetof(struct seccomp_data, arch)

struct clause {
	uint32_t nr, action;
	size_t order; /* in the profile */
	const struct oci_seccomp_arg *args; /* all of them must hold */
	size_t nr_args;
	uint32_t mux; /* value that the first argument must have, instead of its condition; 0 = none */
};

struct range {
	uint32_t first;
	uint32_t action; /* where there are no clauses */
	const struct clause *clauses;
	size_t n;
};

/* One architecture while it is compiled */
struct table {
	const struct oci_seccomp *profile;
	uint32_t arch;
	struct clause *clauses;
	struct range *ranges;
	size_t nr_clauses, nr_ranges;
	bool any; /* the profile names a call of this architecture; @last is valid */
	uint32_t last;
};

static void table_fini(struct table *t)
{
	free(t->clauses);
	free(t->ranges);
}

static bool args_repeat(const struct oci_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->nr_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

static void add_clauses(struct table *t, const struct oci_seccomp_rule *rule, uint32_t nr, uint32_t mux)
{
	/* conditions on the same argument are alternatives: a clause each */
	size_t n = args_repeat(rule) ? rule->nr_args : 1;

	for (size_t i = 0; i < n; i++) {
		t->clauses[t->nr_clauses] = (struct clause) {
			.nr = nr,
			.action = seccomp_rule_action(rule),
			.order = t->nr_clauses,
			.args = rule->args + (n > 1 ? i : 0),
			.nr_args = n > 1 ? 1 : rule->nr_args,
			.mux = mux,
		};
		t->nr_clauses++;
	}
}

/* A rule for @nr; one that repeats the default action only tells that the number is known. */
static void add_number(struct table *t, const struct oci_seccomp_rule *rule, uint32_t nr, uint32_t mux)
{
	t->any = true;
	if (nr > t->last)
		t->last = nr;
	if (seccomp_rule_action(rule) != seccomp_default_action(t->profile))
		add_clauses(t, rule, nr, mux);
}

static int compare(const void *a, const void *b)
{
	const struct clause *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int collect(struct table *t)
{
	const struct oci_seccomp *s = t->profile;
	uint32_t call;
	size_t max = 0;

	for (size_t i = 0; i < s->nr_rules; i++) /* a call and its multiplexer, each condition */
		max += s->rules[i].names.n * 2 * (s->rules[i].nr_args > 0 ? s->rules[i].nr_args : 1);
	t->clauses = calloc(max + 1, sizeof(*t->clauses));
	t->ranges = calloc(2 * max + 3, sizeof(*t->ranges)); /* one per clause, gaps, both ends */
	if (t->clauses == NULL || t->ranges == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr_rules; i++)
		for (size_t k = 0; k < s->rules[i].names.n; k++) {
			const char *name = s->rules[i].names.v[k];
			int nr = seccomp_nr(t->arch, name), mux = seccomp_mux(t->arch, name, &call);

			if (nr >= 0)
				add_number(t, &s->rules[i], (uint32_t) nr, 0);
			if (mux >= 0)
				add_number(t, &s->rules[i], (uint32_t) mux, call);
		}
	qsort(t->clauses, t->nr_clauses, sizeof(*t->clauses), compare);
	return 0;
}

static void add_range(struct table *t, struct range range)
{
	const struct range *prev = t->nr_ranges > 0 ? &t->ranges[t->nr_ranges - 1] : NULL;

	if (prev == NULL || prev->n > 0 || range.n > 0 || prev->action != range.action)
		t->ranges[t->nr_ranges++] = range;
}

/* @n clauses of one number, in order */
static struct range range_of(const struct clause *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].nr_args == 0 && c[i].mux == 0)
			return (struct range) { .first = c->nr, .action = c[i].action };
	return (struct range) { .first = c->nr, .clauses = c, .n = n };
}

/* A default action that lets calls pass, or asks a tracer, is no reason to invent an error. */
static bool refuses(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return false;
	default:
		return true;
	}
}

static void make_ranges(struct table *t)
{
	uint32_t fallback = seccomp_default_action(t->profile), next = 0;
	size_t n;

	for (size_t i = 0; i < t->nr_clauses; i += n) {
		for (n = 1; i + n < t->nr_clauses && t->clauses[i + n].nr == t->clauses[i].nr; n++)
			;
		if (t->clauses[i].nr > next)
			add_range(t, (struct range) { .first = next, .action = fallback });
		add_range(t, range_of(&t->clauses[i], n));
		next = t->clauses[i].nr + 1;
	}
	if (!t->any || next <= t->last || !refuses(fallback))
		add_range(t, (struct range) { .first = next, .action = fallback });
	if (t->any && refuses(fallback))
		add_range(t, (struct range) { .first = t->last + 1, .action = RET_ENOSYS });
}

static seccomp_label emit_clause(struct seccomp_prog *p, uint32_t arch, const struct clause *c,
				 seccomp_label no)
{
	const struct oci_seccomp_arg call = { .value = c->mux, .op = SCMP_CMP_EQ };
	seccomp_label at = seccomp_emit_ret(p, c->action);

	for (size_t i = c->nr_args; i > 0; i--)
		if (c->mux == 0 || c->args[i - 1].index != 0)
			at = seccomp_emit_arg(p, arch, &c->args[i - 1], at, no);
	return c->mux != 0 ? seccomp_emit_arg(p, arch, &call, at, no) : at;
}

static seccomp_label emit_range(struct seccomp_prog *p, const struct table *t, const struct range *r)
{
	seccomp_label at;

	if (r->n == 0)
		return seccomp_emit_ret(p, r->action);
	at = seccomp_emit_ret(p, seccomp_default_action(t->profile));
	for (size_t i = r->n; i > 0; i--)
		at = emit_clause(p, t->arch, &r->clauses[i - 1], at);
	return at;
}

static seccomp_label emit_tree(struct seccomp_prog *p, const struct table *t, const struct range *r,
			       size_t n)
{
	seccomp_label high, low;

	if (n == 1)
		return emit_range(p, t, r);
	high = emit_tree(p, t, r + n / 2, n - n / 2);
	low = emit_tree(p, t, r, n / 2);
	return seccomp_emit_if(p, BPF_JGE, r[n / 2].first, high, low);
}

static int emit_calls(struct seccomp_prog *p, const struct oci_seccomp *s, uint32_t arch,
		      seccomp_label *ret)
{
	_cleanup_(table_fini) struct table t = { .profile = s, .arch = arch };
	int r = collect(&t);

	if (r < 0)
		return r;
	make_ranges(&t);
	*ret = emit_tree(p, &t, t.ranges, t.nr_ranges);
	return 0;
}

/*
 * x86_64 and x32 share an architecture; a bit of the number tells them apart.  -1 is what a tracer
 * leaves behind to skip a call, not a call of x32.
 */
static int emit_x86_64(struct seccomp_prog *p, const struct oci_seccomp *s, bool x32, seccomp_label bad,
		       seccomp_label *ret)
{
	seccomp_label high, low;
	int r;

	if (x32) {
		r = emit_calls(p, s, SCMP_ARCH_X32, &high);
		if (r < 0)
			return r;
	} else {
		high = seccomp_emit_if(p, BPF_JEQ, UINT32_MAX,
				       seccomp_emit_ret(p, seccomp_default_action(s)), bad);
	}
	r = emit_calls(p, s, SCMP_ARCH_X86_64, &low);
	if (r == 0)
		*ret = seccomp_emit_if(p, BPF_JGE, X32_BIT, high, low);
	return r;
}

static bool has_arch(const uint32_t *arches, size_t n, uint32_t arch)
{
	for (size_t i = 0; i < n; i++)
		if (arches[i] == arch)
			return true;
	return false;
}

/* Kernels of these multiplex calls in ways that are not known here; programs of them run only there. */
static bool is_foreign(uint32_t arch)
{
	static const uint32_t known[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86,     SCMP_ARCH_X32,
					  SCMP_ARCH_ARM,    SCMP_ARCH_AARCH64, SCMP_ARCH_RISCV64 };

	return !has_arch(known, ARRAY_LEN(known), arch);
}

/* Architectures of the profile, native first, each once.  Return: number; -E2BIG; -ENOTSUP. */
static int list_arches(const struct oci_seccomp *s, uint32_t *ret)
{
	size_t n = 0;

	ret[n++] = seccomp_arch_native();
	if (is_foreign(ret[0]))
		return -ENOTSUP;
	for (size_t i = 0; i < s->nr_arches; i++) {
		if (s->arches[i] == SCMP_ARCH_NATIVE || is_foreign(s->arches[i]) ||
		    has_arch(ret, n, s->arches[i]))
			continue;
		if (n == SECCOMP_ARCHES_MAX)
			return -E2BIG;
		ret[n++] = s->arches[i];
	}
	return (int) n;
}

int seccomp_emit_profile(struct seccomp_prog *p, const struct oci_seccomp *s)
{
	seccomp_label bad = seccomp_emit_ret(p, SECCOMP_RET_KILL_THREAD), next = bad, calls = 0;
	uint32_t arches[SECCOMP_ARCHES_MAX];
	int n = list_arches(s, arches), r;

	if (n < 0)
		return n;
	for (int i = n - 1; i >= 0; i--) {
		if (arches[i] == SCMP_ARCH_X32) /* with x86_64 */
			continue;
		if (arches[i] == SCMP_ARCH_X86_64)
			r = emit_x86_64(p, s, has_arch(arches, (size_t) n, SCMP_ARCH_X32), bad, &calls);
		else
			r = emit_calls(p, s, arches[i], &calls);
		if (r < 0)
			return r;
		calls = seccomp_emit_load(p, OFF_NR, calls);
		next = seccomp_emit_if(p, BPF_JEQ, arches[i], calls, next);
	}
	(void) seccomp_emit_load(p, OFF_ARCH, next);
	return 0;
}
