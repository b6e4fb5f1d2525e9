/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/accel/accel.h"
#include "vmm/accel/soft/apic/ioapic.h"
#include "vmm/accel/soft/patience.h"
#include "vmm/accel/soft/vcpu/vcpu.h"

/**
 * struct accel_vcpu - a processor
 * @vcpu: it, when it is executed by the calling thread; NULL when by a process of its own
 * @pid, @handle: that process, 0 and -1 for none; @command, @answer: pipes to and from it
 * @exit: copy of what the guest wants
 * @patience: of the thread that waits for @answer
 */
struct accel_vcpu {
	struct soft *soft;
	unsigned index;
	struct vcpu *vcpu;
	pid_t pid;
	int handle;
	int command, answer;
	struct vcpu_exit exit;
	struct patience patience;
};

/**
 * struct soft - a machine whose processors are software
 * @threads: processors are executed by the machine's threads, not by processes
 * @ram: what the guest has
 * @region_fd: descriptors of @ram
 * @world: shared by all processors; @world_fd: its memory
 * @pages: what processors keep of guest memory, shared too, @nr_pages from the first processor on; @pages_fd: its memory
 * @mem: guest memory, for devices
 * @program: this program's file
 * @notify: as @world has them, with descriptors of this process; guarded by @lock
 */
struct soft {
	struct accel base;
	unsigned nr_cpus;
	bool threads;
	struct cpu_ram ram;
	int region_fd[CPU_RAM_MAX];
	uint64_t region_offset[CPU_RAM_MAX];
	struct world *world;
	struct cpu_page *pages;
	uint64_t nr_pages;
	struct gmem *mem;
	int world_fd, pages_fd, program;
	struct apic_bus bus;
	struct ioapic ioapic;
	pthread_mutex_t lock;
	struct world_notify notify[WORLD_NOTIFY_MAX];
	struct accel_vcpu vcpu[VM_CPUS_MAX];
};

/** soft_regs_read() - accel_ops.regs_read */
int soft_regs_read(struct accel_vcpu *v, struct accel_regs *ret);

/** soft_regs_write() - accel_ops.regs_write */
int soft_regs_write(struct accel_vcpu *v, const struct accel_regs *regs);

/** soft_debug() - accel_ops.debug */
int soft_debug(struct accel_vcpu *v, const struct accel_debug *debug);

/** soft_state_read() - accel_ops.state_read */
int soft_state_read(struct accel_vcpu *v, struct accel_state *ret, struct err *err);

/** soft_state_write() - accel_ops.state_write */
int soft_state_write(struct accel_vcpu *v, const struct accel_state *state, struct err *err);

/** soft_notify() - write the eventfd of @gpa; false: it has none */
bool soft_notify(struct soft *s, uint64_t gpa);

/** soft_notify_reserve() - accel_ops.notify_reserve */
void soft_notify_reserve(struct accel *a, int fd);

/** soft_notify_forget() - accel_ops.notify_forget */
void soft_notify_forget(struct accel *a, int fd);

/** soft_notify_add() - accel_ops.notify_add */
int soft_notify_add(struct accel *a, uint64_t gpa, int fd);

/** soft_notify_remove() - accel_ops.notify_remove */
void soft_notify_remove(struct accel *a, uint64_t gpa, int fd);

/**
 * soft_spawn() - start the process of a processor
 * Return: 0; -errno with a message.
 */
int soft_spawn(struct accel_vcpu *v, struct err *err);

/** soft_reap() - end that process and release; nothing if there is none */
void soft_reap(struct accel_vcpu *v);

/**
 * soft_do() - let a processor carry out a command, and wait
 * Return: 0; -errno with a message.
 */
int soft_do(struct accel_vcpu *v, enum world_command command, struct err *err);
