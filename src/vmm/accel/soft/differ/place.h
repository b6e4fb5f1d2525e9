/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/accel/soft/differ/generate.h"

/** place_case() - make @k, whose instruction is @i, safe to run; false: it cannot be */
bool place_case(uint64_t *seed, const struct insn *i, struct differ_case *k);
