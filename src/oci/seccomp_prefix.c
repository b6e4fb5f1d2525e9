/* SPDX-License-Identifier: MIT */
/**
 * DOC: instructions in front of the library's program
 *
 *	load architecture
 *	is it A?  else go to the next architecture's section
 *	   load number                        (x86_64: x32 numbers have a section of their own)
 *	   number <= threshold?  go to the library's program
 *	   number == a new call?  its rules, then the default action
 *	   number > last call that the profile names?  return ENOSYS
 *	   go to the library's program
 *	...
 *
 * Common system calls thus pass four or five instructions.  Only number and architecture are loaded
 * on that way, so the kernel can still see at load time which numbers are always allowed, and skips
 * the filter for them.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#define X32_BIT 0x40000000u
#define RET_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define OFF_NR offsetof(struct seccomp_data, nr)
#define OFF_ARCH offsetof(struct seccomp_data, arch)

/* Append an instruction.  Return: its index. */
static size_t emit(struct seccomp_prog *p, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	if (p->len == OCI_FILTER_LEN_MAX) {
		p->overflow = true;
		return p->len - 1;
	}
	p->insns[p->len] = (struct sock_filter) {
		.code = (uint16_t) code,
		.jt = (uint8_t) jt,
		.jf = (uint8_t) jf,
		.k = k,
	};
	return p->len++;
}

static void emit_load(struct seccomp_prog *p, size_t offset)
{
	(void) emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static void emit_if(struct seccomp_prog *p, unsigned op, uint32_t k, unsigned jt, unsigned jf)
{
	(void) emit(p, BPF_JMP | op | BPF_K, k, jt, jf);
}

static void emit_ret(struct seccomp_prog *p, uint32_t action)
{
	(void) emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* A jump whose target comes later: land() sets it to the next instruction */
static size_t emit_jump(struct seccomp_prog *p)
{
	return emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void land(struct seccomp_prog *p, size_t jump)
{
	if (!p->overflow)
		p->insns[jump].k = (uint32_t) (p->len - jump - 1);
}

static bool is_32bit(uint32_t arch)
{
	switch (arch) {
	case SCMP_ARCH_X32: /* 64-bit registers, but a pointer has 32 */
	case SCMP_ARCH_MIPS64N32:
	case SCMP_ARCH_MIPSEL64N32:
		return true;
	default:
		return (arch & __AUDIT_ARCH_64BIT) == 0;
	}
}

static size_t arg_offset(uint32_t arch, uint32_t index, bool high)
{
	bool little = (arch & __AUDIT_ARCH_LE) != 0;

	return offsetof(struct seccomp_data, args) + 8 * index + (high == little ? 4 : 0);
}

/*
 * The 32-bit test of one half.  It is followed by the jump of a failed condition: the next instruction
 * means "failed", the one after it "holds".
 */
static void emit_last_half(struct seccomp_prog *p, int op, uint32_t a, uint32_t b)
{
	switch (op) {
	case SCMP_CMP_NE:
		emit_if(p, BPF_JEQ, a, 0, 1);
		break;
	case SCMP_CMP_LT:
		emit_if(p, BPF_JGE, a, 0, 1);
		break;
	case SCMP_CMP_LE:
		emit_if(p, BPF_JGT, a, 0, 1);
		break;
	case SCMP_CMP_GE:
		emit_if(p, BPF_JGE, a, 1, 0);
		break;
	case SCMP_CMP_GT:
		emit_if(p, BPF_JGT, a, 1, 0);
		break;
	case SCMP_CMP_MASKED_EQ:
		(void) emit(p, BPF_ALU | BPF_AND | BPF_K, a, 0, 0);
		emit_if(p, BPF_JEQ, b, 1, 0);
		break;
	default: /* SCMP_CMP_EQ */
		emit_if(p, BPF_JEQ, a, 1, 0);
		break;
	}
}

/* The test of the upper half, which decides alone unless both are equal; the lower half follows. */
static void emit_high_half(struct seccomp_prog *p, int op, uint32_t a, uint32_t b)
{
	switch (op) {
	case SCMP_CMP_NE:
		emit_if(p, BPF_JEQ, a, 0, 3);
		break;
	case SCMP_CMP_LT:
	case SCMP_CMP_LE:
		emit_if(p, BPF_JGT, a, 3, 0);
		emit_if(p, BPF_JEQ, a, 0, 3);
		break;
	case SCMP_CMP_GE:
	case SCMP_CMP_GT:
		emit_if(p, BPF_JGT, a, 4, 0);
		emit_if(p, BPF_JEQ, a, 0, 2);
		break;
	case SCMP_CMP_MASKED_EQ:
		(void) emit(p, BPF_ALU | BPF_AND | BPF_K, a, 0, 0);
		emit_if(p, BPF_JEQ, b, 0, 3);
		break;
	default:
		emit_if(p, BPF_JEQ, a, 0, 2);
		break;
	}
}

/* One condition.  Return: index of the jump that is taken when it does not hold. */
static size_t emit_condition(struct seccomp_prog *p, uint32_t arch, const struct oci_seccomp_arg *arg)
{
	uint64_t a = arg->value, b = arg->value_two;

	if (!is_32bit(arch)) {
		emit_load(p, arg_offset(arch, arg->index, true));
		emit_high_half(p, arg->op, (uint32_t) (a >> 32), (uint32_t) (b >> 32));
	}
	emit_load(p, arg_offset(arch, arg->index, false));
	emit_last_half(p, arg->op, (uint32_t) a, (uint32_t) b);
	return emit_jump(p);
}

static void emit_rule(struct seccomp_prog *p, uint32_t arch, const struct oci_seccomp_rule *rule)
{
	uint32_t action = seccomp_rule_action(rule);
	size_t failed[6], n = 0;

	if (seccomp_args_repeat(rule)) {
		for (size_t i = 0; i < rule->nr_args; i++) {
			failed[0] = emit_condition(p, arch, &rule->args[i]);
			emit_ret(p, action);
			land(p, failed[0]);
		}
		return;
	}
	for (size_t i = 0; i < rule->nr_args; i++) /* distinct arguments: at most 6 */
		failed[n++] = emit_condition(p, arch, &rule->args[i]);
	emit_ret(p, action);
	while (n > 0)
		land(p, failed[--n]);
}

/* All rules of the profile for one new system call, in order; then the default action. */
static void emit_new_call(struct seccomp_prog *p, const struct oci_seccomp *s, uint32_t arch,
			  const char *name)
{
	uint32_t fallback = seccomp_default_action(s);
	size_t other;

	emit_if(p, BPF_JEQ, (uint32_t) seccomp_nr(arch, name), 1, 0);
	other = emit_jump(p);
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct oci_seccomp_rule *rule = &s->rules[i];

		for (size_t k = 0; k < rule->names.n; k++)
			if (strcmp(rule->names.v[k], name) == 0 &&
			    seccomp_rule_action(rule) != fallback)
				emit_rule(p, arch, rule);
	}
	emit_ret(p, fallback);
	land(p, other);
}

/* True when no earlier rule names the same system call. */
static bool is_first(const struct oci_seccomp *s, size_t rule, size_t name)
{
	const char *text = s->rules[rule].names.v[name];

	for (size_t i = 0; i <= rule; i++)
		for (size_t k = 0; k < (i < rule ? s->rules[i].names.n : name); k++)
			if (strcmp(s->rules[i].names.v[k], text) == 0)
				return false;
	return true;
}

/* Numbers that a profile names on one architecture */
struct numbers {
	bool any; /* @last is valid */
	uint32_t last;
	uint32_t first_new; /* 0 = none, no new call has this number */
};

static struct numbers numbers_of(const struct oci_seccomp *s, uint32_t arch)
{
	struct numbers n = { 0 };

	for (size_t i = 0; i < s->nr_rules; i++)
		for (size_t k = 0; k < s->rules[i].names.n; k++) {
			const char *name = s->rules[i].names.v[k];
			int nr = seccomp_nr(arch, name);

			if (nr < 0)
				continue;
			n.any = true;
			if ((uint32_t) nr > n.last)
				n.last = (uint32_t) nr;
			if ((n.first_new == 0 || (uint32_t) nr < n.first_new) && seccomp_is_new(name))
				n.first_new = (uint32_t) nr;
		}
	return n;
}

/*
 * The part of a section behind the load of the number.
 * @to_filter: @n jumps that lead to the library's program, appended to
 */
static void emit_calls(struct seccomp_prog *p, const struct oci_seccomp *s, uint32_t arch, bool enosys,
		       size_t *to_filter, size_t *n)
{
	struct numbers nr = numbers_of(s, arch);

	if (nr.any && (enosys || nr.first_new > 0)) {
		emit_if(p, BPF_JGT, nr.first_new > 0 ? nr.first_new - 1 : nr.last, 1, 0);
		to_filter[(*n)++] = emit_jump(p);
		for (size_t i = 0; i < s->nr_rules && nr.first_new > 0; i++)
			for (size_t k = 0; k < s->rules[i].names.n; k++)
				if (seccomp_is_new(s->rules[i].names.v[k]) && is_first(s, i, k))
					emit_new_call(p, s, arch, s->rules[i].names.v[k]);
		if (enosys) {
			emit_if(p, BPF_JGT, nr.last, 0, 1);
			emit_ret(p, RET_ENOSYS);
		}
	}
	to_filter[(*n)++] = emit_jump(p);
}

static bool has_arch(const uint32_t *arches, size_t n, uint32_t arch)
{
	for (size_t i = 0; i < n; i++)
		if (arches[i] == arch)
			return true;
	return false;
}

/* Architectures of the profile, native first, each once.  Return: number; -E2BIG. */
static int list_arches(const struct oci_seccomp *s, uint32_t *ret)
{
	size_t n = 0;

	ret[n++] = seccomp_arch_native();
	for (size_t i = 0; i < s->nr_arches; i++) {
		uint32_t arch = s->arches[i] == SCMP_ARCH_NATIVE ? ret[0] : s->arches[i];

		if (has_arch(ret, n, arch))
			continue;
		if (n == SECCOMP_ARCHES_MAX)
			return -E2BIG;
		ret[n++] = arch;
	}
	return (int) n;
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

static bool names_new_calls(const struct oci_seccomp *s)
{
	for (size_t i = 0; i < s->nr_rules; i++)
		for (size_t k = 0; k < s->rules[i].names.n; k++)
			if (seccomp_is_new(s->rules[i].names.v[k]))
				return true;
	return false;
}

int seccomp_prefix(const struct oci_seccomp *s, struct seccomp_prog *p)
{
	size_t to_filter[2 * SECCOMP_ARCHES_MAX + 2], nr_jumps = 0;
	bool enosys = refuses(s->default_action);
	uint32_t arches[SECCOMP_ARCHES_MAX];
	int n = list_arches(s, arches);

	if (n < 0)
		return n;
	if (!enosys && !names_new_calls(s))
		return 0;
	emit_load(p, OFF_ARCH);
	for (int i = 0; i < n; i++) {
		bool is_x86_64 = arches[i] == SCMP_ARCH_X86_64;
		size_t next, x32 = 0;

		if (arches[i] == SCMP_ARCH_X32) /* in the section of x86_64, whose mark it has */
			continue;
		emit_if(p, BPF_JEQ, arches[i], 1, 0);
		next = emit_jump(p);
		emit_load(p, OFF_NR);
		if (is_x86_64) {
			emit_if(p, BPF_JSET, X32_BIT, 0, 1);
			x32 = emit_jump(p);
		}
		emit_calls(p, s, arches[i], enosys, to_filter, &nr_jumps);
		if (is_x86_64) {
			land(p, x32);
			if (has_arch(arches, (size_t) n, SCMP_ARCH_X32))
				emit_calls(p, s, SCMP_ARCH_X32, enosys, to_filter, &nr_jumps);
			else
				to_filter[nr_jumps++] = emit_jump(p);
		}
		land(p, next);
	}
	while (nr_jumps > 0)
		land(p, to_filter[--nr_jumps]);
	return 0;
}
