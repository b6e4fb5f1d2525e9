/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct str;

/**
 * eng_profile_seccomp() - append the default system call filter, linux.seccomp of a config.json
 * @caps: of the container, bit n = capability n; some open system calls
 */
void eng_profile_seccomp(uint64_t caps, struct str *ret);
