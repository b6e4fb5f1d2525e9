/* SPDX-License-Identifier: MIT */
/* A guest that is moved from one accelerator to another and back after each of its rounds, and does not notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/accel/state.h"
#include "vmm/accel/state_guest.h"
#include "vmm/core/gmem.h"

#define MEMORY (32ull << 20)
#define KICK_MS 50
#define WAIT_STAMPS (1ull << 30) /* how long the guest waits for its timer in the end */

#define XS_FOP 6
#define XS_MXCSR 24
#define XS_MXCSR_MASK 28
#define XS_ST 32
#define XS_HEADER 512
#define XS_YMM 576
#define APIC_VERSION 0x30
#define APIC_APR 0x90
#define APIC_CURRENT 0x390

extern const uint8_t state_guest[], state_guest_end[], state_guest_interrupt[], state_guest_timer[], state_guest_fault[];

/** struct side - one accelerator with its only processor; @name: as after --accel, @how: as after --soft */
struct side {
	const char *name, *how;
	const struct accel_ops *ops;
	struct accel *accel;
	struct accel_vcpu *vcpu;
};

/** struct blocks - what the guest noted in each round */
struct blocks {
	uint8_t round[ROUNDS][BLOCK_SIZE];
};

static struct gmem memory;

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

static void put(uint64_t at, uint64_t value)
{
	memcpy(memory.region[0].host + at, &value, sizeof(value));
}

static void put_gate(unsigned vector, const uint8_t *handler)
{
	uint64_t to = CODE + (uint64_t) (handler - state_guest);

	put(IDT + vector * 16, (to & 0xFFFF) | (uint64_t) SEL_CODE << 16 | 0x8E00ull << 32 | to >> 16 << 48);
	put(IDT + vector * 16 + 8, to >> 32);
}

/* Bits of XCR0 that processors in software have here. */
static uint32_t components(void)
{
	uint32_t a = 0, d = 0;

	if (__builtin_cpu_supports("avx"))
		__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (a & 0xE6) == 0xE6 ? 0xE7 : (a & 6) == 6 ? 7 : 3;
}

static void prepare_memory(unsigned level, uint32_t xcr0)
{
	uint8_t *m = memory.region[0].host;

	memset(m, 0, 1 << 20);
	memcpy(m + CODE, state_guest, (size_t) (state_guest_end - state_guest));
	put(TABLES, (TABLES + 0x1000) | 3);
	put(TABLES + 0x1000, (TABLES + 0x2000) | 3);
	put(TABLES + 0x2000, 0x83);
	put(GDT + SEL_CODE, 0x00AF9B000000FFFF);
	put(GDT + SEL_DATA, 0x00CF93000000FFFF);
	put(GDT + SEL_TSS, (uint64_t) (TSS & 0xFFFFFF) << 16 | 0x67 | 0x89ull << 40);
	put(GDT_POINTER, (uint64_t) GDT << 16 | (SEL_TSS + 15));
	put(IDT_POINTER, (uint64_t) IDT << 16 | 0x3FF);
	for (unsigned vector = 0; vector < 32; vector++)
		put_gate(vector, state_guest_fault);
	put_gate(INTERRUPT_VECTOR, state_guest_interrupt);
	put_gate(TIMER_VECTOR, state_guest_timer);
	for (unsigned i = 0; i < 2688; i++)
		m[SOURCE + i] = (uint8_t) (i * 37 + i / 256);
	put(SOURCE, 0xFF0000002800027F | (uint64_t) 0xFF << 32); /* control, status with a top, all registers in use */
	put(SOURCE + 8, 0);
	put(SOURCE + 16, 0);
	put(SOURCE + XS_MXCSR, 0xFFFF00003F80);
	memset(m + SOURCE + XS_HEADER, 0, XS_YMM - XS_HEADER);
	put(SOURCE + XS_HEADER, xcr0);
	m[SOURCE + 5] = 0;
	m[SOURCE + 6] = m[SOURCE + 7] = 0;
	put(LEVEL, level);
	put(COMPONENTS, xcr0);
	put(WAIT, WAIT_STAMPS);
}

static void side_open(struct side *s)
{
	const struct accel_config conf = { .nr_cpus = 1, .soft = s->how };
	struct err err = { 0 };

	s->ops = accel_find(s->name);
	assert_non_null(s->ops);
	must(s->ops->open(&memory, &conf, &s->accel, &err), &err);
	must(s->ops->vcpu_new(s->accel, 0, &s->vcpu, &err), &err);
	must(s->ops->reset(s->accel, &err), &err);
}

static void fail_fault(struct side *s)
{
	struct accel_regs regs;
	uint64_t at[2];

	assert_int_equal(s->ops->regs_read(s->vcpu, &regs), 0);
	memcpy(at, memory.region[0].host + regs.gpr[4], sizeof(at));
	fail_msg("%s: an exception; on its stack are %#llx, %#llx", s->name, (unsigned long long) at[0], (unsigned long long) at[1]);
}

/* Until it writes to a port, which is returned, or is kicked: 0. */
static uint64_t run(struct side *s)
{
	struct accel_exit e;
	struct err err = { 0 };

	must(s->ops->vcpu_run(s->vcpu, &e, &err), &err);
	if (e.kind == ACCEL_EXIT_KICKED)
		return 0;
	if (e.kind != ACCEL_EXIT_PIO || !e.write)
		fail_msg("%s: the guest stopped for reason %d", s->name, (int) e.kind);
	if (e.addr == FAULT_PORT)
		fail_fault(s);
	return e.addr;
}

static void begin(struct side *s)
{
	const struct accel_start start = { .mode = ACCEL_MODE_LONG64, .rip = CODE, .cr3 = TABLES, .gdt = GDT };
	struct err err = { 0 };

	must(s->ops->vcpu_start(s->vcpu, &start, &err), &err);
}

static void differs(const char *what, const uint8_t *a, const uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (a[i] != b[i])
			fail_msg("%s: byte %#zx is %#x, it was %#x", what, i, b[i], a[i]);
}

/* What processors may forget: pointers of x87, which depend on exceptions; which parts are in use. */
static void forget_xsave(uint8_t *area)
{
	memset(area + XS_FOP, 0, XS_MXCSR - XS_FOP);
	memset(area + XS_MXCSR_MASK, 0, 4);
	memset(area + XS_HEADER, 0, XS_YMM - XS_HEADER);
}

static void note(uint8_t *block, unsigned level)
{
	memcpy(block, memory.region[0].host + BLOCK, BLOCK_SIZE);
	if (level > 0)
		forget_xsave(block + NOTED_XSAVE - BLOCK);
	else
		memset(block + NOTED_IN_SERVICE - BLOCK, 0, 8); /* a KVM that only emulates forgets them */
}

static void compare(const struct accel_state *was, const struct accel_state *is)
{
	struct accel_state a = *was, b = *is;

	assert_true(b.tsc >= a.tsc);
	a.tsc = b.tsc;
	forget_xsave(a.xsave);
	forget_xsave(b.xsave);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *apic = i == 0 ? a.apic : b.apic;

		memset(apic + APIC_VERSION, 0, 4);
		memset(apic + APIC_APR, 0, 0x20); /* APR, PPR */
		memset(apic + APIC_CURRENT, 0, 4);
	}
	differs("state", (uint8_t *) &a, (uint8_t *) &b, sizeof(a));
}

/* From one to the other, which then has what was there, unless a timer @fires meanwhile. */
static void move(struct side *from, struct side *to, bool fires)
{
	struct accel_state *was = calloc(1, sizeof(*was)), *is = calloc(1, sizeof(*is));
	struct err err = { 0 };

	must(from->ops->state_read(from->vcpu, was, &err), &err);
	must(to->ops->state_write(to->vcpu, was, &err), &err);
	must(to->ops->state_read(to->vcpu, is, &err), &err);
	if (!fires)
		compare(was, is);
	free(was);
	free(is);
}

/** struct kicker - kicks @side until told to stop */
struct kicker {
	struct side *side;
	pthread_t thread;
	bool stop;
};

static void *kick(void *arg)
{
	struct kicker *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		(void) usleep(KICK_MS * 1000);
		k->side->ops->vcpu_kick(k->side->vcpu);
	}
	return NULL;
}

static uint64_t run_kicked(struct side *s)
{
	struct kicker k = { .side = s };
	uint64_t port;

	assert_int_equal(pthread_create(&k.thread, NULL, kick, &k), 0);
	port = run(s);
	__atomic_store_n(&k.stop, true, __ATOMIC_RELEASE);
	(void) pthread_join(k.thread, NULL);
	return port;
}

static void go(struct side side[2], unsigned level, struct blocks *ret)
{
	unsigned at = 0;
	uint64_t port;

	begin(&side[0]);
	for (unsigned n = 0; n < ROUNDS; n++) {
		do
			port = run(&side[at]);
		while (port == 0);
		assert_int_equal(port, ROUND_PORT);
		note(ret->round[n], level);
		move(&side[at], &side[!at], false);
		at = !at;
	}
	while ((port = run_kicked(&side[at])) != END_PORT) { /* it sleeps, and is moved all the time */
		assert_int_equal(port, 0);
		move(&side[at], &side[!at], true);
		at = !at;
	}
}

static void both(const char *const name[2], const char *const how[2], unsigned level, uint32_t xcr0, struct blocks *ret)
{
	struct side side[2] = { { .name = name[0], .how = how[0] }, { .name = name[1], .how = how[1] } };
	struct err err = { 0 };

	must(gmem_init(&memory, MEMORY, 0, &err), &err);
	prepare_memory(level, xcr0);
	side_open(&side[0]);
	side_open(&side[1]);
	go(side, level, ret);
	side[1].ops->close(side[1].accel);
	side[0].ops->close(side[0].accel);
	gmem_fini(&memory);
}

/* What is noted when it moves, beside what is when it stays with processors of one kind. */
static void between(const char *name, const char *how, unsigned level, uint32_t xcr0)
{
	static const char *const soft[2] = { "soft", "soft" }, *const interp[2] = { "interp,threads", "interp,threads" };
	/* first in software: a KVM in QEMU's emulation does not see its guest write XCR0 */
	const char *const names[2] = { "soft", name }, *const hows[2] = { "tlb,threads", how };
	struct blocks *was = calloc(1, sizeof(*was)), *is = calloc(1, sizeof(*is));

	both(soft, interp, level, xcr0, was);
	both(names, hows, level, xcr0, is);
	for (unsigned n = 0; n < ROUNDS; n++) {
		char what[32];

		(void) snprintf(what, sizeof(what), "round %u", n);
		assert_int_equal(is->round[n][0x3F8], n + 1);
		differs(what, was->round[n], is->round[n], BLOCK_SIZE);
	}
	free(was);
	free(is);
}

static void test_soft(void **state)
{
	(void) state;
	between("soft", "interp,threads", 1, components());
	between("soft", "tlb,threads", 1, 3);
	between("soft", "interp,threads", 0, 1);
}

static void test_kvm(void **state)
{
	const struct accel_ops *kvm = accel_find("kvm");
	struct err err = { 0 };

	(void) state;
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		printf("skip: no /dev/kvm\n");
		skip();
	}
	if (kvm->probe(true, &err) < 0) {
		printf("a KVM that only emulates: without XSAVE\n");
		between("kvm", NULL, 0, 1);
	} else {
		between("kvm", NULL, 1, components());
	}
}

/* What no processor can be, from a file that somebody wrote. */
static void test_wrong(void **state)
{
	struct side s = { .name = "soft", .how = "tlb,threads" };
	struct accel_state *good = calloc(1, sizeof(*good)), *bad = calloc(1, sizeof(*bad));
	struct err err = { 0 };

	(void) state;
	must(gmem_init(&memory, MEMORY, 0, &err), &err);
	prepare_memory(0, 1);
	side_open(&s);
	begin(&s);
	must(s.ops->state_read(s.vcpu, good, &err), &err);
#define WRONG(field, value, error)                                              \
	do {                                                                    \
		*bad = *good;                                                   \
		bad->field = (value);                                           \
		assert_int_equal(s.ops->state_write(s.vcpu, bad, &err), error); \
	} while (0)
	WRONG(version, 2, -EINVAL);
	WRONG(activity, 3, -EINVAL);
	WRONG(shadow, 3, -EINVAL);
	WRONG(nmi_pending, 3, -EINVAL);
	WRONG(rflags, 1ull << 32, -EINVAL);
	WRONG(xsave[XS_MXCSR + 3], 1, -EINVAL);
	WRONG(cr0, 0x80000010, -ENOTSUP);
	WRONG(cr3, 1ull << 60, -ENOTSUP);
	WRONG(cr4, 1ull << 40, -ENOTSUP);
	WRONG(efer, 0x100, -ENOTSUP);
	WRONG(efer, 0, -EINVAL); /* pointers to page directories with reserved bits */
	WRONG(xcr0, 4, -ENOTSUP);
	WRONG(apic_base, 0x400, -EINVAL);
	WRONG(apic[0x23], 5, -EINVAL);
	WRONG(msr[8], 1ull << 63, -ENOTSUP); /* LSTAR */
	WRONG(msr[ACCEL_STATE_MSRS - 1], 1, -ENOTSUP); /* nobody serves page faults here */
#undef WRONG
	must(s.ops->state_write(s.vcpu, good, &err), &err);
	while (run(&s) == 0)
		;
	s.ops->close(s.accel);
	gmem_fini(&memory);
	free(good);
	free(bad);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_soft),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_kvm),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
