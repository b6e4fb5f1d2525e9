/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SCREEN_SIZE 65536 /* bytes of output that are kept, a power of two */

/** screen_add() - remember output of the terminal */
void screen_add(const char *data, size_t n);

/** screen_end() - position behind what was remembered; grows for ever */
uint64_t screen_end(void);

/** screen_start() - position where a replay begins: the oldest line that is kept whole */
uint64_t screen_start(void);

/**
 * screen_read() - output from a position on
 * @ret: returns; valid until the next screen_add()
 * Return: bytes in one piece, not always all; 0 at the end.
 */
size_t screen_read(uint64_t pos, const char **ret);
