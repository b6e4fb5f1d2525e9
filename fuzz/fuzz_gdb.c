/* SPDX-License-Identifier: MIT */
/**
 * DOC: a hostile debugger
 *
 * The input is what somebody sends to a machine's debugger socket; a byte 0xFF between packets is a processor that
 * meets a breakpoint.  The machine is memory and registers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz.h"
#include "vmm/accel/accel.h"
#include "vmm/debug/gdb.h"

#define CPUS 3
#define MEMORY 0x8000u
#define ANSWER_MAX (1u << 20)

/** struct target - processor 1 has tables of 4 levels from address 0 on, in memory that can be written */
struct target {
	uint8_t memory[MEMORY];
	struct accel_regs regs[CPUS];
	bool running;
};

static uint8_t *memory(void *target, uint64_t gpa, uint64_t len)
{
	struct target *t = target;

	return gpa < MEMORY && len <= MEMORY - gpa ? t->memory + gpa : NULL;
}

static int regs_read(void *target, unsigned cpu, struct accel_regs *ret)
{
	struct target *t = target;

	if (t->running || cpu >= CPUS)
		abort();
	*ret = t->regs[cpu];
	return 0;
}

static int regs_write(void *target, unsigned cpu, const struct accel_regs *regs)
{
	struct target *t = target;

	if (t->running || cpu >= CPUS)
		abort();
	t->regs[cpu] = *regs;
	return 0;
}

static int debug(void *target, unsigned cpu, const struct accel_debug *d)
{
	const struct target *t = target;

	if (t->running || cpu >= CPUS || d->nr > ACCEL_BREAKS_MAX)
		abort();
	return 0;
}

static void go(void *target, const bool *hold)
{
	(void) hold;
	((struct target *) target)->running = true;
}

static void stop(void *target)
{
	((struct target *) target)->running = false;
}

static void end(void *target)
{
	(void) target;
}

static const struct gdb_ops ops = { memory, regs_read, regs_write, debug, go, stop, end };

static void meet(struct target *t, struct gdb *g, struct str *out)
{
	struct accel_exit hit = { .kind = ACCEL_EXIT_DEBUG, .stop = ACCEL_STOP_BREAK };

	t->running = false;
	gdb_stopped(g, CPUS - 1, &hit, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target *t = calloc(1, sizeof(*t));
	struct gdb *g = calloc(1, sizeof(*g));
	struct str out = { 0 };
	int r = 0;

	if (t == NULL || g == NULL)
		abort();
	t->regs[1] = (struct accel_regs) { .cr0 = 1ull << 31, .cr4 = 1 << 5, .efer = 1 << 10 };
	memcpy(t->memory, "\x03\x00\x00\x00\x00\x00\x00\x00\x83", 9); /* the first entry leads back to the table */
	gdb_attach(g, &ops, t, CPUS);
	for (size_t i = 0; i < size && r == 0 && out.len < ANSWER_MAX; i++) {
		if (data[i] == 0xFF && t->running)
			meet(t, g, &out);
		else
			r = gdb_input(g, data + i, 1, &out);
	}
	gdb_detach(g);
	if (!t->running || g->breaks.nr_sw != 0)
		abort();
	str_fini(&out);
	free(g);
	free(t);
	return 0;
}
