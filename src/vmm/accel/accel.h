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
struct accel_state;
struct accel_vcpu;
struct cpu_model;
struct err;
struct gmem;

/** enum accel_exit_kind - why vcpu_run returned */
enum accel_exit_kind {
	ACCEL_EXIT_KICKED, /* accel_vcpu_kick(), or no reason at all */
	ACCEL_EXIT_PIO,
	ACCEL_EXIT_MMIO,
	ACCEL_EXIT_TRIPLE_FAULT,
	ACCEL_EXIT_RESET, /* the processor asks for a reset of the machine */
	ACCEL_EXIT_POWER_OFF, /* the processor asks for the machine to be turned off */
	ACCEL_EXIT_DEBUG, /* something that a debugger waits for; see struct accel_debug */
};

/** enum accel_stop - what a debugger waited for */
enum accel_stop {
	ACCEL_STOP_STEP, /* an instruction was executed */
	ACCEL_STOP_INT3, /* INT3 is about to be executed */
	ACCEL_STOP_BREAK, /* one of struct accel_debug.at */
};

/**
 * struct accel_exit - what the guest wants
 * @stop: ACCEL_EXIT_DEBUG: why; @which: of ACCEL_STOP_BREAK: index
 * @write: ACCEL_EXIT_PIO, ACCEL_EXIT_MMIO: it writes @data; else it reads into it
 * @size: bytes of one access: 1, 2, 4, 8
 * @count: accesses, one after the other to the same address (string instructions); 1 for MMIO
 * @addr: port or guest address; ACCEL_EXIT_DEBUG: linear address of the instruction that is next
 * @data: @size * @count bytes, valid until the next vcpu_run
 */
struct accel_exit {
	enum accel_exit_kind kind;
	enum accel_stop stop;
	bool write;
	uint8_t size, which;
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

#define ACCEL_FX_SIZE 512

/**
 * struct accel_regs - registers of a processor, as a debugger sees them
 * @gpr: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15
 * @seg: selectors of ES, CS, SS, DS, FS, GS
 * @fx: x87 and SSE as FXSAVE stores them in 64-bit mode
 */
struct accel_regs {
	uint64_t gpr[16], rip, rflags;
	uint16_t seg[6];
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4, cr8, efer;
	uint8_t fx[ACCEL_FX_SIZE];
};

#define ACCEL_BREAKS_MAX 4

/** enum accel_break_kind - as DR7 encodes them */
enum accel_break_kind { ACCEL_BREAK_EXECUTE = 0, ACCEL_BREAK_WRITE = 1, ACCEL_BREAK_ACCESS = 3 };

/** struct accel_break - a linear address to wait for, and @len bytes from there on: 1, 2, 4 or 8, aligned */
struct accel_break {
	uint64_t addr;
	enum accel_break_kind kind;
	unsigned len;
};

/**
 * struct accel_debug - how a processor is debugged
 * @on: INT3 is for the debugger; else it is the guest's, and nothing else here counts
 * @step: execute one instruction at a time
 * @guest_int3: the INT3 that is next is the guest's
 * @code_changed: instructions in memory were changed from outside
 * @at: @nr of them
 */
struct accel_debug {
	bool on, step, guest_int3, code_changed;
	unsigned nr;
	struct accel_break at[ACCEL_BREAKS_MAX];
};

/**
 * struct accel_config - what an accelerator is opened with
 * @nr_cpus: processors that will follow
 * @soft: how a processor in software works, NULL for the best way; others ignore it
 * @soft_cache: bytes of translated code that it keeps, from ACCEL_SOFT_CACHE_MIN to _MAX; 0: as many as are sensible
 * @model: which features the guest sees; NULL: all
 */
struct accel_config {
	unsigned nr_cpus;
	const char *soft;
	uint64_t soft_cache;
	const struct cpu_model *model;
};

#define ACCEL_SOFT_CACHE_MIN (512ull << 10)
#define ACCEL_SOFT_CACHE_MAX (1ull << 30)

/** accel_stat_fn - told of one thing that was counted */
typedef void accel_stat_fn(void *arg, const char *name, uint64_t value);

/**
 * struct accel_ops - one way to execute a guest
 * @name: as after --accel
 * @shares_memory: other processes of it map guest memory too
 * @probe: can it run an ordinary guest on this host?  0, or -errno with a message that tells how to
 *         make it work.  May take milliseconds; @again: even if the answer is known from before
 * @open: @mem and what @conf points to are borrowed until close; it may set @mem->wrote
 * @map: more memory that the guest sees at @gpa, a multiple of 2 MiB as @size: file @fd, all of it mapped
 *       at @host.  Borrowed until close; before the first vcpu_new
 * @vcpu_new: processor @index of @nr_cpus; freed by close
 * @reset: processors and interrupt controllers as after power-on; no thread is in vcpu_run
 * @vcpu_start: where the first processor begins; the others wait for it to wake them
 * @vcpu_run: runs until the guest needs somebody.  -errno with a message when it cannot go on.
 *            Called on the processor's own thread, without the machine's lock
 * @vcpu_kick: makes a vcpu_run that is under way, or the next one, return soon; any thread
 * @vcpu_paused: the guest did not execute for a while, which its watchdogs are to be told; on the processor's own thread.
 *               NULL: it sees that itself
 * @regs_read: registers of a processor that is not in vcpu_run; 0 or -errno
 * @regs_write: those that programs can write: general ones, RIP, RFLAGS, bases, @fx; others are left alone.
 *              Likewise; 0 or -errno
 * @state_read: all of a processor, in the format that accelerators share; likewise.  An access to a device is over once
 *              its answer is there, which comes first.  0; -EAGAIN with a message: not between two instructions, let it
 *              run on and ask again; -errno with a message
 * @state_write: the processor is what @state_read told, of whichever accelerator; likewise.  @state may be anything.  0;
 *               -EINVAL, -ENOTSUP with a message: it is to be reset, or written once more, before it runs
 * @debug: from the next vcpu_run on; likewise.  0; -EOPNOTSUPP it has no breaks of this kind; -errno
 * @irq_line: raise or lower input @gsi of the interrupt controller; any thread
 * @irq_msi: message-signalled interrupt; any thread
 * @notify_reserve: eventfd @fd will be one of notify_add; before the first vcpu_new, later it does nothing.  NULL: no need
 * @notify_forget: it will not be any more, and is about to be closed; NULL likewise
 * @notify_add: any write to @gpa becomes a write to eventfd @fd and no exit
 * @notify_remove: the same arguments; takes it back
 * @stats: tell what was counted of a processor; while it executes, numbers may be a little old
 * @close: release; no thread is in vcpu_run.  NULL is fine
 * @again: this program was started again by the accelerator, which named it cleave-vmm:NAME; exit status.
 *         NULL: it never does that
 */
struct accel_ops {
	const char *name, *summary;
	bool shares_memory;
	int (*probe)(bool again, struct err *err);
	int (*open)(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);
	int (*map)(struct accel *a, uint64_t gpa, void *host, uint64_t size, int fd, bool readonly);
	int (*vcpu_new)(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err);
	int (*reset)(struct accel *a, struct err *err);
	int (*vcpu_start)(struct accel_vcpu *v, const struct accel_start *start, struct err *err);
	int (*vcpu_run)(struct accel_vcpu *v, struct accel_exit *ret, struct err *err);
	void (*vcpu_kick)(struct accel_vcpu *v);
	void (*vcpu_paused)(struct accel_vcpu *v);
	int (*regs_read)(struct accel_vcpu *v, struct accel_regs *ret);
	int (*regs_write)(struct accel_vcpu *v, const struct accel_regs *regs);
	int (*state_read)(struct accel_vcpu *v, struct accel_state *ret, struct err *err);
	int (*state_write)(struct accel_vcpu *v, const struct accel_state *state, struct err *err);
	int (*debug)(struct accel_vcpu *v, const struct accel_debug *debug);
	void (*irq_line)(struct accel *a, unsigned gsi, bool level);
	void (*irq_msi)(struct accel *a, uint64_t addr, uint32_t data);
	void (*notify_reserve)(struct accel *a, int fd);
	void (*notify_forget)(struct accel *a, int fd);
	int (*notify_add)(struct accel *a, uint64_t gpa, int fd);
	void (*notify_remove)(struct accel *a, uint64_t gpa, int fd);
	void (*stats)(struct accel_vcpu *v, accel_stat_fn *one, void *arg);
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
