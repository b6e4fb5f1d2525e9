/* SPDX-License-Identifier: MIT */
/*
 * Runs a processor by translating its 64-bit code to code of the host.
 */
#pragma once

#include <stdint.h>

#include "vmm/accel/soft/cpu/state.h"

struct err;
struct translator;

/**
 * translate_new() - a translator for @c, at @c->translator
 * @cache_size: bytes of translated code that are kept; 0: as many as are sensible
 *
 * @c->ram and @c->pages are complete and @c->ops stay as they are; their code_write must call translate_code_write(), their
 * page_asked translate_asked().
 * Return: 0; -errno with a message.
 */
int translate_new(struct cpu *c, uint64_t cache_size, struct err *err);

/**
 * translate_verify() - compare what translated code does with the interpreter, from now on; tell differences on stderr
 * Return: 0; -ENOMEM.
 */
int translate_verify(struct cpu *c);

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

/** translate_asked() - another processor, or a device, told this one to do @what with the page of @gpa */
void translate_asked(struct cpu *c, uint64_t gpa, enum page_ask what);

/** translate_asked_all() - it told more than could be kept */
void translate_asked_all(struct cpu *c);

/** translate_forget() - forget all translations: memory was changed by somebody else */
void translate_forget(struct cpu *c);
