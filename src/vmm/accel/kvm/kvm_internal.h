/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/accel.h"
#include "vmm/core/vm.h"

#define KVM_CPUID_MAX 256 /* leaves; hosts have around 60 */
#define KVM_MSRS_MAX 512 /* registers that are put back at a reset; hosts have around 100 */

struct kvm_state;

/**
 * struct accel_vcpu - a processor
 * @run: memory shared with the kernel
 * @thread, @running: who runs it; @running is atomic and set once @thread is known
 * @power_on: its state before it ran
 */
struct accel_vcpu {
	struct kvm *kvm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool running;
	struct kvm_state *power_on;
};

/**
 * struct kvm - a machine of KVM
 * @dev: /dev/kvm
 * @vm: the machine
 * @nr_slots: ranges of memory that the guest has
 * @cpuid: what the host supports
 * @chip: interrupt controllers (two 8259, I/O APIC) before anything ran
 */
struct kvm {
	struct accel base;
	int dev, vm;
	unsigned nr_cpus, nr_slots;
	size_t run_size;
	struct kvm_cpuid2 *cpuid;
	struct kvm_irqchip chip[3];
	struct accel_vcpu vcpu[VM_CPUS_MAX];
};

/** kvm_dev_open() - /dev/kvm; descriptor or -errno with a message that says how to make it usable */
int kvm_dev_open(struct err *err);

/** kvm_probe() - accel_ops.probe */
int kvm_probe(struct err *err);

/** kvm_open() - accel_ops.open */
int kvm_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);

/** kvm_close() - accel_ops.close */
void kvm_close(struct accel *a);

/** kvm_cpuid_read() - leaves that the host's KVM supports; the caller frees them; 0 or -errno */
int kvm_cpuid_read(int dev, struct kvm_cpuid2 **ret);

/** kvm_cpuid_set() - give a processor its leaves; 0 or -errno */
int kvm_cpuid_set(const struct kvm *kvm, int vcpu_fd, unsigned index);

/** kvm_vcpu_new() - accel_ops.vcpu_new */
int kvm_vcpu_new(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err);

/** kvm_vcpu_close() - release a processor that kvm_vcpu_new() made */
void kvm_vcpu_close(struct accel_vcpu *v);

/** kvm_vcpu_start() - accel_ops.vcpu_start */
int kvm_vcpu_start(struct accel_vcpu *v, const struct accel_start *start, struct err *err);

/** kvm_vcpu_run() - accel_ops.vcpu_run */
int kvm_vcpu_run(struct accel_vcpu *v, struct accel_exit *ret, struct err *err);

/** kvm_vcpu_kick() - accel_ops.vcpu_kick */
void kvm_vcpu_kick(struct accel_vcpu *v);

/**
 * kvm_state_read() - all state of a processor
 * @ret: returns; the caller frees it
 * Return: 0; -errno.
 */
int kvm_state_read(const struct accel_vcpu *v, struct kvm_state **ret);

/** kvm_state_write() - the processor is again as it was; 0 or -errno */
int kvm_state_write(const struct accel_vcpu *v, const struct kvm_state *state);
