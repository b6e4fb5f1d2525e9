/* SPDX-License-Identifier: MIT */
/**
 * DOC: a processor in software, from power-on
 *
 * It executes until a device is needed; halted, it sleeps until somebody tells it something.
 */
#include "vmm/accel/soft/vcpu/vcpu.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/simd/simd.h"
#include "vmm/accel/soft/translate/translate.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define WATCH_MIN_US 10 /* how long a halt looks for events */
#define WATCH_MAX_US 100
#define WATCH_YIELD 64 /* looks after which somebody else may run */

static void eoi(void *arg, uint8_t vector)
{
	struct vcpu *v = arg;

	v->eoi[vector / 32] |= 1u << vector % 32;
	cpu_set_event(v->cpu, EVENT_KICK);
}

static void wake(void *arg, unsigned index)
{
	struct vcpu *v = arg;

	world_wake(v->world, index);
}

void *vcpu_ram(const struct vcpu *v, uint64_t gpa, uint64_t len)
{
	for (unsigned i = 0; i < v->ram->nr; i++) {
		uint64_t at = gpa - v->ram->region[i].gpa, size = v->ram->region[i].size;

		if (gpa >= v->ram->region[i].gpa && at < size && len <= size - at && !v->ram->region[i].readonly)
			return v->ram->region[i].host + at;
	}
	return NULL;
}

static void reset(struct vcpu *v)
{
	v->lapic->id = v->index;
	lapic_reset(v->lapic);
	pv_reset(&v->pv);
	memset(v->eoi, 0, sizeof(v->eoi));
	cpu_reset(v->cpu);
	debug_watch(v->cpu);
	if (v->cpu->translator != NULL)
		translate_forget(v->cpu);
	v->cpu->apic_base = v->lapic->base;
	vcpu_timer(v);
}

int vcpu_new(struct world *w, const struct cpu_ram *ram, struct cpu_page *pages, unsigned index, struct vcpu **ret)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	int r;

	if (v == NULL)
		return -ENOMEM;
	v->index = index;
	v->world = w;
	v->ram = ram;
	v->lapic = &w->lapic[index];
	v->slot = &w->slot[index];
	v->bus = (struct apic_bus) { .lapic = w->lapic, .nr = w->nr, .tsc_khz = w->clock.khz, .wake = wake, .eoi = eoi,
				     .arg = v };
	r = cpu_make(&w->cpu[index], &vcpu_ops, ram, index, w->nr);
	if (r < 0) {
		free(v);
		return r;
	}
	v->cpu = &w->cpu[index];
	v->cpu->owner = v;
	v->cpu->pages = pages;
	v->cpu->nr_pages = w->translate ? w->nr_pages : 0;
	v->features = *cpuid_features();
	memcpy(v->features.word, w->feature, sizeof(v->features.word));
	v->features.xcr0 = cpu_model_xcr0(v->features.word, v->features.xcr0);
	v->cpu->cpuid = &v->features;
	reset(v);
	r = w->translate ? translate_new(v->cpu, w->cache, NULL) : 0;
	if (r == 0 && w->verify)
		r = translate_verify(v->cpu);
	if (r < 0) {
		vcpu_free(v);
		return r;
	}
	*ret = v;
	return 0;
}

void vcpu_free(struct vcpu *v)
{
	if (v == NULL)
		return;
	alarm_fini(&v->alarm);
	translate_free(v->cpu);
	cpu_unmake(v->cpu);
	free(v);
}

static struct cpu_seg segment(uint16_t selector, uint16_t attr)
{
	return (struct cpu_seg) { .limit = UINT32_MAX, .sel = selector, .attr = (uint16_t) (attr | SEG_P | SEG_G) };
}

static void start_at(struct vcpu *v, const struct accel_start *start)
{
	bool long64 = start->mode == ACCEL_MODE_LONG64;
	struct cpu *c = v->cpu;

	c->reg[REG_RIP] = start->rip;
	c->reg[REG_RBX] = start->rbx;
	c->reg[REG_RSI] = start->rsi;
	c->cr0 = CR0_PE | CR0_ET | CR0_NE | (long64 ? CR0_PG : 0);
	c->cr3 = long64 ? start->cr3 : 0;
	c->cr4 = long64 ? CR4_PAE : 0;
	c->efer = long64 ? EFER_LME | EFER_LMA : 0;
	c->seg[SEG_CS] = segment(0x10, SEG_S | SEG_TYPE_CODE | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED |
				       (long64 ? SEG_L : SEG_DB));
	for (unsigned i = 0; i < SEG_NR; i++)
		if (i == SEG_ES || i == SEG_SS || i == SEG_DS || i == SEG_FS || i == SEG_GS)
			c->seg[i] = segment(0x18, SEG_S | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED | SEG_DB);
	c->tr = (struct cpu_seg) { .limit = 0x67, .attr = SEG_P | 11 };
	c->gdt = (struct cpu_table) { .base = start->gdt, .limit = 4 * 8 - 1 };
	c->idt = (struct cpu_table) { 0 };
	cpu_set_rflags(c, 2);
	cpu_mode_changed(c);
	cpu_flush_tlb(c, true);
}

int vcpu_adopt(struct vcpu *v)
{
	int r;

	if (v->alarm.made)
		return 0;
	v->pv.begun = clock_ns();
	v->pv.left = clock_now();
	v->armed = 0;
	r = v->world->translate ? translate_adopt(v->cpu) : 0;
	return r < 0 ? r : alarm_init(&v->alarm, &v->cpu->event, EVENT_KICK);
}

void vcpu_take_events(struct vcpu *v)
{
	uint32_t e = lapic_events(v->lapic);

	if (e & LAPIC_EVENT_INIT) {
		lapic_init(v->lapic);
		cpu_set_event(v->cpu, EVENT_INIT);
	}
	if (e & LAPIC_EVENT_STARTUP) {
		v->cpu->sipi = e >> LAPIC_EVENT_VECTOR_SHIFT & 0xFF;
		cpu_set_event(v->cpu, EVENT_SIPI);
	}
	if (e & LAPIC_EVENT_NMI)
		cpu_nmi(v->cpu);
	if (e & LAPIC_EVENT_NMI_AGAIN)
		cpu_nmi(v->cpu);
}

/* Events that end a halt: the struct cpu looks at them, or we do. */
static uint32_t wakes(const struct cpu *c)
{
	if (c->activity == CPU_WAITS_SIPI)
		return EVENT_KICK | EVENT_INIT | EVENT_SIPI | EVENT_PAGES;
	return EVENT_KICK | EVENT_INIT | EVENT_NMI | EVENT_PAGES | (c->flags & FL_IF ? EVENT_IRQ : 0);
}

/* Look for an event for a while, but let others have the processor. */
static bool watch(const struct vcpu *v, uint64_t begun)
{
	const uint32_t *event = &v->cpu->event, awaited = wakes(v->cpu);

	for (unsigned i = 1; clock_now() - begun < v->watch; i++) {
		if (__atomic_load_n(event, __ATOMIC_SEQ_CST) & awaited)
			return true;
		if (i % WATCH_YIELD == 0)
			(void) syscall(SYS_sched_yield); /* never fails */
		__builtin_ia32_pause();
	}
	return false;
}

/*
 * To sleep and be woken takes longer than many a device needs to answer, the more so when this host is a guest itself.
 * So a halt begins with looking, for longer the more sleeps were short, and not at all after one that was long.
 */
static void sleep_until_event(struct vcpu *v)
{
	uint32_t *event = &v->cpu->event, seen;
	uint64_t begun = clock_now(), us = v->world->clock.khz / 1000, slept;

	if (!watch(v, begun)) {
		__atomic_store_n(&v->slot->asleep, 1, __ATOMIC_SEQ_CST);
		seen = __atomic_load_n(event, __ATOMIC_SEQ_CST);
		if (!(seen & wakes(v->cpu)))
			(void) syscall(SYS_futex, event, FUTEX_WAIT, seen, NULL, NULL, 0); /* whatever wakes: look again */
		__atomic_store_n(&v->slot->asleep, 0, __ATOMIC_SEQ_CST);
		slept = clock_now() - begun;
		if (slept > WATCH_MAX_US * us)
			v->watch = 0;
		else
			v->watch = v->watch * 2 < WATCH_MIN_US * us ? WATCH_MIN_US * us : v->watch * 2;
		if (v->watch > WATCH_MAX_US * us)
			v->watch = WATCH_MAX_US * us;
	}
	v->pv.idle += clock_now() - begun;
}

static bool take_eoi(struct vcpu *v)
{
	for (unsigned i = 0; i < 8; i++) {
		if (v->eoi[i] == 0)
			continue;
		vcpu_count(v, STAT_EOI);
		v->slot->exit = (struct vcpu_exit) { .kind = VCPU_EXIT_EOI, .addr = i * 32 + (unsigned) __builtin_ctz(v->eoi[i]) };
		v->eoi[i] &= v->eoi[i] - 1;
		return true;
	}
	return false;
}

/* One stretch of execution; true when @v->slot->exit is filled. */
static bool stretch(struct vcpu *v)
{
	const struct cpu_exit *e = &v->cpu->exit;

	if (v->world->translate)
		translate_run(v->cpu);
	else
		cpu_run(v->cpu);
	switch (e->kind) {
	case CPU_EXIT_KICK:
		vcpu_count(v, STAT_KICK);
		return false;
	case CPU_EXIT_HALT:
		vcpu_count(v, STAT_HALT);
		sleep_until_event(v);
		return false;
	case CPU_EXIT_TRIPLE_FAULT:
		v->slot->exit = (struct vcpu_exit) { .kind = VCPU_EXIT_TRIPLE_FAULT };
		return true;
	case CPU_EXIT_DEBUG:
		v->slot->exit = (struct vcpu_exit) { .kind = VCPU_EXIT_DEBUG, .size = e->size, .addr = e->addr,
						     .data = e->data };
		return true;
	default:
		vcpu_count(v, e->kind == CPU_EXIT_PIO ? STAT_PIO : STAT_MMIO);
		v->slot->exit = (struct vcpu_exit) { .kind = e->kind == CPU_EXIT_PIO ? VCPU_EXIT_PIO : VCPU_EXIT_MMIO,
					       .write = e->write, .size = e->size, .addr = e->addr, .data = e->data };
		return true;
	}
}

static bool write_notify(const struct vcpu *v, int fd)
{
	vcpu_count(v, STAT_NOTIFY);
	return eventfd_write(fd, 1) == 0;
}

/* A write that is one to an eventfd; false: it is none. */
static bool notify(const struct vcpu *v)
{
	const struct vcpu_exit *e = &v->slot->exit;

	if (e->kind != VCPU_EXIT_MMIO || !e->write)
		return false;
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++) {
		const struct world_notify *n = &v->world->notify[i];
		int fd = __atomic_load_n(&n->fd, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&n->gpa, __ATOMIC_ACQUIRE) == e->addr && fd >= 0)
			return write_notify(v, fd);
	}
	return false;
}

static int run(struct vcpu *v)
{
	int r = vcpu_adopt(v);

	if (r < 0)
		return r;
	v->cpu->exit.data = v->slot->exit.data;
	for (;;) {
		if (__atomic_exchange_n(&v->slot->kick, 0, __ATOMIC_SEQ_CST)) {
			v->slot->exit = (struct vcpu_exit) { .kind = VCPU_EXIT_KICK };
			return 0;
		}
		vcpu_take_events(v);
		vcpu_timer(v);
		pv_steal(v);
		if (take_eoi(v) || (stretch(v) && !notify(v)))
			return 0;
	}
}

int vcpu_do(struct vcpu *v)
{
	int r;

	switch (v->slot->command) {
	case WORLD_RUN:
		v->pv.idle += v->pv.left != 0 ? clock_now() - v->pv.left : 0;
		r = run(v);
		v->pv.left = clock_now();
		return r;
	case WORLD_RESET:
		reset(v);
		return 0;
	case WORLD_START:
		start_at(v, &v->slot->start);
		return 0;
	case WORLD_REGS:
		debug_write_regs(v, &v->slot->regs);
		return 0;
	case WORLD_DEBUG:
		return debug_set(v, &v->slot->debug);
	case WORLD_SAVE:
		return state_save(v, &v->slot->state);
	case WORLD_LOAD:
		return state_load(v, &v->slot->state);
	}
	return -EINVAL;
}
