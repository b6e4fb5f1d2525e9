/* SPDX-License-Identifier: MIT */
/**
 * DOC: memory accesses that the soft TLB does not answer
 */
#include "vmm/accel/soft/cpu/mem.h"

#include "vmm/accel/soft/cpu/exc.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/journal.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/pages.h"

#define APIC_ENABLED (1ull << 11)
#define APIC_X2 (1ull << 10)

_Noreturn void cpu_raise(struct cpu *c, enum cpu_vector vector)
{
	c->fault.vector = (uint8_t) vector;
	c->fault.has_code = false;
	c->fault.code = 0;
	longjmp(c->unwind, UNWIND_FAULT);
}

_Noreturn void cpu_raise_code(struct cpu *c, enum cpu_vector vector, uint32_t code)
{
	c->fault.vector = (uint8_t) vector;
	c->fault.has_code = true;
	c->fault.code = code;
	longjmp(c->unwind, UNWIND_FAULT);
}

void device_access(struct cpu *c, enum cpu_exit_kind kind, bool write, uint64_t addr, unsigned size, uint64_t *data)
{
	struct cpu_replay *r = &c->replay;

	if (r->next < r->nr) {
		if (!write)
			*data = r->done[r->next].data;
		r->next++;
		return;
	}
	if (r->nr == CPU_REPLAY_MAX || c->delivering) { /* no instruction needs as many; no stack is a device */
		if (!write)
			*data = UINT64_MAX;
		return;
	}
	c->exit = (struct cpu_exit) { .kind = kind, .write = write, .size = (uint8_t) size, .addr = addr,
				      .data = write ? *data : 0 };
	r->done[r->nr++] = c->exit;
	longjmp(c->unwind, UNWIND_EXIT);
}

static bool segment_allows(const struct cpu_seg *s, uint64_t ea, unsigned size, unsigned access)
{
	uint64_t last = ea + size - 1, top = s->attr & SEG_DB ? 0xFFFFFFFF : 0xFFFF;

	if (!(s->attr & SEG_P))
		return false;
	if (s->attr & SEG_TYPE_CODE) {
		if ((access & MEM_WRITE) || !(s->attr & SEG_TYPE_WRITE))
			return false;
	} else if ((access & MEM_WRITE) && !(s->attr & SEG_TYPE_WRITE)) {
		return false;
	}
	if ((s->attr & (SEG_TYPE_CODE | SEG_TYPE_DOWN)) == SEG_TYPE_DOWN)
		return ea > s->limit && last <= top && last >= ea;
	return last <= s->limit && last >= ea;
}

uint64_t mem_segment_slow(struct cpu *c, unsigned seg, uint64_t ea, unsigned size, unsigned access)
{
	const struct cpu_seg *s = &c->seg[seg];

	if (seg >= SEG_FLAT || c->mode == CPU_MODE_64)
		return s->base + ea;
	if (cpu_is_real(c) || cpu_is_v86(c)) {
		if (ea + size - 1 > s->limit)
			cpu_raise_code(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
	} else if (!segment_allows(s, ea, size, access)) {
		cpu_raise_code(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
	}
	return (uint32_t) (s->base + ea);
}

/* Debug registers that watch data. */
static void check_watch(struct cpu *c, uint64_t lin, unsigned size, unsigned access)
{
	static const uint8_t lens[4] = { 1, 2, 8, 4 };

	for (unsigned i = 0; i < 4; i++) {
		unsigned how = c->dr7 >> (16 + i * 4) & 3, len = lens[c->dr7 >> (18 + i * 4) & 3];
		uint64_t at = c->dr[i] & ~(uint64_t) (len - 1);

		if ((c->dr7 >> (i * 2) & 3) == 0 || how == 0 || how == 2 || (how == 1 && !(access & MEM_WRITE)))
			continue;
		if (lin < at + len && at < lin + size) {
			c->pending_db |= 1u << i;
			c->leave = true;
		}
	}
}

/* A debugger outside of the guest that watches data. */
static void check_debugger(struct cpu *c, uint64_t lin, unsigned size, unsigned access)
{
	for (unsigned n = 0; n < c->debug.nr; n++) {
		const struct cpu_break *b = &c->debug.at[n];

		if (b->how != 0 && (b->how != 1 || access & MEM_WRITE) && lin < b->at + b->len && b->at < lin + size) {
			c->debug.hit |= (uint8_t) (1u << n);
			c->leave = true;
		}
	}
}

static void check_slow(struct cpu *c, uint64_t lin, unsigned size, unsigned access)
{
	if ((access & MEM_SYSTEM) || c->tlb_now != tlb_array(c, TLB_SLOW))
		return;
	if (c->cpl == 3 && (c->cr0 & CR0_AM) && (c->flags & FL_AC) && size <= 8 && (lin & (size - 1)))
		cpu_raise_code(c, EXC_AC, 0);
	if (c->dr7 & 0xFF)
		check_watch(c, lin, size, access);
	if (c->debug.data)
		check_debugger(c, lin, size, access);
}

/* As memcpy(), with general registers only: others may be the guest's. */
static void copy(void *to, const void *from, size_t size)
{
	if (size == sizeof(uint64_t))
		memcpy(to, from, sizeof(uint64_t));
	else
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/* A write that will be taken back. */
static void note_write(struct cpu *c, uint8_t *host, unsigned size)
{
	if (c->journal != NULL && !journal_note(c->journal, host, size))
		longjmp(c->unwind, UNWIND_EXIT);
}

/* @size bytes within one page: their host address, or NULL and the guest-physical address of a device. */
static uint8_t *locate(struct cpu *c, uint64_t lin, unsigned size, unsigned access, uint64_t *gpa)
{
	struct page page;
	uint64_t left;
	bool readonly = false;
	uint8_t *host;

	mmu_translate(c, lin, access, &page);
	*gpa = page.gpa;
	if ((c->apic_base & (APIC_ENABLED | APIC_X2)) == APIC_ENABLED &&
	    (page.gpa & ~0xFFFull) == (c->apic_base & 0x000FFFFFFFFFF000ull))
		return NULL;
	host = mmu_ram(c, page.gpa, &left, &readonly);
	if (host == NULL || (readonly && (access & MEM_WRITE)))
		return NULL;
	if (access & MEM_WRITE)
		page_write(c, page.gpa);
	mmu_fill(c, access & MEM_SYSTEM ? tlb_system(c) : c->tlb_now, lin, &page, host, readonly);
	if (access & MEM_WRITE) {
		note_write(c, host, size);
		mem_wrote(c, host);
	}
	return host;
}

void *cpu_host(struct cpu *c, uint64_t lin, unsigned size, unsigned access)
{
	const struct tlb_entry *e = tlb_at(c, lin);
	uint64_t last = (lin + size - 1) & ~0xFFFull, gpa;

	if ((!(access & MEM_READ) || e->read == last) && (!(access & MEM_WRITE) || e->write == last)) {
		void *p = tlb_host(e, lin);

		if (access & MEM_WRITE)
			mem_wrote(c, p);
		return p;
	}
	check_slow(c, lin, size, access);
	if ((lin & ~0xFFFull) != last)
		return NULL;
	return locate(c, lin, size, access, &gpa);
}

static void apic_access(struct cpu *c, bool write, uint64_t gpa, unsigned size, uint8_t *data)
{
	uint32_t v = 0, at = gpa & 0xFFC, shift = (gpa & 3) * 8;

	if (write) {
		copy(&v, data, size < 4 ? size : 4);
		if (shift == 0)
			c->ops->apic_write(c, at, v);
		return;
	}
	v = c->ops->apic_read(c, at) >> shift;
	for (unsigned n = 0; n < size; n++)
		data[n] = n < sizeof(v) ? (uint8_t) (v >> n * 8) : 0;
}

static void device_bytes(struct cpu *c, bool write, uint64_t gpa, unsigned size, uint8_t *data)
{
	if (c->journal != NULL)
		longjmp(c->unwind, UNWIND_EXIT);
	if ((c->apic_base & (APIC_ENABLED | APIC_X2)) == APIC_ENABLED &&
	    (gpa & ~0xFFFull) == (c->apic_base & 0x000FFFFFFFFFF000ull)) {
		apic_access(c, write, gpa, size, data);
		return;
	}
	while (size > 0) {
		unsigned n = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
		uint64_t v = 0, left;
		bool readonly;

		while (gpa & (n - 1))
			n >>= 1;
		if (write)
			copy(&v, data, n);
		if (!(write && mmu_ram(c, gpa, &left, &readonly) != NULL)) /* writes to read-only memory are lost */
			device_access(c, CPU_EXIT_MMIO, write, gpa, n, &v);
		if (!write)
			copy(data, &v, n);
		data += n;
		gpa += n;
		size -= n;
	}
}

/* Up to the end of a page */
static void access_piece(struct cpu *c, uint64_t lin, uint8_t *data, unsigned size, unsigned access)
{
	uint64_t gpa;
	uint8_t *host = locate(c, lin, size, access, &gpa);

	if (host == NULL)
		device_bytes(c, access & MEM_WRITE, gpa, size, data);
	else if (access & MEM_WRITE)
		copy(host, data, size);
	else
		copy(data, host, size);
}

static void access_any(struct cpu *c, uint64_t lin, void *data, unsigned size, unsigned access)
{
	uint8_t *p = data;
	struct page page;

	check_slow(c, lin, size, access);
	if ((access & MEM_WRITE) && (lin & 0xFFF) + size > 0x1000) /* nothing is written if the other page faults */
		for (uint64_t at = (lin & ~0xFFFull) + 0x1000; at < lin + size; at += 0x1000) {
			mmu_translate(c, lin, access, &page);
			mmu_translate(c, at, access, &page);
		}
	while (size > 0) {
		unsigned n = 0x1000 - (lin & 0xFFF);

		n = n < size ? n : size;
		access_piece(c, lin, p, n, access);
		lin += n;
		p += n;
		size -= n;
	}
}

void cpu_read(struct cpu *c, uint64_t lin, void *ret, unsigned size)
{
	const struct tlb_entry *e = tlb_at(c, lin);

	if (e->read == ((lin + size - 1) & ~0xFFFull))
		copy(ret, tlb_host(e, lin), size);
	else
		access_any(c, lin, ret, size, MEM_READ);
}

void cpu_write(struct cpu *c, uint64_t lin, const void *data, unsigned size)
{
	const struct tlb_entry *e = tlb_at(c, lin);
	void *p = tlb_host(e, lin);

	if (e->write == ((lin + size - 1) & ~0xFFFull)) {
		copy(p, data, size);
		mem_wrote(c, p);
	} else {
		access_any(c, lin, (void *) (uintptr_t) data, size, MEM_WRITE); /* is only read from */
	}
}

void cpu_read_system(struct cpu *c, uint64_t lin, void *ret, unsigned size)
{
	const struct tlb_entry *e = &tlb_system(c)[tlb_index(lin)];

	if (e->read == ((lin + size - 1) & ~0xFFFull))
		copy(ret, tlb_host(e, lin), size);
	else
		access_any(c, lin, ret, size, MEM_READ | MEM_SYSTEM);
}

void cpu_write_system(struct cpu *c, uint64_t lin, const void *data, unsigned size)
{
	const struct tlb_entry *e = &tlb_system(c)[tlb_index(lin)];
	void *p = tlb_host(e, lin);

	if (e->write == ((lin + size - 1) & ~0xFFFull)) {
		copy(p, data, size);
		mem_wrote(c, p);
	} else {
		access_any(c, lin, (void *) (uintptr_t) data, size, MEM_WRITE | MEM_SYSTEM); /* is only read from */
	}
}

static void check(struct cpu *c, uint64_t lin, unsigned size, unsigned access)
{
	struct page page;

	for (uint64_t at = lin; at < lin + size; at = (at & ~0xFFFull) + 0x1000)
		mmu_translate(c, at, access, &page);
}

void cpu_check_write(struct cpu *c, uint64_t lin, unsigned size)
{
	if (tlb_at(c, lin)->write != ((lin + size - 1) & ~0xFFFull))
		check(c, lin, size, MEM_WRITE);
}

void cpu_check_read(struct cpu *c, uint64_t lin, unsigned size)
{
	if (tlb_at(c, lin)->read != ((lin + size - 1) & ~0xFFFull))
		check(c, lin, size, MEM_READ);
}

void rmw_begin_slow(struct cpu *c, unsigned size, struct rmw *ret)
{
	memset(ret->bounce, 0, sizeof(ret->bounce));
	ret->p = cpu_host(c, ret->lin, size, MEM_READ | MEM_WRITE);
	if (ret->p != NULL)
		return;
	cpu_check_write(c, ret->lin, size);
	cpu_read(c, ret->lin, ret->bounce, size);
	ret->p = ret->bounce;
}

#define SLOW(bits)                                                                \
	uint##bits##_t mem_read##bits##_slow(struct cpu *c, uint64_t lin)         \
	{                                                                         \
		uint##bits##_t v;                                                 \
		access_any(c, lin, &v, sizeof(v), MEM_READ);                      \
		return v;                                                         \
	}                                                                         \
	void mem_write##bits##_slow(struct cpu *c, uint64_t lin, uint##bits##_t v) \
	{                                                                         \
		access_any(c, lin, &v, sizeof(v), MEM_WRITE);                     \
	}

SLOW(8)
SLOW(16)
SLOW(32)
SLOW(64)
