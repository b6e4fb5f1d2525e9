/* SPDX-License-Identifier: MIT */
/*
 * The way into translated code and the ways out of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmm/accel/soft/translate/emit.h"

struct cache;
struct cpu;

/**
 * struct jump - an entry of struct cpu.hot.jumps: where code for a linear address is
 * @key: the address ^ struct cpu.hot.epoch, so that address spaces do not fight for the same entries
 */
struct jump {
	uint64_t key;
	const uint8_t *code;
};

#define JUMPS_SHIFT 16u
#define JUMPS (1u << JUMPS_SHIFT)
#define JUMPS_FACTOR 0x9E3779B1u /* of a multiplicative hash of the low 32 bits */

static inline uint32_t jump_index(uint64_t key)
{
	return ((uint32_t) key * JUMPS_FACTOR) >> (32 - JUMPS_SHIFT);
}

/** enum gate_kind - struct cpu.hot.kind: why translated code was left */
enum gate_kind {
	GATE_SLOW_READ, /* hot.addr is not in the TLB; hot.arg: offset in the cache where to try again */
	GATE_SLOW_WRITE,
	GATE_LINK, /* hot.arg: offset of the rel32 */
	GATE_INTERP, /* hot.arg: the struct block that ended before an instruction for the interpreter */
	GATE_POLL, /* hot.arg: offset in hot.page of an instruction: somebody wants attention */
	GATE_JUMP, /* hot.addr: where to; hot.arg: offset in hot.page of the branch, and what undoes its change of RSP */
	GATE_FAULT, /* likewise: the host could not execute it */
	GATE_ARRIVE, /* hot.addr: where to, and all else is done */
	GATE_NEXT, /* hot.arg: the struct block, whose instruction goes on in a page that may be another one now */
	GATE_KINDS,
};

/**
 * struct gate_probe - how memory is accessed; see gen_mem.c
 * @hot: T0 = host address of linear address T0; holes: the way, bytes of a page but the size, what happens when the way is wrong
 * @slow: that; holes: the way, the size again, the end of @hot, where to try again, the gate
 */
struct gate_probe {
	struct emit_shape hot, slow;
};

/**
 * struct gates - code that is always there
 * @enter: call it with the code to run; returns when that is left.  GS must be struct cpu
 * @at: where translated code goes to leave; writable addresses
 * @link_save: GATE_LINK with the flags in the host's
 * @syscall: SYSCALL, with flags in the slot; T0: linear address behind it, T1: its offset in hot.page
 * @sysret: SYSRET to 64-bit code, with T1 likewise
 * @jump: gate_jump(); hole: what happens if the table does not know it
 * @probe: for reads, for writes
 */
struct gates {
	void (*enter)(const uint8_t *code);
	const uint8_t *at[GATE_KINDS];
	const uint8_t *link_save, *syscall, *sysret;
	struct emit_shape jump;
	struct gate_probe probe[2];
};

#define GATE_JUMP_UNDO_SHIFT 16

#define GATE_BYTES 4096u

/**
 * gate_jump() - go to the linear address in T0; flags are in the slot or nobody's
 * Return: the rel32 of what happens if the table does not know it: T0 is its key then.
 */
uint8_t *gate_jump(const struct gates *s, struct emit *e);

/** gates_write_syscall() - @s->syscall and @s->sysret */
void gates_write_syscall(struct gates *s, struct emit *e);

/** gates_write() - into the first GATE_BYTES of @cache */
void gates_write(struct gates *s, struct cache *cache);
