/* SPDX-License-Identifier: MIT */
/*
 * What a debugger wants and is told: gdb's remote protocol above packets, for processors that are its threads.
 *
 * All of them run or none does.  Knows no socket and no machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/debug/breaks.h"
#include "vmm/debug/rsp.h"

struct str;

/** enum gdb_action - what a processor does next; for all that stand still while others run: GDB_HOLD */
enum gdb_action { GDB_HOLD, GDB_CONTINUE, GDB_STEP };

/**
 * struct gdb_ops - who is debugged
 * @memory: host address of guest memory, NULL: it is not there
 * @regs_read, @regs_write, @debug: as in struct accel_ops, of a processor that stands still
 * @go: let processors run but for those that @hold says
 * @stop: wait until none of them runs
 * @kill: it is to end
 */
struct gdb_ops {
	uint8_t *(*memory)(void *target, uint64_t gpa, uint64_t len);
	int (*regs_read)(void *target, unsigned cpu, struct accel_regs *ret);
	int (*regs_write)(void *target, unsigned cpu, const struct accel_regs *regs);
	int (*debug)(void *target, unsigned cpu, const struct accel_debug *debug);
	void (*go)(void *target, const bool *hold);
	void (*stop)(void *target);
	void (*kill)(void *target);
};

/**
 * struct gdb - a debugger that is connected
 * @nr_cpus: processors; threads are their numbers + 1
 * @general, @stepping: processors that "H" chose for registers and memory, and for "c" and "s"
 * @running: nothing is asked; it waits to be told of a stop
 * @no_ack: packets are not acknowledged any more
 */
struct gdb {
	const struct gdb_ops *ops;
	void *target;
	unsigned nr_cpus, general, stepping;
	bool running, no_ack;
	struct breaks breaks;
	struct rsp rsp;
};

/** gdb_attach() - begin; the target stands still.  @g is cleared */
void gdb_attach(struct gdb *g, const struct gdb_ops *ops, void *target, unsigned nr_cpus);

/**
 * gdb_input() - bytes that came
 * @out: answers are appended
 * Return: 0; 1 the debugger lets go (answered; gdb_detach() is up to the caller); -EPROTO nothing that comes makes sense.
 */
int gdb_input(struct gdb *g, const void *data, size_t len, struct str *out);

/** gdb_stopped() - all stand still since @cpu met something; told if it waits for that */
void gdb_stopped(struct gdb *g, unsigned cpu, const struct accel_exit *e, struct str *out);

/** gdb_exited() - there is nothing to debug any more */
void gdb_exited(struct gdb *g, struct str *out);

/** gdb_detach() - take breakpoints away, let the target run as if nothing had been */
void gdb_detach(struct gdb *g);
