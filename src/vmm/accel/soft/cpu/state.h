/* SPDX-License-Identifier: MIT */
/*
 * All that the guest can see of a processor, and what the processor remembers for speed.
 *
 * Plain fields at offsets that generated code may use.  One struct cpu belongs to one thread or
 * process; what others write is in @event and is only accessed atomically.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct insn;
struct journal;

/** enum cpu_reg - indices of struct cpu.reg; REG_ZERO reads as 0, so that an address has a base and an index always */
enum cpu_reg {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_ZERO, REG_RIP, REG_NR,
};

/**
 * enum cpu_seg_id - segment registers, in the order of their encoding
 * @SEG_FLAT: 64-bit code: base 0, for DS, ES, CS and where no segment matters
 * @SEG_FLAT_STACK: the same where a bad address is #SS
 */
enum cpu_seg_id { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_FLAT, SEG_FLAT_STACK, SEG_NR };

/* RFLAGS */
#define FL_CF 0x1u
#define FL_PF 0x4u
#define FL_AF 0x10u
#define FL_ZF 0x40u
#define FL_SF 0x80u
#define FL_TF 0x100u
#define FL_IF 0x200u
#define FL_DF 0x400u
#define FL_OF 0x800u
#define FL_IOPL 0x3000u
#define FL_NT 0x4000u
#define FL_RF 0x10000u
#define FL_VM 0x20000u
#define FL_AC 0x40000u
#define FL_VIF 0x80000u
#define FL_VIP 0x100000u
#define FL_ID 0x200000u
#define FL_STATUS (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

#define CR0_PE 0x1u
#define CR0_MP 0x2u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR0_ET 0x10u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_AM 0x40000u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u

#define CR4_VME 0x1u
#define CR4_PVI 0x2u
#define CR4_TSD 0x4u
#define CR4_DE 0x8u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_MCE 0x40u
#define CR4_PGE 0x80u
#define CR4_PCE 0x100u
#define CR4_OSFXSR 0x200u
#define CR4_OSXMMEXCPT 0x400u
#define CR4_UMIP 0x800u
#define CR4_FSGSBASE 0x10000u
#define CR4_PCIDE 0x20000u
#define CR4_OSXSAVE 0x40000u
#define CR4_SMEP 0x100000u
#define CR4_SMAP 0x200000u

#define DR6_BS 0x4000u /* single step */

#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u

/* Exception vectors */
enum cpu_vector {
	EXC_DE, EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_BR, EXC_UD, EXC_NM, EXC_DF, EXC_TS = 10, EXC_NP, EXC_SS,
	EXC_GP, EXC_PF, EXC_MF = 16, EXC_AC, EXC_MC, EXC_XM,
};

/* Page fault error code */
#define PF_PRESENT 0x1u
#define PF_WRITE 0x2u
#define PF_USER 0x4u
#define PF_RESERVED 0x8u
#define PF_FETCH 0x10u

/* struct cpu_seg.attr: bits 8 to 15 and 20 to 23 of a descriptor's second word, moved down by 8 */
#define SEG_TYPE 0xFu
#define SEG_TYPE_ACCESSED 0x1u
#define SEG_TYPE_WRITE 0x2u /* data: writable; code: readable */
#define SEG_TYPE_DOWN 0x4u /* data: expands down; code: conforming */
#define SEG_TYPE_CODE 0x8u
#define SEG_S 0x10u /* code or data, not system */
#define SEG_DPL_SHIFT 5
#define SEG_DPL 0x60u
#define SEG_P 0x80u
#define SEG_AVL 0x1000u
#define SEG_L 0x2000u
#define SEG_DB 0x4000u
#define SEG_G 0x8000u

/**
 * struct cpu_seg - a segment register with its hidden part
 * @limit: last valid offset, in bytes
 * @attr: SEG_*; without SEG_P it is unusable
 * @flat: accesses need no check here: 1 reads, 2 writes (bits), because base is 0 and limit 4 GiB or
 *        the code is 64-bit
 */
struct cpu_seg {
	uint64_t base;
	uint32_t limit;
	uint16_t sel, attr;
	uint8_t flat;
	uint8_t pad[7];
};

#define SEG_FLAT_READ 1u
#define SEG_FLAT_WRITE 2u

/** struct cpu_table - GDTR or IDTR */
struct cpu_table {
	uint64_t base;
	uint16_t limit;
};

/* The soft TLB: arrays by address space and by what the code may do; see mmu.h */
#define TLB_ENTRIES 4096u
#define TLB_JOURNAL 512u
#define TLB_LOCALS 32u
#define TLB_SPACES 8u /* address spaces (PCIDs) that are remembered */
#define TLB_NONE tlb_none /* no page has this address: a secret number that is not canonical */

/** enum tlb_right - whose accesses an array is for; TLB_SLOW stays empty: every access is looked at (#AC, breakpoints) */
enum tlb_right { TLB_KERNEL, TLB_KERNEL_AC, TLB_USER, TLB_SLOW, TLB_RIGHTS };

/**
 * struct tlb_entry - a page of 4 KiB
 * @read, @write: its linear address where that access needs no look into page tables, else TLB_NONE
 * @host: host address of the page
 * @info: TLB_GLOBAL, TLB_LARGE, TLB_NOTED, and the page's guest-physical address
 */
struct tlb_entry {
	uint64_t read, write;
	uint64_t host;
	uint64_t info;
};

#define TLB_GLOBAL 1u
#define TLB_LARGE 2u /* part of a larger page */
#define TLB_NOTED 8u /* the entry is in the journal, or was when it had something */
#define TLB_CHECKED 4u /* struct tlb_code: translations of the page were compared with it */

extern uint64_t tlb_none;

/** struct tlb_code - a page of 4 KiB that instructions are fetched from; @page is TLB_NONE or its linear address */
struct tlb_code {
	uint64_t page, gpa;
	const uint8_t *host;
	uint64_t info;
};

#define TLB_CODE_ENTRIES 256u

/** struct tlb_journal - entries of an array that may hold something: @at, or any of them if @nr is more than fit */
struct tlb_journal {
	uint16_t nr;
	uint16_t at[TLB_JOURNAL];
};

/**
 * struct tlb - one array per right, with a journal each, so that emptying one costs what was in it
 *
 * Those for kernel pages and kernel code, and the one that stays empty, are only used of the first one, for all
 * address spaces: what is not global is forgotten when the space changes.
 */
struct tlb {
	struct tlb_entry entry[TLB_RIGHTS][TLB_ENTRIES];
	struct tlb_journal journal[TLB_RIGHTS];
	struct tlb_code code[2][TLB_CODE_ENTRIES]; /* kernel, user */
};

/* struct cpu.event: set by anyone with an atomic or, and then a kick of the thread if it sleeps */
#define EVENT_KICK 0x1u /* return CPU_EXIT_KICK */
#define EVENT_IRQ 0x2u /* ask ops->irq_ack() */
#define EVENT_NMI 0x4u
#define EVENT_INIT 0x8u
#define EVENT_SIPI 0x10u /* vector in struct cpu.sipi */
#define EVENT_FLUSH 0x20u /* forget all decoded instructions */
#define EVENT_PAGES 0x40u /* call ops->page_asked() */
#define EVENT_DEBUG 0x80u /* stays set: struct cpu.debug wants every instruction to be looked at */

/** enum cpu_activity - what a processor does */
enum cpu_activity { CPU_RUNS, CPU_HALTED, CPU_WAITS_SIPI };

/** enum cpu_exit_kind - why cpu_run() returned */
enum cpu_exit_kind {
	CPU_EXIT_KICK,
	CPU_EXIT_PIO,
	CPU_EXIT_MMIO,
	CPU_EXIT_HALT, /* nothing to do until @event changes; also while waiting for SIPI */
	CPU_EXIT_TRIPLE_FAULT,
	CPU_EXIT_DEBUG, /* for the debugger; RIP is that of the next instruction */
};

/** enum cpu_stop - why CPU_EXIT_DEBUG */
enum cpu_stop { CPU_STOP_STEP, CPU_STOP_INT3, CPU_STOP_BREAK };

#define CPU_BREAKS_MAX 4

/**
 * struct cpu_break - where a debugger wants to stop
 * @how: as DR7 has it: 0 before the instruction at @at; after one that has written (1) or accessed (3) one of the
 *       @len bytes there
 */
struct cpu_break {
	uint64_t at;
	uint8_t how, len;
};

/**
 * struct cpu_debug - what a debugger outside of the guest wants; EVENT_DEBUG is set for @step and @nr
 * @on: INT3 is its; @pass: but for the next one
 * @step: stop after each instruction
 * @at: @nr of them; @data: one of them is for data, so that every access is looked at
 * @hit: bits by index in @at: those that the instruction under way has touched
 */
struct cpu_debug {
	bool on, pass, step, data;
	uint8_t nr, hit;
	struct cpu_break at[CPU_BREAKS_MAX];
};

/**
 * struct cpu_exit - an access that somebody else answers
 * @size: bytes; CPU_EXIT_DEBUG: enum cpu_stop
 * @addr: port or guest-physical address; CPU_EXIT_DEBUG: linear address of the next instruction
 * @data: what is written, or room for the answer: put it there before the next cpu_run(); CPU_EXIT_DEBUG:
 *        index in struct cpu_debug.at
 */
struct cpu_exit {
	enum cpu_exit_kind kind;
	bool write;
	uint8_t size;
	uint64_t addr;
	uint64_t data;
};

/**
 * struct cpu_replay - accesses to devices that the instruction under way has made
 *
 * An instruction that needs a device is given up and started again when the answer is there; it
 * then finds in @done what it asked before.
 */
#define CPU_REPLAY_MAX 32
struct cpu_replay {
	unsigned nr, next;
	struct cpu_exit done[CPU_REPLAY_MAX];
};

#define CPU_RAM_MAX 16

/** struct cpu_ram - memory that the guest sees; the rest of its addresses are devices */
struct cpu_ram {
	unsigned nr;
	struct {
		uint64_t gpa, size;
		uint8_t *host;
		bool readonly;
	} region[CPU_RAM_MAX];
};

/**
 * struct cpu_page - a page of guest memory, for all processors; a bit for each by its index, atomic
 * @code: it may have translations of the page; @write: it may write to the page without a word
 */
struct cpu_page {
	uint32_t code, write;
};

/** enum page_ask - what one processor is told by another: translations are wrong; no writes without a word any more */
enum page_ask { PAGE_DROP, PAGE_GIVE_UP };

typedef void cpu_exec_fn(struct cpu *c, const struct insn *i);

/**
 * struct cpu_ops - what a processor asks of its surroundings; called on its own thread inside of cpu_run()
 * @bind: who executes @i, an instruction of the x87, MMX, SSE, VEX and EVEX kind (see decode.h); NULL:
 *        nobody, #UD.  Called once per decoding; may change @imm2 and @disp
 * @irq_ack: the interrupt to deliver now: takes it from the local APIC.  -1: none (after all)
 * @irq_pending: would irq_ack() return one?
 * @apic_read, @apic_write: the page at IA32_APIC_BASE, 32-bit registers
 * @msr_read, @msr_write: APIC_BASE, TSC_DEADLINE, x2APIC (0x800 to 0x8FF) and KVM's (0x4B564Dxx, 0x11, 0x12);
 *        false: #GP
 * @cr8_read, @cr8_write: the task priority, 0 to 15
 * @hypercall: one of KVM's, of level 0: number and arguments.  Return: what the guest sees in RAX
 * @code_write: a page that this processor has translations of is about to be written
 * @page_ask: tell the processors of the bits @who to do that with the page of @gpa, see pages.h; does not wait
 * @page_asked: do what others have told this one, for EVENT_PAGES
 */
struct cpu_ops {
	cpu_exec_fn *(*bind)(struct cpu *c, struct insn *i);
	int (*irq_ack)(struct cpu *c);
	bool (*irq_pending)(struct cpu *c);
	uint32_t (*apic_read)(struct cpu *c, uint32_t offset);
	void (*apic_write)(struct cpu *c, uint32_t offset, uint32_t value);
	bool (*msr_read)(struct cpu *c, uint32_t msr, uint64_t *ret);
	bool (*msr_write)(struct cpu *c, uint32_t msr, uint64_t value);
	uint64_t (*cr8_read)(struct cpu *c);
	void (*cr8_write)(struct cpu *c, uint64_t value);
	uint64_t (*hypercall)(struct cpu *c, const uint64_t arg[5]);
	void (*code_write)(struct cpu *c, uint64_t gpa);
	void (*page_ask)(struct cpu *c, uint64_t gpa, uint32_t who, enum page_ask what);
	void (*page_asked)(struct cpu *c);
};

#define CPU_WAYS 64u

/**
 * struct cpu_hot - what translated code and the code around it share; see translate/
 * @host_rsp: the host's stack while translated code runs
 * @page: linear address of the page of code that runs
 * @epoch, @jumps: where code for linear addresses is, and the number of the address space in there
 * @target, @string: of one instruction
 * @addr, @arg, @kind: what translated code was left for, enum gate_kind
 * @flags: arithmetic flags as LAHF and SETO AL store them
 * @flushed: address spaces whose code pages were forgotten since somebody cleared it; bit CPU_FLUSHED_GLOBAL too
 * @code_seen: by half of the address space and hash of the linear page: translated code was entered there
 * @way: TLB entries that were used last, by hash of the code that used them; of kernel code, that with RFLAGS.AC, others
 * @kernel_tlb, @kernel_epoch: struct cpu.tlb_now and @epoch of level 0 without and with RFLAGS.AC
 * @user_tlb, @user_epoch: of level 3 without RFLAGS.AC
 */
struct cpu_hot {
	uint64_t host_rsp, page, epoch;
	struct jump *jumps;
	uint64_t addr, target, string[2];
	uint64_t arg;
	uint32_t kind;
	uint16_t flags;
	uint32_t flushed;
	uint64_t code_seen[2][64];
	struct tlb_entry *way[3][CPU_WAYS];
	struct tlb_entry *kernel_tlb[2];
	uint64_t kernel_epoch[2];
	struct tlb_entry *user_tlb;
	uint64_t user_epoch;
};

/**
 * struct cpu_translated - what the translator has done, and how often translated code was left for each reason
 * @insns: of the guest, translated; @ticks: of the host's time stamp counter, that took
 */
struct cpu_translated {
	uint64_t blocks, insns, bytes, ticks, dropped_pages, evicted_regions;
	uint64_t slow, links, jumps, interp, polls, faults, unclaimed, verified, wrong;
};

#define CPU_FLUSHED_GLOBAL 0x80000000u
#define CPU_FLUSHED_SPACES ((1u << TLB_SPACES) - 1)
#define CPU_FLUSHED_ALL (CPU_FLUSHED_SPACES | CPU_FLUSHED_GLOBAL)

/** struct cpu_fault - the exception that an instruction leaves with */
struct cpu_fault {
	uint8_t vector;
	bool has_code;
	uint32_t code;
	uint64_t addr; /* #PF: CR2; #DB: bits for DR6 */
};

#define XSAVE_SIZE 2752 /* bytes: standard format up to AVX-512 and PKRU, rounded up */

/**
 * struct cpu - a processor
 * @reg: general registers, REG_ZERO, and RIP.  While an instruction executes, RIP is that of the next one
 * @status: FL_STATUS bits of RFLAGS
 * @flags: the other bits of RFLAGS, see cpu_rflags()
 * @tlb_now: the entries of the current address space and rights
 * @cpl: current privilege level
 * @mode: CPU_MODE_* of code at RIP
 * @xsave: x87, SSE, AVX, AVX-512 state in the host's standard XSAVE format
 * @event: EVENT_*, atomic; @held: behind it: EVENT_IRQ that waits until interrupts are allowed, of the translator
 * @hot: of the translator
 * @stepped: a single step ends with a trap; not that of INT n, which clears TF
 * @shadow: interrupts wait for the end of the next instruction: 1 after STI, 2 after MOV SS (then debug traps too)
 * @insn: instruction under way
 * @code_page: host address of the page that it is in; @leave: that page was written, or a branch was taken
 */
struct cpu {
	uint64_t reg[REG_NR];
	uint32_t status, flags;
	struct tlb_entry *tlb_now;
	const struct insn *insn;
	uint64_t code_page;
	bool leave, stepped;
	uint8_t cpl, mode, shadow;
	_Alignas(8) uint32_t event;
	uint32_t held;
	struct cpu_hot hot;

	struct cpu_seg seg[SEG_NR];
	struct cpu_seg ldtr, tr;
	struct cpu_table gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t xcr0, xss;
	uint64_t dr[4], dr6, dr7;
	uint64_t star, lstar, cstar, fmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t pat, tsc_aux, misc_enable, spec_ctrl, tsc_adjust, debugctl;
	uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_var[16];
	uint64_t tsc_offset;
	uint64_t pdpte[4];
	uint64_t apic_base; /* a copy for speed: address and enable bits; written by ops->msr_write */

	_Alignas(64) uint8_t xsave[XSAVE_SIZE];

	enum cpu_activity activity;
	uint32_t sipi;
	bool nmi_blocked, nmi_again; /* one is served; a second one waits */
	uint32_t pending_db; /* DR6 bits of a trap after this instruction */
	bool delivering; /* an exception or interrupt is being delivered: @deliver_vector */
	uint8_t deliver_vector;
	struct cpu_fault fault;
	jmp_buf unwind;
	struct cpu_exit exit;
	struct cpu_replay replay;
	struct journal *journal; /* writes to memory are noted there, and devices are left alone */
	struct cpu_debug debug;

	const struct cpu_ops *ops;
	void *owner; /* of whoever set @ops */
	void *apic, *translator, *simd; /* likewise */
	const struct cpu_ram *ram;
	struct cpu_page *pages; /* @nr_pages by guest-physical page, shared by all processors; none: nobody translates */
	uint64_t nr_pages;
	const struct cpu_cpuid *cpuid;
	unsigned index, nr_cpus;

	struct tlb *tlb; /* TLB_SPACES of them */
	struct {
		uint16_t pcid[TLB_SPACES];
		uint64_t used[TLB_SPACES];
		uint64_t clock;
		unsigned now;
		bool kernel_local; /* the arrays for all spaces have something that is not global */
		unsigned nr_locals; /* of entries that do, @local, or more than that */
		uint16_t local[TLB_LOCALS];
		uint64_t large[2][64]; /* bits by hash: 2 MiB and 1 GiB that have entries of large pages */
	} space;
	struct blocks *blocks;
	uint64_t stat_insns, stat_blocks, stat_decoded, stat_tlb_miss, stat_faults;
	struct cpu_translated stat_translated;
};

/* struct cpu.mode: bits that decoding depends on */
#define CPU_MODE_16 0u
#define CPU_MODE_32 1u
#define CPU_MODE_64 2u

/** cpu_rflags() - RFLAGS as the guest sees them */
static inline uint32_t cpu_rflags(const struct cpu *c)
{
	return c->flags | c->status | 2u;
}

static inline bool cpu_is_long(const struct cpu *c)
{
	return c->efer & EFER_LMA;
}

static inline bool cpu_is_real(const struct cpu *c)
{
	return !(c->cr0 & CR0_PE);
}

static inline bool cpu_is_v86(const struct cpu *c)
{
	return c->flags & FL_VM;
}
