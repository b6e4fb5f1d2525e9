/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/accel.h"
#include "vmm/accel/soft/apic/ioapic.h"
#include "vmm/accel/soft/vcpu/vcpu.h"

#define SOFT_NOTIFY_MAX 256 /* addresses that have an eventfd; a device has one per queue */

/** struct accel_vcpu - a processor; @exit: what vcpu_run() wants, valid until the next call */
struct accel_vcpu {
	struct soft *soft;
	struct vcpu *vcpu;
	struct vcpu_exit *exit;
	unsigned index;
};

/** struct soft_notify - a write to @gpa is one to eventfd @fd */
struct soft_notify {
	uint64_t gpa;
	int fd;
};

/**
 * struct soft - a machine whose processors are software
 * @ram: what the guest has
 * @world: memory that the processors share
 * @notify: @nr_notify of them, guarded by @lock
 */
struct soft {
	struct accel base;
	unsigned nr_cpus, nr_notify;
	struct cpu_ram ram;
	struct vcpu_world *world;
	struct vcpu_peers peers;
	struct apic_bus bus;
	struct ioapic ioapic;
	pthread_mutex_t lock;
	struct soft_notify notify[SOFT_NOTIFY_MAX];
	struct accel_vcpu vcpu[VM_CPUS_MAX];
};

/** soft_notify_find() - write the eventfd of @gpa; false: it has none */
bool soft_notify_find(struct soft *s, uint64_t gpa);

/** soft_notify_add() - accel_ops.notify_add */
int soft_notify_add(struct accel *a, uint64_t gpa, int fd);

/** soft_notify_remove() - accel_ops.notify_remove */
void soft_notify_remove(struct accel *a, uint64_t gpa, int fd);
