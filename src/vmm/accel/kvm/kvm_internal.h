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
 * @answered: the last exit was an access to a device, which ends when it runs again; @again: that led to another
 *            one, which vcpu_run has not told of yet
 * @stats: file of what the kernel counts, negative for none
 * @ports, @registers, @kicks: how often it asked devices, and was told to stop
 * @power_on: its state before it ran
 */
struct accel_vcpu {
	struct kvm *kvm;
	unsigned index;
	int fd, stats;
	struct kvm_run *run;
	pthread_t thread;
	bool running, answered, again;
	uint64_t ports, registers, kicks;
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
int kvm_probe(bool again, struct err *err);

/** kvm_answer_read() - what kvm_probe() found out before: 1 yes, 0 unknown; -EOPNOTSUPP no, with its message */
int kvm_answer_read(struct err *err);

/** kvm_answer_keep() - remember it: "yes" or a message; nothing if there is no place for it */
void kvm_answer_keep(const char *answer);

/** kvm_open() - accel_ops.open */
int kvm_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);

/** kvm_close() - accel_ops.close */
void kvm_close(struct accel *a);

/** kvm_cpuid_read() - leaves that the host's KVM supports; the caller frees them; 0 or -errno */
int kvm_cpuid_read(int dev, struct kvm_cpuid2 **ret);

/** kvm_cpuid_choose() - leave what a model has; 0; -ENOTSUP with a message */
int kvm_cpuid_choose(struct kvm_cpuid2 *c, const struct cpu_model *model, struct err *err);

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

/** kvm_vcpu_paused() - accel_ops.vcpu_paused */
void kvm_vcpu_paused(struct accel_vcpu *v);

/** kvm_stats_open() - get ready for kvm_stats(); the processor has not run yet */
void kvm_stats_open(struct accel_vcpu *v);

/** kvm_stats() - accel_ops.stats */
void kvm_stats(struct accel_vcpu *v, accel_stat_fn *one, void *arg);

/** kvm_regs_read() - accel_ops.regs_read */
int kvm_regs_read(struct accel_vcpu *v, struct accel_regs *ret);

/** kvm_regs_write() - accel_ops.regs_write */
int kvm_regs_write(struct accel_vcpu *v, const struct accel_regs *regs);

/** kvm_settle() - an access to a device that was answered is over; 0; -EAGAIN: it leads to another one; -errno */
int kvm_settle(struct accel_vcpu *v);

/** kvm_portable_read() - accel_ops.state_read */
int kvm_portable_read(struct accel_vcpu *v, struct accel_state *ret, struct err *err);

/** kvm_portable_write() - accel_ops.state_write */
int kvm_portable_write(struct accel_vcpu *v, const struct accel_state *state, struct err *err);

/** kvm_debug() - accel_ops.debug */
int kvm_debug(struct accel_vcpu *v, const struct accel_debug *debug);

/** kvm_debug_exit() - what a debugger is told of KVM_EXIT_DEBUG */
void kvm_debug_exit(const struct accel_vcpu *v, struct accel_exit *ret);

/**
 * kvm_state_read() - all state of a processor
 * @ret: returns; the caller frees it
 * Return: 0; -errno.
 */
int kvm_state_read(const struct accel_vcpu *v, struct kvm_state **ret);

/** kvm_state_write() - the processor is again as it was; 0 or -errno */
int kvm_state_write(const struct accel_vcpu *v, const struct kvm_state *state);
