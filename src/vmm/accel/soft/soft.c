/* SPDX-License-Identifier: MIT */
/**
 * DOC: processors in software as accelerator
 *
 * For hosts without a KVM that runs ordinary guests.  Processors and local APICs are in vcpu/ and cpu/; here
 * are the parts that belong to the machine as a whole: memory, I/O APIC, eventfds for writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/soft_internal.h"
#include "vmm/core/gmem.h"

static void soft_close(struct accel *a)
{
	struct soft *s = (struct soft *) a;

	if (s == NULL)
		return;
	if (s->mem != NULL)
		s->mem->wrote = NULL;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		vcpu_free(s->vcpu[i].vcpu);
		soft_reap(&s->vcpu[i]);
	}
	ioapic_fini(&s->ioapic);
	(void) pthread_mutex_destroy(&s->lock); /* nobody holds it */
	if (s->world != NULL)
		(void) munmap(s->world, sizeof(*s->world)); /* it is mapped */
	if (s->pages != NULL)
		(void) munmap(s->pages, s->nr_pages * sizeof(*s->pages)); /* it is mapped */
	if (s->world_fd >= 0)
		(void) close(s->world_fd); /* memory */
	if (s->pages_fd >= 0)
		(void) close(s->pages_fd); /* likewise */
	if (s->program >= 0)
		(void) close(s->program); /* nothing was written */
	free(s);
}

static int add_region(struct soft *s, uint64_t gpa, void *host, uint64_t size, int fd, uint64_t offset, bool readonly)
{
	unsigned n = s->ram.nr;

	if (n == CPU_RAM_MAX)
		return -ENOSPC;
	s->ram.region[n].gpa = gpa;
	s->ram.region[n].size = size;
	s->ram.region[n].host = host;
	s->ram.region[n].readonly = readonly;
	s->region_fd[n] = fd;
	s->region_offset[n] = offset;
	s->ram.nr++;
	return 0;
}

static int soft_map(struct accel *a, uint64_t gpa, void *host, uint64_t size, int fd, bool readonly)
{
	return add_region((struct soft *) a, gpa, host, size, fd, 0, readonly);
}

static int make_world(struct soft *s)
{
	struct world *w;

	s->world_fd = memfd_create("cleave-world", MFD_CLOEXEC);
	if (s->world_fd < 0 || ftruncate(s->world_fd, sizeof(*w)) < 0)
		return -errno;
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED, s->world_fd, 0);
	if (w == MAP_FAILED)
		return -errno;
	s->world = w;
	w->nr = s->nr_cpus;
	clock_begin(&w->clock);
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++)
		w->notify[i] = s->notify[i] = (struct world_notify) { .gpa = WORLD_NOWHERE, .fd = -1 };
	s->bus = (struct apic_bus) { .lapic = w->lapic, .nr = s->nr_cpus, .tsc_khz = w->clock.khz, .wake = world_wake,
				     .arg = w };
	return 0;
}

/* When all memory is known. */
static int make_pages(struct soft *s)
{
	uint64_t end = 0;
	void *p;

	for (unsigned i = 0; i < s->ram.nr; i++) {
		uint64_t e = s->ram.region[i].gpa + s->ram.region[i].size;

		end = e > end ? e : end;
	}
	s->pages_fd = memfd_create("cleave-pages", MFD_CLOEXEC);
	if (s->pages_fd < 0 || ftruncate(s->pages_fd, (off_t) (end / 4096 * sizeof(*s->pages))) < 0)
		return -errno;
	p = mmap(NULL, end / 4096 * sizeof(*s->pages), PROT_READ | PROT_WRITE, MAP_SHARED, s->pages_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->pages = p;
	s->nr_pages = s->world->nr_pages = end / 4096;
	return 0;
}

static int soft_vcpu_new(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err)
{
	struct soft *s = (struct soft *) a;
	struct accel_vcpu *v = &s->vcpu[index];
	int r = s->pages == NULL ? make_pages(s) : 0;

	if (r < 0)
		return err_set(err, r, "make processors");
	*v = (struct accel_vcpu) { .soft = s, .index = index, .handle = -1, .command = -1, .answer = -1 };
	*ret = v;
	if (!s->threads)
		return soft_spawn(v, err);
	r = vcpu_new(s->world, &s->ram, s->pages, index, &v->vcpu);
	return r < 0 ? err_set(err, r, "make processor %u", index) : 0;
}

static int soft_reset(struct accel *a, struct err *err)
{
	struct soft *s = (struct soft *) a;
	int r = 0;

	ioapic_reset(&s->ioapic);
	for (unsigned i = 0; i < s->nr_cpus && r == 0; i++)
		r = soft_do(&s->vcpu[i], WORLD_RESET, err);
	return r;
}

static int soft_vcpu_start(struct accel_vcpu *v, const struct accel_start *start, struct err *err)
{
	v->soft->world->slot[v->index].start = *start;
	return soft_do(v, WORLD_START, err);
}

/* What is answered here; true if it was. */
static bool answer(struct soft *s, struct vcpu_exit *e)
{
	if (e->kind == VCPU_EXIT_EOI) {
		ioapic_eoi(&s->ioapic, (uint8_t) e->addr);
		return true;
	}
	if (e->kind != VCPU_EXIT_MMIO)
		return false;
	if (e->write && soft_notify(s, e->addr))
		return true;
	if (e->addr < IOAPIC_BASE || e->addr - IOAPIC_BASE >= IOAPIC_SIZE)
		return false;
	if (e->write)
		ioapic_write(&s->ioapic, e->addr - IOAPIC_BASE, (uint32_t) e->data);
	else
		e->data = ioapic_read(&s->ioapic, e->addr - IOAPIC_BASE);
	return true;
}

/* The last answer goes in with the command; what is wanted comes out, and is checked. */
static int run_once(struct accel_vcpu *v, struct err *err)
{
	struct vcpu_exit *shared = &v->soft->world->slot[v->index].exit;
	int r;

	shared->data = v->exit.data;
	r = soft_do(v, WORLD_RUN, err);
	if (r < 0)
		return r;
	v->exit = *(volatile struct vcpu_exit *) shared;
	if ((unsigned) v->exit.kind >= VCPU_N_EXITS_)
		return err_msg(err, -EIO, "processor %u: stopped for reason %u, which there is not", v->index,
			       (unsigned) v->exit.kind);
	return 0;
}

static int soft_vcpu_run(struct accel_vcpu *v, struct accel_exit *ret, struct err *err)
{
	static const enum accel_exit_kind kinds[VCPU_N_EXITS_] = {
		[VCPU_EXIT_KICK] = ACCEL_EXIT_KICKED,
		[VCPU_EXIT_PIO] = ACCEL_EXIT_PIO,
		[VCPU_EXIT_MMIO] = ACCEL_EXIT_MMIO,
		[VCPU_EXIT_TRIPLE_FAULT] = ACCEL_EXIT_TRIPLE_FAULT,
		[VCPU_EXIT_EOI] = ACCEL_EXIT_KICKED,
		[VCPU_EXIT_DEBUG] = ACCEL_EXIT_DEBUG,
	};
	static const enum accel_stop stops[] = {
		[CPU_STOP_STEP] = ACCEL_STOP_STEP, [CPU_STOP_INT3] = ACCEL_STOP_INT3, [CPU_STOP_BREAK] = ACCEL_STOP_BREAK,
	};
	struct vcpu_exit *e = &v->exit;
	int r;

	do
		r = run_once(v, err);
	while (r == 0 && answer(v->soft, e));
	if (r < 0)
		return r;
	*ret = (struct accel_exit) { .kind = kinds[e->kind], .write = e->write, .size = e->size, .count = 1,
				     .addr = e->addr, .data = (uint8_t *) &e->data };
	if (e->kind == VCPU_EXIT_DEBUG) {
		ret->stop = stops[e->size % ARRAY_LEN(stops)];
		ret->which = (uint8_t) (e->data % ACCEL_BREAKS_MAX);
	}
	return 0;
}

static void soft_vcpu_kick(struct accel_vcpu *v)
{
	world_kick(v->soft->world, v->index);
	if (v->vcpu == NULL)
		patience_end(&v->patience);
}

static void soft_irq_line(struct accel *a, unsigned gsi, bool level)
{
	ioapic_line(&((struct soft *) a)->ioapic, gsi, level);
}

static void soft_irq_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	(void) apic_send_msi(&((struct soft *) a)->bus, addr, data); /* a wrong address: no interrupt */
}

static void soft_stats(struct accel_vcpu *v, accel_stat_fn *one, void *arg)
{
	static const char *const names[N_STATS_] = {
		[STAT_PIO] = "ports",	    [STAT_MMIO] = "registers", [STAT_HALT] = "halts",
		[STAT_KICK] = "kicks",	    [STAT_ALARM] = "alarms",   [STAT_IRQ] = "interrupts",
		[STAT_NOTIFY] = "notifies", [STAT_EOI] = "level-eois", [STAT_ASKED] = "pages-asked",
	};
	const struct world *w = v->soft->world;
	const struct cpu *c = &w->cpu[v->index];
	const struct cpu_translated *t = &c->stat_translated;

	one(arg, "instructions", c->stat_insns);
	one(arg, "blocks", c->stat_blocks);
	one(arg, "decoded", c->stat_decoded);
	one(arg, "tlb-misses", c->stat_tlb_miss);
	one(arg, "exceptions", c->stat_faults);
	for (unsigned k = 0; k < N_STATS_; k++)
		one(arg, names[k], w->slot[v->index].stat[k]);
	if (!w->translate)
		return;
	one(arg, "translated", t->blocks);
	one(arg, "translated-instructions", t->insns);
	one(arg, "translated-bytes", t->bytes);
	one(arg, "translated-in-us", t->ticks * 1000 / v->soft->bus.tsc_khz);
	one(arg, "pages-dropped", t->dropped_pages);
	one(arg, "regions-emptied", t->evicted_regions);
	one(arg, "left-for-tlb", t->slow);
	one(arg, "left-for-links", t->links);
	one(arg, "left-for-jumps", t->jumps);
	one(arg, "left-for-interpreter", t->interp);
	one(arg, "left-for-events", t->polls);
	one(arg, "left-for-faults", t->faults);
	one(arg, "pages-of-writers", t->unclaimed);
	if (!w->verify)
		return;
	one(arg, "verified", t->verified);
	one(arg, "wrong", t->wrong);
}

static int soft_probe(bool again, struct err *err)
{
	(void) again;
	(void) err;
	return 0;
}

static int soft_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);

static const struct accel_ops soft_ops = {
	.name = "soft",
	.shares_memory = true,
	.summary = "a processor in software, on any host",
	.probe = soft_probe,
	.open = soft_open,
	.map = soft_map,
	.vcpu_new = soft_vcpu_new,
	.reset = soft_reset,
	.vcpu_start = soft_vcpu_start,
	.vcpu_run = soft_vcpu_run,
	.vcpu_kick = soft_vcpu_kick,
	.regs_read = soft_regs_read,
	.regs_write = soft_regs_write,
	.debug = soft_debug,
	.state_read = soft_state_read,
	.state_write = soft_state_write,
	.irq_line = soft_irq_line,
	.irq_msi = soft_irq_msi,
	.notify_reserve = soft_notify_reserve,
	.notify_forget = soft_notify_forget,
	.notify_add = soft_notify_add,
	.notify_remove = soft_notify_remove,
	.stats = soft_stats,
	.close = soft_close,
	.again = vcpu_main,
};
REGISTRY_ADD(accels, soft_ops);

/* Processors that have translations of pages are told: these are not what they were. */
static void soft_wrote(void *arg, uint64_t gpa, uint64_t len)
{
	const struct soft *s = arg;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* written first, then looked */
	for (uint64_t n = gpa >> 12; n <= (gpa + len - 1) >> 12 && n < s->nr_pages; n++) {
		uint32_t code = __atomic_load_n(&s->pages[n].code, __ATOMIC_RELAXED);

		for (unsigned i = 0; code != 0 && i < s->nr_cpus; i++)
			if (code >> i & 1)
				world_ask(s->world, i, n << 12, PAGE_DROP);
	}
}

static int choose_features(struct world *w, const struct cpu_model *model, struct err *err)
{
	memcpy(w->feature, cpuid_features()->word, sizeof(w->feature));
	return model != NULL ? cpu_model_apply(model, w->feature, err) : 0;
}

static int soft_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err)
{
	struct soft *s = calloc(1, sizeof(*s));
	uint64_t offset = 0;
	bool verify;
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "make processors");
	patience_prepare();
	s->base.ops = &soft_ops;
	s->nr_cpus = conf->nr_cpus;
	verify = conf->soft != NULL && strncmp(conf->soft, "verify", strlen("verify")) == 0;
	s->base.makes_code = s->threads = verify || (conf->soft != NULL && strstr(conf->soft, ",threads") != NULL);
	s->world_fd = s->pages_fd = -1;
	s->program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	(void) pthread_mutex_init(&s->lock, NULL); /* cannot fail on Linux */
	ioapic_init(&s->ioapic, &s->bus);
	r = s->program < 0 ? -errno : make_world(s);
	if (r == 0) {
		s->world->verify = verify;
		s->world->cache = conf->soft_cache;
		s->world->translate = verify || conf->soft == NULL || strncmp(conf->soft, "tlb", 3) == 0;
	}
	for (unsigned i = 0; i < mem->nr_regions && r == 0; i++) {
		r = add_region(s, mem->region[i].gpa, mem->region[i].host, mem->region[i].size, mem->fd, offset, false);
		offset += mem->region[i].size;
	}
	if (r < 0)
		(void) err_set(err, r, "make processors");
	else
		r = choose_features(s->world, conf->model, err);
	if (r < 0) {
		soft_close(&s->base);
		return r;
	}
	if (s->world->translate) {
		mem->wrote = soft_wrote;
		mem->wrote_arg = s;
	}
	s->mem = mem;
	*ret = &s->base;
	return 0;
}
