/* SPDX-License-Identifier: MIT */
/*
 * Instructions and states to run.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/differ/state.h"

/** enum differ_kind - of instruction; DIFFER_SEQUENCE: several integer instructions on registers */
enum differ_kind { DIFFER_INTEGER, DIFFER_VECTOR, DIFFER_X87, DIFFER_SEQUENCE, DIFFER_ANY };

#define DIFFER_CODE_MAX 64u /* bytes */

/**
 * struct differ_case - an instruction with what it works on
 * @row: index in simd_rows, or -1
 */
struct differ_case {
	uint8_t code[DIFFER_CODE_MAX];
	unsigned len;
	int row;
	struct differ_state state;
	uint8_t data[DIFFER_DATA_SIZE];
};

/**
 * generate_case() - an instruction of @kind that is safe to run here, and a state in which its memory
 * operand is mostly in the data
 * @seed: changed
 */
void generate_case(enum differ_kind kind, uint64_t *seed, struct differ_case *ret);

/** generate_from() - the same for the instruction at @code; false: it is not safe to run here */
bool generate_from(const uint8_t *code, size_t len, uint64_t *seed, struct differ_case *ret);

/** encode_row() - bytes of an instruction of a row of simd_rows; returns how many */
unsigned encode_row(unsigned row, uint64_t *seed, uint8_t *ret);

/** allowed_here() - may @i run natively without doing harm, and has it one right answer? */
bool allowed_here(const struct insn *i);

/** flags_by_vendor() - those that manuals leave undefined, the one in software has like Intel's processors, and this host otherwise */
uint32_t flags_by_vendor(const struct insn *i);

/**
 * faults_by_vendor() - is what there is when @i cannot be finished what this host's vendor chose?
 * Stores of x87 that find two exceptions, elements that were gathered, the address that CALL has stored.
 * Return: as asked; false on Intel's processors, which the one in software follows.
 */
bool faults_by_vendor(const struct insn *i);
