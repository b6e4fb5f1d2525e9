/* SPDX-License-Identifier: MIT */
/*
 * The processors' threads: run, pause, go on, end.
 */
#pragma once

#include <stdbool.h>

struct cpus;
struct err;
struct vm;

/**
 * cpus_new() - make the processors of a machine; their threads start paused
 * @vm: borrowed; its accelerator is open
 * @confined: they make only the system calls of their role (confine.h)
 * Return: 0; -errno with a message.
 */
int cpus_new(struct vm *vm, bool confined, struct cpus **ret, struct err *err);

/** cpus_first() - the processor that boots */
struct accel_vcpu *cpus_first(struct cpus *c);

/** cpus_thread() - thread id of processor @index, 0 before it has begun */
int cpus_thread(const struct cpus *c, unsigned index);

/**
 * cpus_pause() - wait until no processor executes
 * Context: with the machine's lock, which is released while waiting.
 */
void cpus_pause(struct cpus *c);

/** cpus_resume() - let them execute; with the machine's lock */
void cpus_resume(struct cpus *c);

/** cpus_free() - end the threads; without the machine's lock; NULL is fine */
void cpus_free(struct cpus *c);
