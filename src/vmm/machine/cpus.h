/* SPDX-License-Identifier: MIT */
/*
 * The processors' threads: run, pause, go on, end.
 */
#pragma once

#include <stdbool.h>

struct accel_exit;
struct accel_vcpu;
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

/** cpus_vcpu() - processor @index; the first is the one that boots */
struct accel_vcpu *cpus_vcpu(struct cpus *c, unsigned index);

/** cpus_thread() - thread id of processor @index, 0 before it has begun */
int cpus_thread(const struct cpus *c, unsigned index);

/**
 * cpus_pause() - wait until no processor executes
 * Context: with the machine's lock, which is released while waiting.
 */
void cpus_pause(struct cpus *c);

/** cpus_resume() - let them execute; with the machine's lock */
void cpus_resume(struct cpus *c);

/** cpus_hold() - processor @index stands still when the others execute, or not any more; all are paused */
void cpus_hold(struct cpus *c, unsigned index, bool held);

/**
 * cpus_on_debug() - be told what processors meet while they are debugged
 * @stop: called on the processor's thread, with the machine's lock; true: no processor executes any more, as after
 *        cpus_pause(), which has yet to wait for them.  NULL: nobody
 */
void cpus_on_debug(struct cpus *c, bool (*stop)(void *arg, unsigned index, const struct accel_exit *e), void *arg);

/** cpus_free() - end the threads; without the machine's lock; NULL is fine */
void cpus_free(struct cpus *c);
