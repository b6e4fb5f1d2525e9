/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/**
 * vcpu_confine() - from now on this process computes, and can do nothing else
 * @memory: bytes of its own that it may have in all
 * Return: 0; -errno.
 */
int vcpu_confine(uint64_t memory);
