/* SPDX-License-Identifier: MIT */
/*
 * One instruction and all that it can see and change, for running it twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Memory at the same addresses on the host and in the guest: data of three pages, the last read-only,
 * with nothing around it; code of one page.
 */
#define DIFFER_DATA 0x10010000ull
#define DIFFER_DATA_SIZE 0x3000u
#define DIFFER_DATA_WRITABLE 0x2000u
#define DIFFER_CODE 0x10030000ull
#define DIFFER_CODE_SIZE 0x1000u
#define DIFFER_CODE_AT (DIFFER_CODE + 0x800) /* of the instruction; breakpoints fill the rest */

#define DIFFER_XSAVE_SIZE 2752 /* as XSAVE_SIZE */

/**
 * struct differ_state - before or after an instruction
 * @reg: in the order of enum cpu_reg
 * @xsave: in the format of struct cpu.xsave, without a header
 * @vector, @code, @addr: the exception that ended it, its error code, and CR2; EXC_BP: it was executed
 */
struct differ_state {
	_Alignas(64) uint8_t xsave[DIFFER_XSAVE_SIZE];
	uint64_t reg[16], rip, flags;
	uint32_t vector, code;
	uint64_t addr;
};

/** differ_native() - run what is at DIFFER_CODE_AT on the host's processor, from and to @s */
void differ_native(struct differ_state *s);

/**
 * differ_native_init() - map the memory and take the signals
 * @ret: the memory again, all of it writable: DIFFER_DATA_SIZE bytes, then DIFFER_CODE_SIZE
 * Return: 0; -errno.
 * Context: once.
 */
int differ_native_init(uint8_t **ret);

/** differ_apart() - run @body with @translate in a process of its own; its status, 1 if it crashed */
int differ_apart(int (*body)(bool translate), bool translate);

/** differ_soft() - run what is at DIFFER_CODE_AT on a processor in software, from and to @s */
void differ_soft(struct differ_state *s);

/**
 * differ_soft_init() - make that processor
 * @memory: as of differ_native_init()
 * @translate: it translates, instead of interpreting
 * Return: 0; -errno.
 * Context: once, after differ_native_init().
 */
int differ_soft_init(uint8_t *memory, bool translate);
