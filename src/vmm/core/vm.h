/* SPDX-License-Identifier: MIT */
/*
 * What the parts of one machine share: memory, buses, the event loop, the accelerator, the lock.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/bus.h"
#include "vmm/core/gmem.h"

#define VM_CPUS_MAX 32

struct accel;
struct blk_rings;
struct dev;
struct err;
struct loop;

/** enum vm_cause - why the machine is not running any more; what is asked first wins */
enum vm_cause {
	VM_CAUSE_NONE,
	VM_CAUSE_POWER_OFF, /* the guest turned itself off */
	VM_CAUSE_RESET, /* the guest, or somebody at the control socket, wants to start over */
	VM_CAUSE_TRIPLE_FAULT, /* a processor gave up: to hardware a reset */
	VM_CAUSE_PANIC, /* the guest's kernel says so */
	VM_CAUSE_QUIT, /* somebody at the control socket */
	VM_CAUSE_SIGNAL, /* SIGTERM, SIGINT, SIGHUP */
	VM_CAUSE_FAILED, /* the accelerator cannot go on; vm->failure has the reason */
	VM_N_CAUSES_,
};

/**
 * struct vm - one machine
 * @lock: guards everything of the devices.  Held by a processor's thread while a device answers it
 *        and by the event loop around callbacks; nobody blocks while holding it
 * @pio, @mmio: ports and memory-mapped registers
 * @devs: newest first
 * @nr_cpus: 1 to VM_CPUS_MAX
 * @rings: for disks that come while it runs, see blk_rings_reserve(); NULL for none
 * @cause: atomic; why it stops, VM_CAUSE_NONE while it runs
 * @cause_fd: eventfd that is written when @cause is set
 * @failure: text for VM_CAUSE_FAILED
 */
struct vm {
	pthread_mutex_t lock;
	struct gmem mem;
	struct bus pio, mmio;
	struct loop *loop;
	struct accel *accel;
	struct dev *devs;
	struct blk_rings *rings;
	unsigned nr_cpus;
	enum vm_cause cause;
	int cause_fd;
	char failure[1024];
};

/**
 * vm_init() - lock, loop and memory; no accelerator and no devices yet
 * @ret: zero-initialised; release with vm_fini(), also after a failure
 * @memory: bytes; @flags: of enum gmem_flags
 * Return: 0; -errno with a message.
 */
int vm_init(struct vm *ret, uint64_t memory, unsigned flags, struct err *err);

/** vm_fini() - release devices and all else but the accelerator, which is gone already */
void vm_fini(struct vm *vm);

/** vm_lock() - take the lock; @vm is a struct vm, void for the event loop */
void vm_lock(void *vm);

/** vm_unlock() - release it */
void vm_unlock(void *vm);

/**
 * vm_request() - stop the machine for a reason
 * Context: any thread, any time, also in a signal handler.  Later requests are ignored until
 * vm_request_done().
 */
void vm_request(struct vm *vm, enum vm_cause cause);

/** vm_cause() - reason why the machine has to stop, VM_CAUSE_NONE if it does not */
enum vm_cause vm_cause(const struct vm *vm);

/** vm_request_done() - the machine starts over */
void vm_request_done(struct vm *vm);
