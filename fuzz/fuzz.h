/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * LLVMFuzzerTestOneInput() - what every fuzz target defines; the name is libFuzzer's
 * @data: @size bytes, not terminated
 *
 * A property that does not hold is reported by abort().
 * Return: 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
