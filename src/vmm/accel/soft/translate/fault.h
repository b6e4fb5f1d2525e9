/* SPDX-License-Identifier: MIT */
/*
 * Signals that the host's processor raises in translated code.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** struct fault_frame - registers by their encoding, where the host was, and where it is to go on */
struct fault_frame {
	uint64_t reg[16], pc, flags;
};

/** fault_init() - catch SIGFPE, SIGSEGV, SIGBUS and SIGILL; once per process.  Return: 0; -errno */
int fault_init(void);

/**
 * fault_thread() - this thread executes translated code, with GS base @gs
 *
 * Gives it an alternate signal stack.  Cheap when nothing changes.
 * Return: 0; -errno.
 */
int fault_thread(void *gs);

/**
 * fault_resolve() - leave translated code; supplied by whoever runs it
 * @gs: as given to fault_thread()
 * Return: false: @f->pc is no translated code, the program is broken.
 */
bool fault_resolve(void *gs, struct fault_frame *f);
