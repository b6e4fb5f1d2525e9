/* SPDX-License-Identifier: MIT */
/*
 * Decoded code: runs of instructions, by guest-physical address and mode.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"

#define BLOCK_INSNS 32u

/**
 * struct block - instructions one behind the other, in one page
 * @key: guest-physical address and mode
 * @nr: instructions; the last may be one that goes on elsewhere
 * @bytes: of code, that @copy was decoded from; the instructions lie behind it
 */
struct block {
	uint64_t key;
	struct insn *insn;
	uint16_t nr, bytes;
	uint8_t copy[];
};

/** blocks_new() - an empty cache; NULL: no memory */
struct blocks *blocks_new(void);

/** blocks_free() - release; NULL is fine */
void blocks_free(struct blocks *b);

/** blocks_flush() - forget all; no block is under way */
void blocks_flush(struct blocks *b);

/**
 * blocks_get() - the block at linear address @lin, decoded now if its code is new or changed
 * Return: valid until the next call; at least one instruction.  Raises page faults.
 */
const struct block *blocks_get(struct cpu *c, uint64_t lin);
