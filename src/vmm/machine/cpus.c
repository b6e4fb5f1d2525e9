/* SPDX-License-Identifier: MIT */
/**
 * DOC: processors' threads
 *
 * A thread enters the guest, and carries out what the guest wants of devices with the machine's lock
 * held.  It stands still ("parks") while the machine is paused, and when somebody has requested that
 * it stops: what comes after a write to the power register is not executed.
 */
#include "vmm/machine/cpus.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/trace.h"
#include "vmm/core/vm.h"
#include "vmm/machine/confine.h"

#define STACK_SIZE (256u << 10) /* bytes: devices have no deep calls */

/** struct cpu - @held: atomic: it stands still while others execute; @tid: atomic: written by the thread */
struct cpu {
	struct cpus *all;
	struct accel_vcpu *vcpu;
	pthread_t thread;
	bool started, held;
	int tid;
};

/**
 * struct cpus - all processors
 * @confined: threads make only the system calls of their role
 * @paused, @quit: atomic, written with the lock held
 * @parked: threads that stand still, guarded by the lock
 * @changed: signalled when one of these changes
 * @debug, @debug_arg: see cpus_on_debug()
 */
struct cpus {
	struct vm *vm;
	bool paused, quit, confined;
	unsigned nr, parked;
	pthread_cond_t changed;
	bool (*debug)(void *arg, unsigned index, const struct accel_exit *e);
	void *debug_arg;
	struct cpu cpu[VM_CPUS_MAX];
};

static bool must_stand(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->all->paused, __ATOMIC_ACQUIRE) || __atomic_load_n(&cpu->held, __ATOMIC_ACQUIRE) ||
	       vm_cause(cpu->all->vm) != VM_CAUSE_NONE;
}

static bool must_end(const struct cpus *c)
{
	return __atomic_load_n(&c->quit, __ATOMIC_ACQUIRE);
}

static void park(const struct cpu *cpu)
{
	struct cpus *c = cpu->all;

	vm_lock(c->vm);
	c->parked++;
	(void) pthread_cond_broadcast(&c->changed); /* cannot fail */
	while (must_stand(cpu) && !must_end(c))
		(void) pthread_cond_wait(&c->changed, &c->vm->lock); /* cannot fail */
	c->parked--;
	vm_unlock(c->vm);
	if (c->vm->accel->ops->vcpu_paused != NULL)
		c->vm->accel->ops->vcpu_paused(cpu->vcpu);
}

static void access_one(const struct bus *bus, const struct accel_exit *e, uint8_t *data)
{
	uint64_t v = 0;

	if (e->write) {
		memcpy(&v, data, e->size);
		bus_write(bus, e->addr, e->size, v);
	} else {
		v = bus_read(bus, e->addr, e->size);
		memcpy(data, &v, e->size);
	}
	TRACE(e->kind == ACCEL_EXIT_PIO ? TRACE_PORT : TRACE_REGISTER, "%#" PRIx64 " %s %#" PRIx64 ", %u bytes", e->addr,
	      e->write ? "gets" : "is", v, e->size);
}

static void access_all(struct vm *vm, const struct bus *bus, const struct accel_exit *e)
{
	if (e->size != 1 && e->size != 2 && e->size != 4 && e->size != 8) { /* no device has such a register */
		if (!e->write)
			memset(e->data, 0xFF, (size_t) e->count * e->size);
		return;
	}
	vm_lock(vm);
	for (uint32_t i = 0; i < e->count; i++)
		access_one(bus, e, e->data + (size_t) i * e->size);
	vm_unlock(vm);
}

static void kick_all(struct cpus *c)
{
	for (unsigned i = 0; i < c->nr; i++)
		c->vm->accel->ops->vcpu_kick(c->cpu[i].vcpu);
}

/* All stop, if who debugs the machine says so. */
static void stop_for_debugger(struct cpu *cpu, const struct accel_exit *e)
{
	struct cpus *c = cpu->all;

	vm_lock(c->vm);
	if (c->debug != NULL && c->debug(c->debug_arg, (unsigned) (cpu - c->cpu), e)) {
		__atomic_store_n(&c->paused, true, __ATOMIC_RELEASE);
		kick_all(c);
	}
	vm_unlock(c->vm);
}

static void carry_out(struct cpu *cpu, const struct accel_exit *e)
{
	struct vm *vm = cpu->all->vm;

	if (e->kind > ACCEL_EXIT_MMIO)
		TRACE(TRACE_PROCESSOR, "%u stops, reason %d at %#" PRIx64, (unsigned) (cpu - cpu->all->cpu), (int) e->kind, e->addr);
	switch (e->kind) {
	case ACCEL_EXIT_KICKED:
		break;
	case ACCEL_EXIT_PIO:
		access_all(vm, &vm->pio, e);
		break;
	case ACCEL_EXIT_MMIO:
		access_all(vm, &vm->mmio, e);
		break;
	case ACCEL_EXIT_TRIPLE_FAULT:
		vm_request(vm, VM_CAUSE_TRIPLE_FAULT);
		break;
	case ACCEL_EXIT_RESET:
		vm_request(vm, VM_CAUSE_RESET);
		break;
	case ACCEL_EXIT_POWER_OFF:
		vm_request(vm, VM_CAUSE_POWER_OFF);
		break;
	case ACCEL_EXIT_DEBUG:
		stop_for_debugger(cpu, e);
		break;
	}
}

static void fail(struct vm *vm, const struct err *err)
{
	vm_lock(vm);
	if (vm->failure[0] == '\0')
		(void) snprintf(vm->failure, sizeof(vm->failure), "%s", err->text);
	vm_unlock(vm);
	vm_request(vm, VM_CAUSE_FAILED);
}

static void *run(void *arg)
{
	struct cpu *cpu = arg;
	struct cpus *c = cpu->all;
	const struct accel_ops *ops = c->vm->accel->ops;
	struct err err = { 0 };

	__atomic_store_n(&cpu->tid, gettid(), __ATOMIC_RELAXED);
	if (c->confined && !c->vm->accel->makes_code && confine_thread(CONFINE_CPU, &err) < 0)
		fail(c->vm, &err);
	while (!must_end(c)) {
		struct accel_exit e;

		if (must_stand(cpu)) {
			park(cpu);
			continue;
		}
		if (ops->vcpu_run(cpu->vcpu, &e, &err) < 0)
			fail(c->vm, &err);
		else
			carry_out(cpu, &e);
	}
	return NULL;
}

/* Signals are the first thread's; the accelerator's kick stays open. */
static int start_thread(struct cpu *cpu)
{
	pthread_attr_t attr;
	sigset_t block, old;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	(void) sigfillset(&block);
	(void) sigdelset(&block, SIGRTMIN);
	(void) pthread_sigmask(SIG_SETMASK, &block, &old); /* valid arguments */
	r = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (r == 0)
		r = pthread_create(&cpu->thread, &attr, run, cpu);
	(void) pthread_sigmask(SIG_SETMASK, &old, NULL); /* valid arguments */
	(void) pthread_attr_destroy(&attr); /* cannot fail */
	cpu->started = r == 0;
	return -r;
}

int cpus_new(struct vm *vm, bool confined, struct cpus **ret, struct err *err)
{
	struct cpus *c = calloc(1, sizeof(*c));
	int r = 0;

	if (c == NULL)
		return err_set(err, -ENOMEM, "make processors");
	c->vm = vm;
	c->paused = true;
	c->confined = confined;
	(void) pthread_cond_init(&c->changed, NULL); /* cannot fail on Linux */
	for (unsigned i = 0; i < vm->nr_cpus && r == 0; i++) {
		c->cpu[i].all = c;
		r = vm->accel->ops->vcpu_new(vm->accel, i, &c->cpu[i].vcpu, err);
		c->nr += r == 0;
	}
	for (unsigned i = 0; i < c->nr && r == 0; i++) {
		r = start_thread(&c->cpu[i]);
		if (r < 0)
			(void) err_set(err, r, "start thread of processor %u", i);
	}
	if (r < 0) {
		cpus_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct accel_vcpu *cpus_vcpu(struct cpus *c, unsigned index)
{
	return c->cpu[index].vcpu;
}

int cpus_thread(const struct cpus *c, unsigned index)
{
	return __atomic_load_n(&c->cpu[index].tid, __ATOMIC_RELAXED);
}

void cpus_pause(struct cpus *c)
{
	__atomic_store_n(&c->paused, true, __ATOMIC_RELEASE);
	kick_all(c);
	while (c->parked < c->nr)
		(void) pthread_cond_wait(&c->changed, &c->vm->lock); /* cannot fail */
}

void cpus_resume(struct cpus *c)
{
	__atomic_store_n(&c->paused, false, __ATOMIC_RELEASE);
	(void) pthread_cond_broadcast(&c->changed); /* cannot fail */
}

void cpus_hold(struct cpus *c, unsigned index, bool held)
{
	__atomic_store_n(&c->cpu[index].held, held, __ATOMIC_RELEASE);
}

void cpus_on_debug(struct cpus *c, bool (*stop)(void *arg, unsigned index, const struct accel_exit *e), void *arg)
{
	c->debug = stop;
	c->debug_arg = arg;
}

void cpus_free(struct cpus *c)
{
	if (c == NULL)
		return;
	vm_lock(c->vm);
	__atomic_store_n(&c->quit, true, __ATOMIC_RELEASE);
	(void) pthread_cond_broadcast(&c->changed); /* cannot fail */
	vm_unlock(c->vm);
	kick_all(c);
	for (unsigned i = 0; i < c->nr; i++)
		if (c->cpu[i].started)
			(void) pthread_join(c->cpu[i].thread, NULL); /* started and never joined before */
	(void) pthread_cond_destroy(&c->changed); /* nobody waits */
	free(c);
}
