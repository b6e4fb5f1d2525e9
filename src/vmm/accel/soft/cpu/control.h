/* SPDX-License-Identifier: MIT */
/*
 * Control registers from outside of the guest.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

/** control_ok() - can the guest's processor have these values all at once? */
bool control_ok(const struct cpu *c, uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer);

/** xcr0_ok() - can its XCR0 be @value? */
bool xcr0_ok(const struct cpu *c, uint64_t value);
