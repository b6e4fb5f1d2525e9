/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/core/bytes.h"
#include "vmm/debug/gdb.h"
#include "vmm/debug/regs.h"
#include "vmm/debug/rsp.h"
#include "vmm/debug/walk.h"

#define MEMORY 0x10000u

/** struct fake - a machine of two processors that notes what it is told */
struct fake {
	uint8_t memory[MEMORY];
	struct accel_regs regs[2];
	struct accel_debug debug[2];
	bool hold[2], running, killed;
	int refuse;
};

static uint8_t *fake_memory(void *target, uint64_t gpa, uint64_t len)
{
	struct fake *f = target;

	return gpa < MEMORY && len <= MEMORY - gpa ? f->memory + gpa : NULL;
}

static int fake_regs_read(void *target, unsigned cpu, struct accel_regs *ret)
{
	*ret = ((struct fake *) target)->regs[cpu];
	return 0;
}

static int fake_regs_write(void *target, unsigned cpu, const struct accel_regs *regs)
{
	((struct fake *) target)->regs[cpu] = *regs;
	return 0;
}

static int fake_debug(void *target, unsigned cpu, const struct accel_debug *debug)
{
	struct fake *f = target;

	f->debug[cpu] = *debug;
	return debug->nr > 0 ? f->refuse : 0;
}

static void fake_go(void *target, const bool *hold)
{
	struct fake *f = target;

	memcpy(f->hold, hold, sizeof(f->hold));
	f->running = true;
}

static void fake_stop(void *target)
{
	((struct fake *) target)->running = false;
}

static void fake_kill(void *target)
{
	((struct fake *) target)->killed = true;
}

static const struct gdb_ops fake_ops = {
	.memory = fake_memory,
	.regs_read = fake_regs_read,
	.regs_write = fake_regs_write,
	.debug = fake_debug,
	.go = fake_go,
	.stop = fake_stop,
	.kill = fake_kill,
};

/** struct session - the debugger's side */
struct session {
	struct fake fake;
	struct gdb gdb;
};

static int setup(void **state)
{
	struct session *s = calloc(1, sizeof(*s));
	struct str out = { 0 };

	assert_non_null(s);
	gdb_attach(&s->gdb, &fake_ops, &s->fake, 2);
	assert_int_equal(gdb_input(&s->gdb, "$QStartNoAckMode#b0", 19, &out), 0);
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.p, "+$OK#9a", 7);
	str_fini(&out);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Send a packet's content, expect that of an answer; NULL: none. */
static void ask(struct session *s, const char *packet, const char *answer)
{
	_cleanup_(str_fini) struct str in = { 0 }, out = { 0 }, want = { 0 };

	rsp_put(&in, packet, strlen(packet));
	assert_int_equal(gdb_input(&s->gdb, in.p, in.len, &out), 0);
	if (answer != NULL)
		rsp_put(&want, answer, strlen(answer));
	str_add(&out, "", 1);
	str_add(&want, "", 1);
	assert_string_equal(out.p, want.p);
}

static enum rsp_event feed(struct rsp *r, const char *text, size_t len)
{
	enum rsp_event last = RSP_NOTHING;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(last, RSP_NOTHING); /* only the last byte completes something */
		last = rsp_byte(r, (uint8_t) text[i]);
	}
	return last;
}

static void test_packets(void **state)
{
	_cleanup_free_ struct rsp *r = calloc(1, sizeof(*r));
	_cleanup_(str_fini) struct str out = { 0 };
	const char *at = "10000000000000000", *digits = "aB3";
	uint64_t n;
	uint8_t bytes[2];

	(void) state;
	assert_non_null(r);
	assert_int_equal(feed(r, "+$abc#26", 8), RSP_PACKET);
	assert_string_equal(r->data, "abc");
	assert_int_equal(feed(r, "$abc#27", 7), RSP_DAMAGED);
	assert_int_equal(feed(r, "$abc#x", 6), RSP_DAMAGED);
	assert_int_equal(feed(r, "+-\x03", 3), RSP_INTERRUPT);
	assert_int_equal(feed(r, "$#00", 4), RSP_PACKET);
	assert_int_equal(r->len, 0);
	rsp_put(&out, "a#$}*\0z", 7);
	assert_int_equal(feed(r, out.p, out.len), RSP_PACKET);
	assert_int_equal(r->len, 7);
	assert_memory_equal(r->data, "a#$}*\0z", 7);
	assert_int_equal(rsp_byte(r, '$'), RSP_NOTHING);
	for (unsigned i = 0; i < RSP_PACKET_MAX; i++)
		assert_int_equal(rsp_byte(r, 'x'), RSP_NOTHING);
	assert_int_equal(rsp_byte(r, 'x'), RSP_TOO_LONG);
	assert_false(rsp_number(&at, &n));
	at++;
	assert_true(rsp_number(&at, &n));
	assert_true(n == 0 && *at == '\0');
	assert_false(rsp_number(&at, &n));
	assert_false(rsp_bytes(&digits, bytes, 2));
	assert_true(rsp_bytes(&digits, bytes, 1));
	assert_int_equal(bytes[0], 0xAB);
}

static void test_registers(void **state)
{
	_cleanup_(str_fini) struct str text = { 0 }, xml = { 0 };
	struct accel_regs regs = { 0 }, copy;
	const char *at;
	unsigned n = 0;

	(void) state;
	for (size_t i = 0; i < sizeof(regs); i++)
		((uint8_t *) &regs)[i] = (uint8_t) (i * 7 + 1);
	for (unsigned i = 0; i < regs_count(); i++)
		regs_put(&text, &regs, i);
	str_add(&text, "", 1);
	copy = regs;
	memset(copy.gpr, 0, sizeof(copy.gpr));
	memset(copy.fx + 32, 0, 10);
	memset(copy.fx + 160, 0, 256);
	copy.rip = copy.fs_base = copy.kernel_gs_base = 0;
	copy.fx[4] = 0;
	at = text.p;
	for (unsigned i = 0; i < regs_count(); i++)
		assert_int_equal(regs_take(&at, &copy, i), 0);
	assert_int_equal(*at, '\0');
	assert_memory_equal(&copy, &regs, sizeof(regs));
	regs_xml(&xml);
	str_add(&xml, "", 1);
	for (at = xml.p; (at = strstr(at, "<reg ")) != NULL; at++)
		n++;
	assert_int_equal(n, regs_count());
	assert_int_equal(regs_take(&(const char *) { "00" }, &copy, 0), -EINVAL);
	assert_int_equal(regs_take(&(const char *) { "00000000" }, &copy, 18), -EPERM); /* CS */
	assert_int_equal(regs_take(&(const char *) { "" }, &copy, regs_count()), -EINVAL);
}

static void put_entry(struct fake *f, uint64_t at, uint64_t value)
{
	memcpy(f->memory + at, &value, sizeof(value));
}

static uint64_t walked(struct fake *f, const struct accel_regs *r, uint64_t lin)
{
	uint64_t gpa;

	return walk(r, fake_memory, f, lin, &gpa) == 0 ? gpa : UINT64_MAX;
}

static void test_walk(void **state)
{
	_cleanup_free_ struct fake *f = calloc(1, sizeof(*f));
	struct accel_regs r = { .cr0 = 1 };
	uint32_t large = 0x00C02083; /* 4 MiB at 0x1_00C0_0000: bit 13 is address bit 32 */

	(void) state;
	assert_non_null(f);
	assert_int_equal(walked(f, &r, 0x1234), 0x1234);
	r = (struct accel_regs) { .cr0 = 1ull << 31, .cr3 = 0x1000, .cr4 = 1 << 5, .efer = 1 << 10 };
	put_entry(f, 0x1000 + 511 * 8, 0x2003);
	put_entry(f, 0x2000 + 510 * 8, 0x3003);
	put_entry(f, 0x2000 + 511 * 8, 0x40000083); /* 1 GiB */
	put_entry(f, 0x3000 + 8 * 8, 0x8000000001200083); /* 2 MiB, no code */
	put_entry(f, 0x3000 + 9 * 8, 0x4003);
	put_entry(f, 0x4000 + 5 * 8, 0x5003);
	put_entry(f, 0x3000 + 10 * 8, 0xFFFFFFFFFF003); /* a table that is not in memory */
	assert_int_equal(walked(f, &r, 0xFFFFFFFF81012345), 0x1212345);
	assert_int_equal(walked(f, &r, 0xFFFFFFFF81205678), 0x5678);
	assert_int_equal(walked(f, &r, 0xFFFFFFFFC1234567), 0x41234567);
	assert_true(walked(f, &r, 0xFFFFFFFF81206000) == UINT64_MAX);
	assert_true(walked(f, &r, 0xFFFFFFFF81400000) == UINT64_MAX);
	assert_true(walked(f, &r, 0) == UINT64_MAX);
	r.cr4 |= 1 << 12; /* five levels */
	r.cr3 = 0x6000;
	put_entry(f, 0x6000 + 511 * 8, 0x1003);
	assert_int_equal(walked(f, &r, 0xFFFFFFFF81012345), 0x1212345);
	r = (struct accel_regs) { .cr0 = 1ull << 31, .cr3 = 0x7020, .cr4 = 1 << 5 }; /* PAE */
	put_entry(f, 0x7020 + 3 * 8, 0x8001);
	put_entry(f, 0x8000 + 4 * 8, 0x600083);
	assert_int_equal(walked(f, &r, 0xC0812345), 0x612345);
	assert_int_equal(walked(f, &r, 0xFFFFFFFFC0812345), 0x612345);
	r = (struct accel_regs) { .cr0 = 1ull << 31, .cr3 = 0x9000, .cr4 = 1 << 4 };
	memcpy(f->memory + 0x9000 + 3 * 4, &large, 4);
	put_entry(f, 0x9000 + 4 * 4, 0xA003);
	put_entry(f, 0xA000, 0xB003);
	assert_int_equal(walked(f, &r, 0xC12345), 0x100C12345);
	assert_int_equal(walked(f, &r, 0x1000123), 0xB123);
	r.cr4 = 0; /* the same bit is ignored */
	assert_true(walked(f, &r, 0xC12345) == UINT64_MAX);
}

static void test_memory(void **state)
{
	struct session *s = *state;
	uint8_t *m = s->fake.memory;

	m[0x100] = 0x12;
	m[0x101] = 0x34;
	ask(s, "m100,2", "1234");
	ask(s, "mffff,2", "00"); /* what is there of it */
	ask(s, "m10000,1", "E0e");
	ask(s, "m,1", "E16");
	ask(s, "M100,2:5678", "OK");
	ask(s, "M100,2:56", "E16");
	ask(s, "Mffff,2:5678", "E0e");
	assert_int_equal(m[0xFFFF], 0); /* nothing of it */
	ask(s, "X102,3:a#b", "OK");
	assert_memory_equal(m + 0x100, "\x56\x78" "a#b", 5);
	ask(s, "X102,3:ab", "E16");
}

static void test_breaks(void **state)
{
	struct session *s = *state;
	struct accel_exit hit = { .kind = ACCEL_EXIT_DEBUG, .stop = ACCEL_STOP_INT3, .addr = 0x200 };
	_cleanup_(str_fini) struct str out = { 0 };
	uint8_t *m = s->fake.memory;

	m[0x200] = 0x90;
	ask(s, "Z0,200,1", "OK");
	ask(s, "Z0,200,1", "OK");
	assert_int_equal(m[0x200], 0xCC);
	ask(s, "m200,1", "90");
	ask(s, "M200,1:91", "OK");
	assert_int_equal(m[0x200], 0xCC);
	ask(s, "vCont;c", NULL);
	assert_true(s->fake.running && s->fake.debug[0].on && s->fake.debug[1].code_changed && !s->fake.debug[0].step);
	ask(s, "g", "E10");
	gdb_stopped(&s->gdb, 1, &hit, &out);
	str_add(&out, "", 1);
	assert_string_equal(out.p, "$T05swbreak:;thread:2;#3c");
	ask(s, "qC", "QC2");
	ask(s, "z0,200,1", "OK");
	assert_int_equal(m[0x200], 0x91);
	ask(s, "Z0,20000,1", "E0e");
	ask(s, "Z1,200,1", "OK");
	assert_int_equal(s->fake.debug[1].nr, 1);
	ask(s, "Z2,208,8", "OK");
	ask(s, "Z2,208,0", "E16");
	ask(s, "Z2,fffffffffffffffe,4", "E16");
	ask(s, "Z2,209,8", "E1c"); /* 1, 2, 4 and 1 bytes */
	assert_int_equal(s->fake.debug[1].nr, 2);
	ask(s, "Z2,20a,6", "OK");
	assert_int_equal(s->fake.debug[1].nr, 4);
	assert_int_equal(s->fake.debug[1].at[2].addr, 0x20a);
	assert_int_equal(s->fake.debug[1].at[2].len, 2);
	assert_int_equal(s->fake.debug[1].at[3].addr, 0x20c);
	assert_int_equal(s->fake.debug[1].at[3].len, 4);
	ask(s, "z2,20a,6", "OK");
	ask(s, "Z3,208,8", "");
	ask(s, "z1,200,1", "OK");
	s->fake.refuse = -EOPNOTSUPP;
	ask(s, "Z4,300,4", "");
	ask(s, "z2,208,8", "OK");
	ask(s, "Z0,200,1", "OK");
	m[0x200] = 0x55; /* the guest loads something else there */
	gdb_detach(&s->gdb);
	assert_int_equal(m[0x200], 0x55);
	assert_true(s->fake.running && !s->fake.debug[0].on);
}

static void test_threads(void **state)
{
	struct session *s = *state;
	_cleanup_(str_fini) struct str out = { 0 };

	ask(s, "?", "T05thread:1;");
	ask(s, "qfThreadInfo", "m1,2");
	ask(s, "qsThreadInfo", "l");
	ask(s, "qThreadExtraInfo,2", "70726f636573736f722031");
	ask(s, "T2", "OK");
	ask(s, "T3", "E03");
	ask(s, "Hg2", "OK");
	ask(s, "Hg3", "E16");
	ask(s, "P10=8877665544332211", "OK");
	ask(s, "p10", "8877665544332211");
	ask(s, "pfff", "E16");
	assert_true(s->fake.regs[1].rip == 0x1122334455667788 && s->fake.regs[0].rip == 0);
	ask(s, "vCont;s:2;x", "E16");
	ask(s, "vCont;s:3", "E16");
	ask(s, "vCont;s:2", NULL);
	assert_true(s->fake.hold[0] && !s->fake.hold[1] && s->fake.debug[1].step);
	assert_int_equal(gdb_input(&s->gdb, "\x03", 1, &out), 0);
	assert_false(s->fake.running);
	str_add(&out, "", 1);
	assert_string_equal(out.p, "$T02thread:2;#d5");
	ask(s, "vCont;S05:1;C02", NULL);
	assert_true(!s->fake.hold[0] && !s->fake.hold[1] && s->fake.debug[0].step && !s->fake.debug[1].step);
	ask(s, "vCont;c", "E10"); /* it runs */
	ask(s, "qAttached", "1");
	ask(s, "vUnknown", "");
	ask(s, "vKill;1", "OK");
	assert_true(s->fake.killed);
}

static void test_detach(void **state)
{
	struct session *s = *state;
	_cleanup_(str_fini) struct str out = { 0 };

	ask(s, "Hc2", "OK");
	ask(s, "s1234", NULL);
	assert_true(s->fake.hold[0] && s->fake.regs[1].rip == 0x1234);
	gdb_exited(&s->gdb, &out);
	assert_int_equal(gdb_input(&s->gdb, "$D#44", 5, &out), 1);
	str_add(&out, "", 1);
	assert_string_equal(out.p, "$W00#b7$OK#9a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_walk),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_breaks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
