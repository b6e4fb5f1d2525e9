/* SPDX-License-Identifier: MIT */
/*
 * All that a guest has in a processor, in a format that all accelerators share: saved from one, loaded into another.
 *
 * Fixed sizes, no pointers, no padding: docs/formats/processor-state.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ACCEL_STATE_VERSION 1
#define ACCEL_XSAVE_SIZE 2688 /* bytes: standard format up to AVX-512, with Intel's offsets whatever the host has */
#define ACCEL_APIC_SIZE 1024 /* bytes: the local APIC's page, as far as it has registers */
#define ACCEL_STATE_MSRS 48
#define ACCEL_STATE_PARTS 4u

/** enum accel_activity - what a processor does */
enum accel_activity { ACCEL_RUNS, ACCEL_HALTED, ACCEL_WAITS_SIPI, ACCEL_N_ACTIVITIES_ };

/** enum accel_shadow - interrupts wait for the end of the next instruction, because of the last one */
enum accel_shadow { ACCEL_SHADOW_NONE, ACCEL_SHADOW_STI, ACCEL_SHADOW_MOV_SS, ACCEL_N_SHADOWS_ };

/** struct accel_segment - a segment register; @attr: bits 8 to 15 and 20 to 23 of a descriptor's second word, moved down by 8 */
struct accel_segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector, attr;
};

/** struct accel_table - GDTR or IDTR */
struct accel_table {
	uint64_t base, limit;
};

/**
 * struct accel_state - a processor between two instructions
 * @activity, @shadow: enum accel_activity, enum accel_shadow
 * @nmi_blocked: one is served; @nmi_pending: so many wait, up to 2
 * @gpr: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15
 * @seg: ES, CS, SS, DS, FS, GS; the level is that of SS.  Page directory pointers of PAE paging are read again
 * @tsc: the time stamp counter when it was saved, and goes on from when it is loaded
 * @msr: values of accel_state_msr[]; 0 where the accelerator has none
 * @apic: registers as in the page at @apic_base, also of an x2APIC: the number is in the highest byte of its register
 * @xsave: bytes 416 to 575 are zeros: what belongs to software, and the header, since all of it is in use
 */
struct accel_state {
	uint32_t version;
	uint8_t activity, shadow, nmi_blocked, nmi_pending;
	uint64_t gpr[16], rip, rflags;
	struct accel_segment seg[6], ldtr, tr;
	struct accel_table gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, efer, xcr0, apic_base;
	uint64_t dr[4], dr6, dr7;
	uint64_t tsc, tsc_adjust;
	uint64_t msr[ACCEL_STATE_MSRS];
	uint8_t apic[ACCEL_APIC_SIZE];
	uint8_t xsave[ACCEL_XSAVE_SIZE];
};

_Static_assert(sizeof(struct accel_state) == 8 + 18 * 8 + 8 * 16 + 4 * 8 + 13 * 8 + 2 * 8 + ACCEL_STATE_MSRS * 8 +
		       ACCEL_APIC_SIZE + ACCEL_XSAVE_SIZE, "no padding");

/** struct accel_state_part - @size bytes of @xsave from @at belong to @bit of XCR0; what comes before them is always there */
struct accel_state_part {
	uint32_t bit, at, size;
};

/** accel_state_part - those that not all processors have */
extern const struct accel_state_part accel_state_part[ACCEL_STATE_PARTS];

/** accel_state_uses() - is there anything but zeros in part @p of @s? */
bool accel_state_uses(const struct accel_state *s, const struct accel_state_part *p);

/** accel_state_msr - numbers of model-specific registers, in the order in which they are loaded */
extern const uint32_t accel_state_msr[ACCEL_STATE_MSRS];
