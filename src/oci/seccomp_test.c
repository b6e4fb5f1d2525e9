/* SPDX-License-Identifier: MIT */
/* Verdicts of compiled profiles, found by running the programs in a small interpreter. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"
#include "oci/seccomp_test.h"
#include "oci/spec.h"

#define X32_BIT 0x40000000
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

/* Run classic BPF as the kernel does for seccomp.  Return: the verdict. */
static uint32_t run(const struct oci_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, mem[16] = { 0 };

	for (size_t pc = 0; pc < f->len; pc++) {
		const struct sock_filter *i = &f->prog[pc];
		uint32_t k = BPF_SRC(i->code) == BPF_X ? x : i->k;
		bool yes = false;

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (BPF_MODE(i->code) == BPF_ABS) {
				assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
				memcpy(&a, (const char *) data + i->k, 4);
			} else {
				a = BPF_MODE(i->code) == BPF_MEM ? mem[i->k] : i->k;
			}
			continue;
		case BPF_ST:
			mem[i->k] = a;
			continue;
		case BPF_ALU:
			assert_int_equal(BPF_OP(i->code), BPF_AND);
			a &= k;
			continue;
		case BPF_MISC:
			if (BPF_MISCOP(i->code) == BPF_TAX)
				x = a;
			else
				a = x;
			continue;
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? a : i->k;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA) {
				pc += i->k;
				continue;
			}
			yes = (BPF_OP(i->code) == BPF_JEQ && a == k) ||
			      (BPF_OP(i->code) == BPF_JGT && a > k) ||
			      (BPF_OP(i->code) == BPF_JGE && a >= k) ||
			      (BPF_OP(i->code) == BPF_JSET && (a & k) != 0);
			pc += yes ? i->jt : i->jf;
			continue;
		default:
			fail_msg("instruction class %u", BPF_CLASS(i->code));
		}
	}
	fail_msg("program ran over its end");
	return 0;
}

static uint32_t verdict(const struct oci_filter *f, uint32_t arch, int nr, uint64_t a0, uint64_t a1)
{
	struct seccomp_data d = { .nr = nr, .arch = arch, .args = { a0, a1 } };

	return run(f, &d);
}

static uint32_t x86_arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };

static void skip_other_machines(void)
{
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		skip();
}

static void allow_list(void **state)
{
	struct oci_seccomp_rule rules[] = {
		{ .names = NAMES("read", "write", "openat2", "no_such_call"),
		  .action = SECCOMP_RET_ALLOW },
		{ .names = NAMES("mkdir"), .action = SECCOMP_RET_ERRNO, .errno_ret = { true, ENODEV } },
		{ .names = NAMES("rmdir"), .action = SECCOMP_RET_TRAP },
		{ .names = NAMES("sync"), .action = SECCOMP_RET_LOG },
		{ .names = NAMES("pause"), .action = SECCOMP_RET_KILL_PROCESS },
		{ .names = NAMES("alarm"), .action = SECCOMP_RET_TRACE, .errno_ret = { true, 7 } },
	};
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_ERRNO,
		.arches = x86_arches,
		.nr_arches = 3,
		.rules = rules,
		.nr_rules = ARRAY_LEN(rules),
	};

	(void) state;
	skip_other_machines();
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);
	const uint32_t b64 = AUDIT_ARCH_X86_64, b32 = AUDIT_ARCH_I386;

	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(verdict(&f, b64, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&f, b64, 437, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&f, b64, 83, 0, 0), ERRNO(ENODEV));
	assert_int_equal(verdict(&f, b64, 84, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(verdict(&f, b64, 162, 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(verdict(&f, b64, 34, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(verdict(&f, b64, 37, 0, 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(verdict(&f, b64, 2, 0, 0), ERRNO(EPERM)); /* open */
	assert_int_equal(verdict(&f, b64, 438, 0, 0), ERRNO(ENOSYS)); /* newer than all named */
	assert_int_equal(verdict(&f, b64, 1000, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(&f, b32, 3, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&f, b32, 39, 0, 0), ERRNO(ENODEV));
	assert_int_equal(verdict(&f, b32, 5, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(&f, b32, 438, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(&f, b64, X32_BIT | 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&f, b64, X32_BIT | 83, 0, 0), ERRNO(ENODEV));
	assert_int_equal(verdict(&f, b64, X32_BIT | 2, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(&f, b64, X32_BIT | 600, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(&f, AUDIT_ARCH_AARCH64, 0, 0, 0), SECCOMP_RET_KILL_THREAD);
}

static void native_only(void **state)
{
	struct oci_seccomp_rule rule = { .names = NAMES("read"), .action = SECCOMP_RET_ALLOW };
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_KILL_PROCESS,
		.rules = &rule,
		.nr_rules = 1,
	};

	(void) state;
	skip_other_machines();
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);

	assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, 1, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, X32_BIT, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(&f, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_THREAD);
}

static void default_errno_and_allow(void **state)
{
	struct oci_seccomp_rule rule = { .names = NAMES("mkdir"), .action = SECCOMP_RET_ERRNO };
	struct oci_seccomp allow = {
		.default_action = SECCOMP_RET_ALLOW,
		.rules = &rule,
		.nr_rules = 1,
		.flags_set = true,
		.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
	};
	struct oci_seccomp refuse = {
		.default_action = SECCOMP_RET_ERRNO,
		.default_errno_ret = { true, ENXIO },
		.rules = &rule,
		.nr_rules = 1,
	};

	(void) state;
	skip_other_machines();
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&allow);
	_cleanup_(oci_filter_fini) struct oci_filter g = compile(&refuse);

	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, 83, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, 1000, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(&g, AUDIT_ARCH_X86_64, 80, 0, 0), ERRNO(ENXIO));
	assert_int_equal(verdict(&g, AUDIT_ARCH_X86_64, 83, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(&g, AUDIT_ARCH_X86_64, 84, 0, 0), ERRNO(ENOSYS));
}

/* What an operator must say of an argument; the model the program is compared with */
static bool holds(int op, uint64_t v, uint64_t a, uint64_t b)
{
	switch (op) {
	case SCMP_CMP_NE:
		return v != a;
	case SCMP_CMP_LT:
		return v < a;
	case SCMP_CMP_LE:
		return v <= a;
	case SCMP_CMP_EQ:
		return v == a;
	case SCMP_CMP_GE:
		return v >= a;
	case SCMP_CMP_GT:
		return v > a;
	default:
		return (v & a) == b;
	}
}

/* The same checks for a call that the library compiles and for one that the prefix answers */
static void argument_operators(void **state)
{
	static const uint64_t values[] = { 0,	       1,	      5,	     6,
					   0xffffffff, 0x100000000,   0x100000005,   0x200000005,
					   UINT64_MAX, 0x10000000f0f, 0xf0f00000000f };
	static const int ops[] = { SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,	 SCMP_CMP_EQ,
				   SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ };
	static const struct {
		char *name;
		int nr;
	} calls[] = { { "ftruncate", 77 }, { "mseal", 462 } };

	(void) state;
	skip_other_machines();
	for (size_t c = 0; c < ARRAY_LEN(calls); c++)
		for (size_t o = 0; o < ARRAY_LEN(ops); o++)
			for (size_t i = 0; i < ARRAY_LEN(values); i++) {
				uint64_t a = values[i];
				uint64_t b = a & 0xf0f0f0f0f;
				struct oci_seccomp_arg arg = { 1, a, b, ops[o] };
				struct oci_seccomp_rule rule = {
					.names = NAMES(calls[c].name),
					.action = SECCOMP_RET_ALLOW,
					.args = &arg,
					.nr_args = 1,
				};
				struct oci_seccomp s = {
					.default_action = SECCOMP_RET_ERRNO,
					.rules = &rule,
					.nr_rules = 1,
				};
				_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);

				for (size_t k = 0; k < ARRAY_LEN(values); k++)
					assert_int_equal(
						verdict(&f, AUDIT_ARCH_X86_64, calls[c].nr, 0,
							values[k]),
						holds(ops[o], values[k], a, b) ?
							SECCOMP_RET_ALLOW : ERRNO(EPERM));
			}
}

static void several_arguments(void **state)
{
	struct oci_seccomp_arg both[] = { { 0, 500, 0, SCMP_CMP_NE }, { 1, 1337, 0, SCMP_CMP_EQ } };
	struct oci_seccomp_arg any[] = { { 0, 100, 0, SCMP_CMP_EQ }, { 0, 9001, 0, SCMP_CMP_EQ } };
	struct oci_seccomp_rule rules[] = {
		{ .names = NAMES("ftruncate", "listns"), .action = SECCOMP_RET_ALLOW, .args = both,
		  .nr_args = 2 },
		{ .names = NAMES("process_vm_readv", "statmount"), .action = SECCOMP_RET_ALLOW,
		  .args = any, .nr_args = 2 },
		{ .names = NAMES("statmount"), .action = SECCOMP_RET_ERRNO,
		  .errno_ret = { true, ENOANO }, .args = (struct oci_seccomp_arg[]) {
			  { 0, 3, 0, SCMP_CMP_EQ } }, .nr_args = 1 },
	};
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_ERRNO,
		.rules = rules,
		.nr_rules = ARRAY_LEN(rules),
	};
	const uint32_t b64 = AUDIT_ARCH_X86_64;

	(void) state;
	skip_other_machines();
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);

	for (size_t i = 0; i < 2; i++) {
		int and_nr = i == 0 ? 77 : 470, or_nr = i == 0 ? 310 : 457;

		assert_int_equal(verdict(&f, b64, and_nr, 1, 1337), SECCOMP_RET_ALLOW);
		assert_int_equal(verdict(&f, b64, and_nr, 1, 0), ERRNO(EPERM));
		assert_int_equal(verdict(&f, b64, and_nr, 500, 1337), ERRNO(EPERM));
		assert_int_equal(verdict(&f, b64, or_nr, 100, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(verdict(&f, b64, or_nr, 9001, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(verdict(&f, b64, or_nr, 0, 0), ERRNO(EPERM));
	}
	assert_int_equal(verdict(&f, b64, 457, 3, 0), ERRNO(ENOANO));
	assert_int_equal(verdict(&f, b64, 471, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(&f, b64, 469, 0, 0), ERRNO(EPERM)); /* between named ones */
}

static void new_calls_on_all_arches(void **state)
{
	struct oci_seccomp_arg arg = { 0, 0x100000001, 0, SCMP_CMP_EQ };
	struct oci_seccomp_rule rules[] = {
		{ .names = NAMES("read"), .action = SECCOMP_RET_ERRNO },
		{ .names = NAMES("fchmodat2", "cachestat"), .action = SECCOMP_RET_ERRNO },
		{ .names = NAMES("mseal"), .action = SECCOMP_RET_TRAP, .args = &arg, .nr_args = 1 },
	};
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_ALLOW,
		.arches = x86_arches,
		.nr_arches = 3,
		.rules = rules,
		.nr_rules = ARRAY_LEN(rules),
	};

	(void) state;
	skip_other_machines();
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);
	const struct {
		uint32_t arch;
		int bit;
	} abi[] = { { AUDIT_ARCH_X86_64, 0 }, { AUDIT_ARCH_I386, 0 }, { AUDIT_ARCH_X86_64, X32_BIT } };

	for (size_t i = 0; i < ARRAY_LEN(abi); i++) {
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 451, 0, 0), ERRNO(EPERM));
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 452, 0, 0), ERRNO(EPERM));
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 453, 0, 0),
				 SECCOMP_RET_ALLOW);
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 462, 0x100000001, 0),
				 SECCOMP_RET_TRAP);
		/* a 32-bit argument has no upper half */
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 462, 1, 0),
				 i == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_TRAP);
		assert_int_equal(verdict(&f, abi[i].arch, abi[i].bit | 500, 0, 0),
				 SECCOMP_RET_ALLOW);
	}
}

/* Every number the library knows gets the same verdict from a tree as from a list */
static void large_profile(void **state)
{
	char *names[451];
	size_t n = 0;

	(void) state;
	skip_other_machines();
	for (int nr = 0; nr <= 450; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name != NULL && nr % 3 != 0)
			names[n++] = name;
		else
			free(name);
	}
	struct oci_seccomp_rule rule = { .names = { names, n }, .action = SECCOMP_RET_ALLOW };
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_ERRNO,
		.arches = x86_arches,
		.nr_arches = 3,
		.rules = &rule,
		.nr_rules = 1,
	};
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);

	for (int nr = 0; nr <= 450; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		assert_int_equal(verdict(&f, AUDIT_ARCH_X86_64, nr, 0, 0),
				 name != NULL && nr % 3 != 0 ? SECCOMP_RET_ALLOW :
				 nr > seccomp_nr(SCMP_ARCH_X86_64, names[n - 1]) ? ERRNO(ENOSYS) :
										   ERRNO(EPERM));
		free(name);
	}
	while (n > 0)
		free(names[--n]);
}

/* The program that the library makes of a profile without new calls. */
static struct oci_filter library_compile(const struct oci_seccomp *s)
{
	scmp_filter_ctx ctx = seccomp_init(seccomp_default_action(s));
	_cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	struct oci_filter f = { 0 };
	struct stat st;

	assert_non_null(ctx);
	for (size_t i = 0; i < s->nr_arches; i++)
		(void) seccomp_arch_add(ctx, s->arches[i]); /* the native one is there */
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct oci_seccomp_rule *r = &s->rules[i];
		struct scmp_arg_cmp args[6];

		for (size_t k = 0; k < r->nr_args; k++)
			args[k] = (struct scmp_arg_cmp) { r->args[k].index,
							  (enum scmp_compare) r->args[k].op,
							  r->args[k].value, r->args[k].value_two };
		for (size_t k = 0; k < r->names.n; k++)
			assert_int_equal(seccomp_rule_add_array(
						 ctx, seccomp_rule_action(r),
						 seccomp_syscall_resolve_name(r->names.v[k]),
						 (unsigned) r->nr_args, args), 0);
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(fstat(fd, &st), 0);
	f.len = (unsigned short) ((size_t) st.st_size / sizeof(*f.prog));
	f.prog = malloc((size_t) st.st_size);
	assert_int_equal(pread(fd, f.prog, (size_t) st.st_size, 0), st.st_size);
	return f;
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

/*
 * libseccomp 2.5.4 forgets, in some programs for x86_64 and x32, to load the number before it compares
 * it: after "load architecture, is it x86_64?" comes another comparison.
 */
static bool library_erred(const struct oci_filter *f)
{
	return f->prog[1].k == AUDIT_ARCH_X86_64 && BPF_CLASS(f->prog[2].code) != BPF_LD;
}

#define RANDOM_RULES 12
#define RANDOM_ROUNDS 150

/* Profiles of random calls, conditions and values: our verdicts are those of the library's program. */
static void same_as_library(void **state)
{
	static const uint64_t values[] = { 0, 1, 2, 5, 0xffffffff, 0x100000001, UINT64_MAX };
	static const int ops[] = { SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,	 SCMP_CMP_EQ,
				   SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ };
	unsigned seed = 1;
	int compared = 0;

	(void) state;
	skip_other_machines();
	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		struct oci_seccomp_rule rules[RANDOM_RULES];
		struct oci_seccomp_arg args[RANDOM_RULES][2];
		char *names[RANDOM_RULES];
		struct oci_seccomp s = {
			.default_action = SECCOMP_RET_ALLOW,
			.arches = x86_arches,
			.nr_arches = 1 + next_random(&seed) % 3,
			.rules = rules,
		};

		while (s.nr_rules < RANDOM_RULES) {
			struct oci_seccomp_rule *r = &rules[s.nr_rules];
			struct oci_seccomp_arg *a = args[s.nr_rules];
			uint32_t arch = next_random(&seed) % 2 ? SCMP_ARCH_X86_64 : SCMP_ARCH_X86;
			char *name = seccomp_syscall_resolve_num_arch(
				arch, (int) (next_random(&seed) % 451));
			bool known = name == NULL;

			/* overlapping rules have an order of their own in each */
			for (size_t i = 0; i < s.nr_rules && !known; i++)
				known = strcmp(names[i], name) == 0;
			if (known) {
				free(name);
				continue;
			}
			names[s.nr_rules] = name;
			*r = (struct oci_seccomp_rule) { .names = { &names[s.nr_rules], 1 },
							 .action = SECCOMP_RET_ERRNO,
							 .args = a,
							 .nr_args = next_random(&seed) % 3 };
			for (uint32_t i = 0; i < 2; i++)
				a[i] = (struct oci_seccomp_arg) {
					.index = i,
					.value = values[next_random(&seed) % ARRAY_LEN(values)],
					.value_two = values[next_random(&seed) % ARRAY_LEN(values)],
					.op = ops[next_random(&seed) % ARRAY_LEN(ops)],
				};
			s.nr_rules++;
		}
		_cleanup_(oci_filter_fini) struct oci_filter ours = compile(&s);
		_cleanup_(oci_filter_fini) struct oci_filter theirs = library_compile(&s);
		static const struct {
			uint32_t arch;
			int bit;
		} abi[] = { { AUDIT_ARCH_X86_64, 0 }, { AUDIT_ARCH_X86_64, X32_BIT },
			    { AUDIT_ARCH_I386, 0 }, { AUDIT_ARCH_ARM, 0 } };

		for (size_t i = 0; i < ARRAY_LEN(abi) && !library_erred(&theirs); i++)
			for (int nr = -1; nr < 452; nr++) {
				uint64_t a0 = values[next_random(&seed) % ARRAY_LEN(values)];
				uint64_t a1 = values[next_random(&seed) % ARRAY_LEN(values)];

				if (nr == 102 || nr == 117)
					a0 = next_random(&seed) % 26;
				if (verdict(&ours, abi[i].arch, abi[i].bit | nr, a0, a1) !=
				    verdict(&theirs, abi[i].arch, abi[i].bit | nr, a0, a1))
					fail_msg("round %d: arch %x nr %d args %llx %llx", round,
						 abi[i].arch, abi[i].bit | nr,
						 (unsigned long long) a0, (unsigned long long) a1);
			}
		compared += !library_erred(&theirs);
		while (s.nr_rules > 0)
			free(names[--s.nr_rules]);
	}
	assert_true(compared > RANDOM_ROUNDS / 2);
}

static void refusals(void **state)
{
	struct oci_seccomp_arg arg = { 6, 0, 0, SCMP_CMP_EQ };
	struct oci_seccomp_rule notify_write = { .names = NAMES("write"),
						 .action = SECCOMP_RET_USER_NOTIF };
	struct oci_seccomp_rule notify = { .names = NAMES("mkdir"), .action = SECCOMP_RET_USER_NOTIF };
	struct oci_seccomp_rule bad_arg = { .names = NAMES("mkdir"), .action = SECCOMP_RET_TRAP,
					    .args = &arg, .nr_args = 1 };
	const struct {
		struct oci_seccomp s;
		const char *text;
	} cases[] = {
		{ { .default_action = SECCOMP_RET_USER_NOTIF }, "as default action" },
		{ { .default_action = SECCOMP_RET_ALLOW, .rules = &notify_write, .nr_rules = 1,
		    .listener_path = "/x" }, "cannot be used for the write syscall" },
		{ { .default_action = SECCOMP_RET_ALLOW, .rules = &notify, .nr_rules = 1,
		    .listener_path = "" }, "listenerPath is not set" },
		{ { .default_action = SECCOMP_RET_ALLOW, .rules = &bad_arg, .nr_rules = 1 },
		  "index is 6, limit 5" },
		{ { .default_action = SECCOMP_RET_ALLOW, .arches = (uint32_t[]) { 12345 },
		    .nr_arches = 1 }, "architecture 0x3039" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oci_filter f = { 0 };
		struct err err = { 0 };

		assert_int_equal(oci_seccomp_compile(&cases[i].s, -EBADF, &f, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_null(f.prog);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allow_list),
		cmocka_unit_test(native_only),
		cmocka_unit_test(default_errno_and_allow),
		cmocka_unit_test(argument_operators),
		cmocka_unit_test(several_arguments),
		cmocka_unit_test(new_calls_on_all_arches),
		cmocka_unit_test(large_profile),
		cmocka_unit_test(same_as_library),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
