/* SPDX-License-Identifier: MIT */
/*
 * Runs a processor by translating its 64-bit code to code of the host.
 */
#pragma once

#include <stdint.h>

#include "vmm/accel/soft/cpu/state.h"

struct err;
struct translator;

/** struct translate_stats - what the translator has done since translate_new() */
struct translate_stats {
	uint64_t blocks, bytes, dropped_pages, evicted_regions;
	uint64_t slow, links, jumps, interp, polls, faults;
};

/**
 * translate_new() - a translator for @c, at @c->translator
 * @cache_size: bytes of translated code that are kept; 0: as many as are sensible
 *
 * From now on @c->page_flags are the translator's.  @c->ram is complete and @c->ops stay as they are, but for
 * their code_write, which must call translate_code_write().
 * Return: 0; -errno with a message.
 */
int translate_new(struct cpu *c, uint64_t cache_size, struct err *err);

/** translate_free() - release; nothing without a translator */
void translate_free(struct cpu *c);

/**
 * translate_adopt() - let the calling thread be the processor's
 *
 * Gives it GS and an alternate signal stack; translate_run() does so too, if it may still call the kernel.
 * Return: 0; -errno.
 */
int translate_adopt(struct cpu *c);

/**
 * translate_run() - cpu_run(), faster
 * Context: the processor's thread, which then has GS and an alternate signal stack for this; its signal handlers
 * must be SA_ONSTACK.
 */
void translate_run(struct cpu *c);

/** translate_code_write() - struct cpu_ops.code_write */
void translate_code_write(struct cpu *c, uint64_t gpa);

/** translate_forget() - forget all translations: memory was changed by somebody else */
void translate_forget(struct cpu *c);

/** translate_stats() - see there */
const struct translate_stats *translate_stats(const struct cpu *c);
