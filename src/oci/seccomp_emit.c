/* SPDX-License-Identifier: MIT */
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#define REACH 250 /* instructions an 8-bit jump passes, with room for two unconditional ones */

static seccomp_label emit(struct seccomp_prog *p, unsigned code, uint32_t k, size_t jt, size_t jf)
{
	if (p->len == OCI_FILTER_LEN_MAX) {
		p->overflow = true;
		return p->len;
	}
	p->insns[p->len] = (struct sock_filter) {
		.code = (uint16_t) code,
		.jt = (uint8_t) jt,
		.jf = (uint8_t) jf,
		.k = k,
	};
	return ++p->len;
}

/* What follows is the instruction written last, so anything else needs a jump. */
static void go_to(struct seccomp_prog *p, seccomp_label to)
{
	if (to != p->len)
		(void) emit(p, BPF_JMP | BPF_JA, (uint32_t) (p->len - to), 0, 0);
}

/* @to, or a jump to it that is in reach. */
static seccomp_label in_reach(struct seccomp_prog *p, seccomp_label to)
{
	if (p->len - to <= REACH)
		return to;
	return emit(p, BPF_JMP | BPF_JA, (uint32_t) (p->len - to), 0, 0);
}

seccomp_label seccomp_emit_ret(struct seccomp_prog *p, uint32_t action)
{
	seccomp_label at;

	for (size_t i = 0; i < ARRAY_LEN(p->rets); i++)
		if (p->rets[i].at != 0 && p->rets[i].action == action &&
		    p->len - p->rets[i].at <= REACH / 2)
			return p->rets[i].at;
	at = emit(p, BPF_RET | BPF_K, action, 0, 0);
	p->rets[p->next_ret].action = action;
	p->rets[p->next_ret].at = at;
	p->next_ret = (p->next_ret + 1) % ARRAY_LEN(p->rets);
	return at;
}

seccomp_label seccomp_emit_load(struct seccomp_prog *p, size_t offset, seccomp_label next)
{
	go_to(p, next);
	return emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

seccomp_label seccomp_emit_if(struct seccomp_prog *p, unsigned op, uint32_t k, seccomp_label yes,
			      seccomp_label no)
{
	yes = in_reach(p, yes);
	no = in_reach(p, no);
	return emit(p, BPF_JMP | op | BPF_K, k, p->len - yes, p->len - no);
}

static seccomp_label emit_and(struct seccomp_prog *p, uint32_t mask, seccomp_label next)
{
	go_to(p, next);
	return emit(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
}

static bool is_32bit(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 || (arch & __AUDIT_ARCH_64BIT) == 0;
}

static size_t arg_offset(uint32_t arch, uint32_t index, bool high)
{
	bool little = (arch & __AUDIT_ARCH_LE) != 0;

	return offsetof(struct seccomp_data, args) + 8 * index + (high == little ? 4 : 0);
}

/* The test of the lower half, which decides once the upper halves are equal. */
static seccomp_label emit_low(struct seccomp_prog *p, int op, uint32_t a, uint32_t b, seccomp_label yes,
			      seccomp_label no)
{
	switch (op) {
	case SCMP_CMP_NE:
		return seccomp_emit_if(p, BPF_JEQ, a, no, yes);
	case SCMP_CMP_LT:
		return seccomp_emit_if(p, BPF_JGE, a, no, yes);
	case SCMP_CMP_LE:
		return seccomp_emit_if(p, BPF_JGT, a, no, yes);
	case SCMP_CMP_GE:
		return seccomp_emit_if(p, BPF_JGE, a, yes, no);
	case SCMP_CMP_GT:
		return seccomp_emit_if(p, BPF_JGT, a, yes, no);
	case SCMP_CMP_MASKED_EQ:
		return emit_and(p, a, seccomp_emit_if(p, BPF_JEQ, b, yes, no));
	default: /* SCMP_CMP_EQ */
		return seccomp_emit_if(p, BPF_JEQ, a, yes, no);
	}
}

/* The test of the upper half; @low is where equal halves go on. */
static seccomp_label emit_high(struct seccomp_prog *p, int op, uint32_t a, uint32_t b, seccomp_label low,
			       seccomp_label yes, seccomp_label no)
{
	switch (op) {
	case SCMP_CMP_NE:
		return seccomp_emit_if(p, BPF_JEQ, a, low, yes);
	case SCMP_CMP_LT:
	case SCMP_CMP_LE:
		return seccomp_emit_if(p, BPF_JGT, a, no, seccomp_emit_if(p, BPF_JEQ, a, low, yes));
	case SCMP_CMP_GE:
	case SCMP_CMP_GT:
		return seccomp_emit_if(p, BPF_JGT, a, yes, seccomp_emit_if(p, BPF_JEQ, a, low, no));
	case SCMP_CMP_MASKED_EQ:
		return emit_and(p, a, seccomp_emit_if(p, BPF_JEQ, b, low, no));
	default:
		return seccomp_emit_if(p, BPF_JEQ, a, low, no);
	}
}

seccomp_label seccomp_emit_arg(struct seccomp_prog *p, uint32_t arch, const struct oci_seccomp_arg *arg,
			       seccomp_label yes, seccomp_label no)
{
	uint64_t a = arg->value;
	uint64_t b = arg->value_two & a; /* bits outside a mask do not count, as in libseccomp */
	seccomp_label at = emit_low(p, arg->op, (uint32_t) a, (uint32_t) b, yes, no);

	at = seccomp_emit_load(p, arg_offset(arch, arg->index, false), at);
	if (is_32bit(arch))
		return at;
	at = emit_high(p, arg->op, (uint32_t) (a >> 32), (uint32_t) (b >> 32), at, yes, no);
	return seccomp_emit_load(p, arg_offset(arch, arg->index, true), at);
}
