/* SPDX-License-Identifier: MIT */
/**
 * DOC: processors in software as accelerator
 *
 * For hosts without a KVM that runs ordinary guests.  Processors and local APICs are in vcpu/ and cpu/; here
 * are the parts that belong to the machine as a whole: memory, I/O APIC, eventfds for writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "vmm/accel/soft/soft_internal.h"
#include "vmm/core/gmem.h"

static void soft_close(struct accel *a)
{
	struct soft *s = (struct soft *) a;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->nr_cpus; i++)
		vcpu_free(s->vcpu[i].vcpu);
	ioapic_fini(&s->ioapic);
	(void) pthread_mutex_destroy(&s->lock); /* nobody holds it */
	if (s->world != NULL)
		(void) munmap(s->world, sizeof(*s->world)); /* it is mapped */
	free(s);
}

static int soft_map(struct accel *a, uint64_t gpa, void *host, uint64_t size, bool readonly)
{
	struct soft *s = (struct soft *) a;
	unsigned n = s->ram.nr;

	if (n == CPU_RAM_MAX)
		return -ENOSPC;
	s->ram.region[n].gpa = gpa;
	s->ram.region[n].size = size;
	s->ram.region[n].host = host;
	s->ram.region[n].readonly = readonly;
	s->ram.nr++;
	return 0;
}

static int make_world(struct soft *s)
{
	void *p = mmap(NULL, sizeof(*s->world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	s->world = p;
	s->world->nr = s->nr_cpus;
	clock_begin(&s->world->clock);
	s->peers.world = s->world;
	s->bus = (struct apic_bus) { .lapic = s->world->lapic, .nr = s->nr_cpus, .tsc_khz = s->world->clock.khz,
				     .wake = vcpu_wake, .arg = &s->peers };
	return 0;
}

static int soft_vcpu_new(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err)
{
	struct soft *s = (struct soft *) a;
	struct accel_vcpu *v = &s->vcpu[index];
	int r;

	v->soft = s;
	v->index = index;
	r = vcpu_new(&s->peers, &s->ram, index, &v->vcpu, err);
	if (r < 0)
		return r;
	vcpu_reset(v->vcpu);
	*ret = v;
	return 0;
}

static int soft_reset(struct accel *a, struct err *err)
{
	struct soft *s = (struct soft *) a;

	(void) err;
	ioapic_reset(&s->ioapic);
	for (unsigned i = 0; i < s->nr_cpus; i++)
		vcpu_reset(s->vcpu[i].vcpu);
	return 0;
}

static int soft_vcpu_start(struct accel_vcpu *v, const struct accel_start *start, struct err *err)
{
	(void) err;
	vcpu_start(v->vcpu, start);
	return 0;
}

/* What is answered here; true if it was. */
static bool answer(struct soft *s, struct vcpu_exit *e)
{
	uint32_t v;

	if (e->kind == VCPU_EXIT_EOI) {
		ioapic_eoi(&s->ioapic, (uint8_t) e->addr);
		return true;
	}
	if (e->kind != VCPU_EXIT_MMIO)
		return false;
	if (e->write && soft_notify_find(s, e->addr))
		return true;
	if (e->addr < IOAPIC_BASE || e->addr - IOAPIC_BASE >= IOAPIC_SIZE)
		return false;
	if (e->write) {
		ioapic_write(&s->ioapic, e->addr - IOAPIC_BASE, (uint32_t) e->data);
	} else {
		v = ioapic_read(&s->ioapic, e->addr - IOAPIC_BASE);
		e->data = v;
	}
	return true;
}

static int soft_vcpu_run(struct accel_vcpu *v, struct accel_exit *ret, struct err *err)
{
	static const enum accel_exit_kind kinds[] = {
		[VCPU_EXIT_KICK] = ACCEL_EXIT_KICKED,
		[VCPU_EXIT_PIO] = ACCEL_EXIT_PIO,
		[VCPU_EXIT_MMIO] = ACCEL_EXIT_MMIO,
		[VCPU_EXIT_TRIPLE_FAULT] = ACCEL_EXIT_TRIPLE_FAULT,
	};
	struct vcpu_exit *e;
	int r;

	do
		r = vcpu_run(v->vcpu, &e, err);
	while (r == 0 && answer(v->soft, e));
	if (r < 0)
		return r;
	*ret = (struct accel_exit) { .kind = kinds[e->kind], .write = e->write, .size = e->size, .count = 1,
				     .addr = e->addr, .data = (uint8_t *) &e->data };
	return 0;
}

static void soft_vcpu_kick(struct accel_vcpu *v)
{
	vcpu_kick(&v->soft->peers, v->index);
}

static void soft_irq_line(struct accel *a, unsigned gsi, bool level)
{
	ioapic_line(&((struct soft *) a)->ioapic, gsi, level);
}

static void soft_irq_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	(void) apic_send_msi(&((struct soft *) a)->bus, addr, data); /* a wrong address: no interrupt */
}

static int soft_probe(struct err *err)
{
	(void) err;
	return 0;
}

static int soft_open(const struct gmem *mem, unsigned nr_cpus, struct accel **ret, struct err *err);

static const struct accel_ops soft_ops = {
	.name = "soft",
	.summary = "a processor in software, on any host",
	.probe = soft_probe,
	.open = soft_open,
	.map = soft_map,
	.vcpu_new = soft_vcpu_new,
	.reset = soft_reset,
	.vcpu_start = soft_vcpu_start,
	.vcpu_run = soft_vcpu_run,
	.vcpu_kick = soft_vcpu_kick,
	.irq_line = soft_irq_line,
	.irq_msi = soft_irq_msi,
	.notify_add = soft_notify_add,
	.notify_remove = soft_notify_remove,
	.close = soft_close,
};
REGISTRY_ADD(accels, soft_ops);

static int soft_open(const struct gmem *mem, unsigned nr_cpus, struct accel **ret, struct err *err)
{
	struct soft *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "make processors");
	s->base.ops = &soft_ops;
	s->nr_cpus = nr_cpus;
	(void) pthread_mutex_init(&s->lock, NULL); /* cannot fail on Linux */
	ioapic_init(&s->ioapic, &s->bus);
	r = make_world(s);
	for (unsigned i = 0; i < mem->nr_regions && r == 0; i++)
		r = soft_map(&s->base, mem->region[i].gpa, mem->region[i].host, mem->region[i].size, false);
	if (r < 0) {
		soft_close(&s->base);
		return err_set(err, r, "make processors");
	}
	*ret = &s->base;
	return 0;
}
