/* SPDX-License-Identifier: MIT */
/*
 * Runs cases on both processors.
 */
#pragma once

#include "vmm/accel/soft/differ/generate.h"

/** struct differ_totals - what has been run; zero-initialise to start */
struct differ_totals {
	uint64_t cases, executed, faults, different;
	uint32_t row[2048]; /* executed, by index in simd_rows */
	uint32_t opcode[4][256]; /* executed, by map, without VEX */
};

/** differ_init() - prepare both; @translate: the one in software translates.  Once.  Return: 0; -errno */
int differ_init(bool translate);

/**
 * differ_run() - run one case on both processors
 * Return: true: they agree; else what differs has been printed to standard error.
 */
bool differ_run(const struct differ_case *k, struct differ_totals *totals);

/** differ_print() - print what was covered */
void differ_print(const struct differ_totals *totals);
