/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/device_bpf.h"

#define STEPS_MAX 100000

/* Run the few instructions that the generator uses; anything else fails the test. */
static int interpret(const struct bpf_insn *prog, size_t n, char type, uint32_t major, uint32_t minor,
		     unsigned access)
{
	uint32_t acc = ((access & DEVICE_READ) != 0 ? BPF_DEVCG_ACC_READ : 0U) |
		       ((access & DEVICE_WRITE) != 0 ? BPF_DEVCG_ACC_WRITE : 0U) |
		       ((access & DEVICE_MKNOD) != 0 ? BPF_DEVCG_ACC_MKNOD : 0U);
	uint32_t ctx[3] = { acc << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), major, minor };
	uint64_t r[11] = { 0 };
	size_t pc = 0;

	for (int step = 0; step < STEPS_MAX; step++) {
		const struct bpf_insn *i = &prog[pc++];
		bool jump = false;

		assert_true(pc <= n);
		switch (i->code) {
		case BPF_LDX | BPF_W | BPF_MEM:
			assert_int_equal(i->src_reg, 1);
			r[i->dst_reg] = ctx[i->off / 4];
			continue;
		case BPF_ALU | BPF_MOV | BPF_X: r[i->dst_reg] = (uint32_t) r[i->src_reg]; continue;
		case BPF_ALU64 | BPF_MOV | BPF_K: r[i->dst_reg] = (uint64_t) (int64_t) i->imm; continue;
		case BPF_ALU | BPF_AND | BPF_K: r[i->dst_reg] = (uint32_t) r[i->dst_reg] & (uint32_t) i->imm; continue;
		case BPF_ALU | BPF_RSH | BPF_K: r[i->dst_reg] = (uint32_t) r[i->dst_reg] >> i->imm; continue;
		case BPF_JMP | BPF_EXIT: return (int) r[0];
		case BPF_JMP32 | BPF_JNE | BPF_K: jump = (uint32_t) r[i->dst_reg] != (uint32_t) i->imm; break;
		case BPF_JMP32 | BPF_JEQ | BPF_K: jump = (uint32_t) r[i->dst_reg] == (uint32_t) i->imm; break;
		default: fail_msg("instruction %#x", i->code);
		}
		if (jump)
			pc += (size_t) i->off;
	}
	fail_msg("endless program");
	return -1;
}

struct setup {
	struct device_rules rules;
	struct bpf_insn *prog;
	size_t n;
};

static struct setup build(const struct oci_device_rule *rules, size_t n)
{
	struct setup s = { 0 };

	assert_int_equal(device_rules_build(rules, n, &s.rules, NULL), 0);
	s.prog = calloc(device_bpf_len(&s.rules), sizeof(*s.prog));
	assert_non_null(s.prog);
	s.n = device_bpf_write(&s.rules, s.prog);
	assert_true(s.n <= device_bpf_len(&s.rules));
	return s;
}

static void drop(struct setup *s)
{
	device_rules_fini(&s->rules);
	free(s->prog);
}

static int ask(const struct setup *s, char type, uint32_t major, uint32_t minor, unsigned access)
{
	return interpret(s->prog, s->n, type, major, minor, access);
}

static void defaults(void **state)
{
	struct setup s = build(NULL, 0);

	(void) state;
	assert_int_equal(ask(&s, 'c', 1, 3, DEVICE_ALL), 1);
	assert_int_equal(ask(&s, 'c', 136, 77, DEVICE_READ | DEVICE_WRITE), 1);
	assert_int_equal(ask(&s, 'c', 5, 1, DEVICE_READ), 0);
	assert_int_equal(ask(&s, 'b', 8, 0, DEVICE_MKNOD), 1);
	assert_int_equal(ask(&s, 'b', 8, 0, DEVICE_READ), 0);
	assert_int_equal(ask(&s, 'b', 8, 0, DEVICE_READ | DEVICE_MKNOD), 0);
	assert_int_equal(ask(&s, 'b', 1, 3, DEVICE_READ), 0);
	drop(&s);
}

static void allow_all_but(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'a', -1, -1, true, true, true },
		{ false, 'b', 8, -1, false, true, false },
		{ false, 'c', 4294967295, 7, true, true, true },
	};
	struct setup s = build(rules, ARRAY_LEN(rules));

	(void) state;
	assert_int_equal(ask(&s, 'b', 8, 1, DEVICE_READ), 1);
	assert_int_equal(ask(&s, 'b', 8, 1, DEVICE_WRITE), 0);
	assert_int_equal(ask(&s, 'b', 8, 1, DEVICE_READ | DEVICE_WRITE), 0);
	assert_int_equal(ask(&s, 'b', 9, 1, DEVICE_WRITE), 1);
	assert_int_equal(ask(&s, 'c', 4294967295, 7, DEVICE_READ), 0);
	assert_int_equal(ask(&s, 'c', 4294967295, 8, DEVICE_READ), 1);
	drop(&s);
}

static void merged_and_removed(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ false, 'a', -1, -1, true, true, true },
		{ true, 'c', 10, 229, true, false, false },
		{ true, 'c', 10, 229, false, true, false },
		{ true, 'b', 7, 0, true, true, true },
		{ false, 'b', 7, 0, true, true, false },
	};
	struct setup s = build(rules, ARRAY_LEN(rules));

	(void) state;
	assert_int_equal(ask(&s, 'c', 10, 229, DEVICE_READ | DEVICE_WRITE), 1);
	assert_int_equal(ask(&s, 'b', 7, 0, DEVICE_READ), 0);
	assert_int_equal(ask(&s, 'b', 7, 0, DEVICE_MKNOD), 1);
	drop(&s);
}

static void refused_rules(void **state)
{
	static const struct oci_device_rule hole[] = {
		{ true, 'c', 4, -1, true, true, true },
		{ false, 'c', 4, 64, true, false, false },
	};
	static const struct oci_device_rule range[] = { { true, 'c', 4294967296, 0, true, true, true } };
	static const struct oci_device_rule type[] = { { true, 'p', 1, 1, true, true, true } };
	struct device_rules s = { 0 };
	struct err err = { 0 };

	(void) state;
	assert_int_equal(device_rules_build(hole, ARRAY_LEN(hole), &s, &err), -EINVAL);
	device_rules_fini(&s);
	assert_int_equal(device_rules_build(range, 1, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "4294967296"));
	device_rules_fini(&s);
	assert_int_equal(device_rules_build(type, 1, &s, &err), -EINVAL);
	device_rules_fini(&s);
}

static void too_many(void **state)
{
	struct device_rules s = { 0 };
	int r = 0;

	(void) state;
	for (int i = 0; i < DEVICE_RULES_MAX; i++) {
		struct oci_device_rule rule = { true, 'c', 300, i, true, true, true };

		r |= device_rules_add(&s, &rule, NULL);
	}
	assert_int_equal(r, 0);
	r = device_rules_add(&s, &(struct oci_device_rule){ true, 'b', 1, 1, true, true, true }, NULL);
	assert_int_equal(r, -E2BIG);
	device_rules_fini(&s);
}

/* The kernel's verifier takes the program. */
static void kernel_accepts(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'a', -1, -1, true, true, true },
		{ false, 'b', 8, -1, false, true, false },
		{ false, 'c', 200, -1, true, false, true },
	};
	struct setup s[2] = { build(NULL, 0), build(rules, ARRAY_LEN(rules)) };

	(void) state;
	for (size_t i = 0; i < 2; i++) {
		union bpf_attr attr;
		long fd;

		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
		attr.insns = (uint64_t) (uintptr_t) s[i].prog;
		attr.insn_cnt = (uint32_t) s[i].n;
		attr.license = (uint64_t) (uintptr_t) "MIT";
		fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
		drop(&s[i]);
		if (fd < 0 && (errno == EPERM || errno == ENOSYS))
			continue;
		assert_true(fd >= 0);
		(void) close((int) fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(allow_all_but),
		cmocka_unit_test(merged_and_removed),
		cmocka_unit_test(refused_rules),
		cmocka_unit_test(too_many),
		cmocka_unit_test(kernel_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
