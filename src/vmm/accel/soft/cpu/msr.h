/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

/** msr_read() - as RDMSR; false: there is none, #GP */
bool msr_read(struct cpu *c, uint32_t msr, uint64_t *ret);

/** msr_write() - as WRMSR; false: there is none or the value is not allowed, #GP */
bool msr_write(struct cpu *c, uint32_t msr, uint64_t value);
