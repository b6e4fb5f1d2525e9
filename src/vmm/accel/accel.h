/* SPDX-License-Identifier: MIT */
/*
 * Who executes the guest's instructions.  The rest of the machine knows this interface only.
 *
 * Life cycle: open (memory is there, devices are not), one vcpu_new per processor, then for each start:
 * reset, vcpu_start of the first processor, vcpu_run on one thread per processor until close.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/registry.h"

struct accel;
struct accel_vcpu;
struct err;
struct gmem;
struct str;

/** enum accel_exit_kind - why vcpu_run returned */
enum accel_exit_kind {
	ACCEL_EXIT_KICKED, /* accel_vcpu_kick(), or no reason at all */
	ACCEL_EXIT_PIO,
	ACCEL_EXIT_MMIO,
	ACCEL_EXIT_TRIPLE_FAULT,
	ACCEL_EXIT_RESET, /* the processor asks for a reset of the machine */
	ACCEL_EXIT_POWER_OFF, /* the processor asks for the machine to be turned off */
};

/**
 * struct accel_exit - what the guest wants
 * @write: ACCEL_EXIT_PIO, ACCEL_EXIT_MMIO: it writes @data; else it reads into it
 * @size: bytes of one access: 1, 2, 4, 8
 * @count: accesses, one after the other to the same address (string instructions); 1 for MMIO
 * @addr: port or guest address
 * @data: @size * @count bytes, valid until the next vcpu_run
 */
struct accel_exit {
	enum accel_exit_kind kind;
	bool write;
	uint8_t size;
	uint32_t count;
	uint64_t addr;
	uint8_t *data;
};

/** enum accel_mode - how a boot protocol wants to be entered */
enum accel_mode {
	ACCEL_MODE_PROTECTED32, /* flat 32-bit segments, no paging (PVH) */
	ACCEL_MODE_LONG64, /* 64-bit, paging by @cr3 (Linux) */
};

/**
 * struct accel_start - registers of the first processor
 * @gdt: guest address of a descriptor table with a code segment at selector 0x10, data at 0x18
 * @cr3: guest address of page tables, for ACCEL_MODE_LONG64
 */
struct accel_start {
	enum accel_mode mode;
	uint64_t rip, rbx, rsi, cr3, gdt;
};

/**
 * struct accel_config - what an accelerator is opened with
 * @nr_cpus: processors that will follow
 * @soft: how a processor in software works, NULL for the best way; others ignore it
 */
struct accel_config {
	unsigned nr_cpus;
	const char *soft;
};

/**
 * struct accel_ops - one way to execute a guest
 * @name: as after --accel
 * @shares_memory: other processes of it map guest memory too
 * @probe: can it run an ordinary guest on this host?  0, or -errno with a message that tells how to
 *         make it work.  May take milliseconds
 * @open: @mem and what @conf points to are borrowed until close; it may set @mem->wrote
 * @map: more memory that the guest sees at @gpa, a multiple of 2 MiB as @size: file @fd, all of it mapped
 *       at @host.  Borrowed until close; before the first vcpu_new
 * @vcpu_new: processor @index of @nr_cpus; freed by close
 * @reset: processors and interrupt controllers as after power-on; no thread is in vcpu_run
 * @vcpu_start: where the first processor begins; the others wait for it to wake them
 * @vcpu_run: runs until the guest needs somebody.  -errno with a message when it cannot go on.
 *            Called on the processor's own thread, without the machine's lock
 * @vcpu_kick: makes a vcpu_run that is under way, or the next one, return soon; any thread
 * @irq_line: raise or lower input @gsi of the interrupt controller; any thread
 * @irq_msi: message-signalled interrupt; any thread
 * @notify_add: any write to @gpa becomes a write to eventfd @fd and no exit
 * @notify_remove: the same arguments; takes it back
 * @stats: append what was counted, a line per processor; NULL: nothing was
 * @close: release; no thread is in vcpu_run.  NULL is fine
 * @again: this program was started again by the accelerator, which named it cleave-vmm:NAME; exit status.
 *         NULL: it never does that
 */
struct accel_ops {
	const char *name, *summary;
	bool shares_memory;
	int (*probe)(struct err *err);
	int (*open)(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);
	int (*map)(struct accel *a, uint64_t gpa, void *host, uint64_t size, int fd, bool readonly);
	int (*vcpu_new)(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err);
	int (*reset)(struct accel *a, struct err *err);
	int (*vcpu_start)(struct accel_vcpu *v, const struct accel_start *start, struct err *err);
	int (*vcpu_run)(struct accel_vcpu *v, struct accel_exit *ret, struct err *err);
	void (*vcpu_kick)(struct accel_vcpu *v);
	void (*irq_line)(struct accel *a, unsigned gsi, bool level);
	void (*irq_msi)(struct accel *a, uint64_t addr, uint32_t data);
	int (*notify_add)(struct accel *a, uint64_t gpa, int fd);
	void (*notify_remove)(struct accel *a, uint64_t gpa, int fd);
	void (*stats)(struct accel *a, struct str *s);
	void (*close)(struct accel *a);
	int (*again)(int argc, char **argv);
};

/**
 * struct accel - first member of every accelerator
 * @makes_code: threads of processors execute the guest themselves, to look for errors, and cannot be limited
 */
struct accel {
	const struct accel_ops *ops;
	bool makes_code;
};

REGISTRY_DECLARE(accels, struct accel_ops);

/** accel_find() - accelerator by name; NULL if there is none */
const struct accel_ops *accel_find(const char *name);

/** accel_irq() - a short pulse or a level on an interrupt line; nothing without an accelerator */
void accel_irq(struct accel *a, unsigned gsi, bool level);

/** accel_msi() - message-signalled interrupt; nothing without an accelerator */
void accel_msi(struct accel *a, uint64_t addr, uint32_t data);
