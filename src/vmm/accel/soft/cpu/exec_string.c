/* SPDX-License-Identifier: MIT */
/**
 * DOC: string instructions
 *
 * Every step leaves registers as if the instruction had been interrupted after it, so that a fault or
 * an interrupt can come at any step.  MOVS and STOS upwards go a page at a time, where segments and
 * addresses allow it.
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/exec.h"

/** struct string - one string instruction: addresses and count within the bits of the address size */
struct string {
	const struct insn *i;
	uint64_t mask;
	int64_t step;
	unsigned source, dest; /* segments */
};

static struct string string_begin(const struct cpu *c, const struct insn *i)
{
	return (struct string) {
		.i = i,
		.mask = i->addr_size == 8 ? UINT64_MAX : i->addr_size == 4 ? 0xFFFFFFFF : 0xFFFF,
		.step = c->flags & FL_DF ? -(int64_t) i->size : i->size,
		.source = i->seg,
		.dest = c->mode == CPU_MODE_64 ? SEG_FLAT : SEG_ES,
	};
}

static uint64_t get(const struct cpu *c, const struct string *s, unsigned reg)
{
	return c->reg[reg] & s->mask;
}

static void put(struct cpu *c, const struct string *s, unsigned reg, uint64_t v)
{
	reg_set(c, reg, s->i->addr_size, v);
}

static void advance(struct cpu *c, const struct string *s, unsigned reg)
{
	put(c, s, reg, get(c, s, reg) + (uint64_t) s->step);
}

/* How many elements from @ea on are in one page, and do not wrap around. */
static uint64_t in_page(const struct string *s, uint64_t ea, uint64_t lin)
{
	uint64_t bytes = 0x1000 - (lin & 0xFFF);

	if (s->mask - ea < bytes)
		bytes = s->mask - ea;
	return bytes / s->i->size;
}

static bool upwards_flat(const struct cpu *c, const struct string *s, unsigned seg, unsigned access)
{
	return s->step > 0 && (c->seg[seg].flat & access) == access;
}

static void host_movs(void *to, const void *from, uint64_t n, unsigned size)
{
	switch (size) {
	case 1:
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
		break;
	case 2:
		__asm__ volatile("rep movsw" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
		break;
	case 4:
		__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
		break;
	default:
		__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
		break;
	}
}

static void host_stos(void *to, uint64_t v, uint64_t n, unsigned size)
{
	switch (size) {
	case 1:
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(v) : "memory");
		break;
	case 2:
		__asm__ volatile("rep stosw" : "+D"(to), "+c"(n) : "a"(v) : "memory");
		break;
	case 4:
		__asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(v) : "memory");
		break;
	default:
		__asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(v) : "memory");
		break;
	}
}

/* Many elements at once: returns how many, 0 when one at a time is the way. */
static uint64_t movs_page(struct cpu *c, const struct string *s, uint64_t count)
{
	uint64_t from = get(c, s, REG_RSI), to = get(c, s, REG_RDI), n = count, m;
	const void *p;
	void *q;

	if (!upwards_flat(c, s, s->source, SEG_FLAT_READ) || !upwards_flat(c, s, s->dest, SEG_FLAT_WRITE))
		return 0;
	m = in_page(s, from, from + c->seg[s->source].base);
	n = n < m ? n : m;
	m = in_page(s, to, to + c->seg[s->dest].base);
	n = n < m ? n : m;
	if (n < 2)
		return 0;
	p = cpu_host(c, from + c->seg[s->source].base, (unsigned) n * s->i->size, MEM_READ);
	q = p != NULL ? cpu_host(c, to + c->seg[s->dest].base, (unsigned) n * s->i->size, MEM_WRITE) : NULL;
	if (q == NULL)
		return 0;
	host_movs(q, p, n, s->i->size);
	mem_wrote(c, q);
	put(c, s, REG_RSI, from + n * s->i->size);
	put(c, s, REG_RDI, to + n * s->i->size);
	return n;
}

static uint64_t stos_page(struct cpu *c, const struct string *s, uint64_t count)
{
	uint64_t to = get(c, s, REG_RDI), n = count, m;
	void *q;

	if (!upwards_flat(c, s, s->dest, SEG_FLAT_WRITE))
		return 0;
	m = in_page(s, to, to + c->seg[s->dest].base);
	n = n < m ? n : m;
	if (n < 2)
		return 0;
	q = cpu_host(c, to + c->seg[s->dest].base, (unsigned) n * s->i->size, MEM_WRITE);
	if (q == NULL)
		return 0;
	host_stos(q, c->reg[REG_RAX], n, s->i->size);
	mem_wrote(c, q);
	put(c, s, REG_RDI, to + n * s->i->size);
	return n;
}

static void movs_one(struct cpu *c, const struct string *s)
{
	unsigned size = s->i->size;
	uint64_t v = mem_read_n(c, mem_linear(c, s->source, get(c, s, REG_RSI), size, MEM_READ), size);

	mem_write_n(c, mem_linear(c, s->dest, get(c, s, REG_RDI), size, MEM_WRITE), size, v);
	advance(c, s, REG_RSI);
	advance(c, s, REG_RDI);
}

static void stos_one(struct cpu *c, const struct string *s)
{
	unsigned size = s->i->size;

	mem_write_n(c, mem_linear(c, s->dest, get(c, s, REG_RDI), size, MEM_WRITE), size, c->reg[REG_RAX]);
	advance(c, s, REG_RDI);
}

static void lods_one(struct cpu *c, const struct string *s)
{
	unsigned size = s->i->size;
	uint64_t v = mem_read_n(c, mem_linear(c, s->source, get(c, s, REG_RSI), size, MEM_READ), size);

	if (size == 1)
		reg_set8(c, REG_RAX * 8, (uint8_t) v);
	else
		reg_set(c, REG_RAX, size, v);
	advance(c, s, REG_RSI);
}

static void compare(struct cpu *c, unsigned size, uint64_t a, uint64_t b)
{
	if (size == 1)
		(void) alu_cmp_8(c, (uint8_t) a, (uint8_t) b);
	else if (size == 2)
		(void) alu_cmp_16(c, (uint16_t) a, (uint16_t) b);
	else if (size == 4)
		(void) alu_cmp_32(c, (uint32_t) a, (uint32_t) b);
	else
		(void) alu_cmp_64(c, a, b);
}

static void cmps_one(struct cpu *c, const struct string *s)
{
	unsigned size = s->i->size;
	uint64_t a = mem_read_n(c, mem_linear(c, s->source, get(c, s, REG_RSI), size, MEM_READ), size);
	uint64_t b = mem_read_n(c, mem_linear(c, s->dest, get(c, s, REG_RDI), size, MEM_READ), size);

	compare(c, size, a, b);
	advance(c, s, REG_RSI);
	advance(c, s, REG_RDI);
}

static void scas_one(struct cpu *c, const struct string *s)
{
	unsigned size = s->i->size;
	uint64_t b = mem_read_n(c, mem_linear(c, s->dest, get(c, s, REG_RDI), size, MEM_READ), size);

	compare(c, size, c->reg[REG_RAX], b);
	advance(c, s, REG_RDI);
}

typedef void one_fn(struct cpu *c, const struct string *s);
typedef uint64_t page_fn(struct cpu *c, const struct string *s, uint64_t count);

/* @page: several steps at once, or NULL; @compares: ZF ends the repetition */
static void repeat(struct cpu *c, const struct insn *i, one_fn *one, page_fn *page, bool compares)
{
	struct string s = string_begin(c, i);
	unsigned budget = page != NULL ? STRING_BUDGET / 16 : STRING_BUDGET;

	if (i->rep == 0) {
		one(c, &s);
		return;
	}
	for (;;) {
		uint64_t count = get(c, &s, REG_RCX), n = 0;

		if (count == 0) {
			if (i->addr_size == 4)
				put(c, &s, REG_RCX, 0); /* clears the upper half */
			return;
		}
		if (page != NULL && count > 1 && !(c->flags & FL_TF))
			n = page(c, &s, count);
		if (n == 0) {
			one(c, &s);
			n = 1;
		}
		put(c, &s, REG_RCX, count - n);
		if (compares && ((c->status & FL_ZF) != 0) != (i->rep == 0xF3))
			return;
		if (count == n || !string_again(c, i, &budget))
			return;
	}
}

static void movs(struct cpu *c, const struct insn *i)
{
	repeat(c, i, movs_one, movs_page, false);
}

static void stos(struct cpu *c, const struct insn *i)
{
	repeat(c, i, stos_one, stos_page, false);
}

static void lods(struct cpu *c, const struct insn *i)
{
	repeat(c, i, lods_one, NULL, false);
}

static void cmps(struct cpu *c, const struct insn *i)
{
	repeat(c, i, cmps_one, NULL, true);
}

static void scas(struct cpu *c, const struct insn *i)
{
	repeat(c, i, scas_one, NULL, true);
}

cpu_exec_fn *string_bind(const struct insn *i)
{
	static cpu_exec_fn *const by_opcode[12] = {
		[0x4] = movs, [0x5] = movs, [0x6] = cmps, [0x7] = cmps, [0xA] = stos, [0xB] = stos,
	};

	if (i->map != MAP_1BYTE || i->opcode < 0xA4 || i->opcode > 0xAF || (i->opcode & 0xFE) == 0xA8)
		return NULL;
	if (i->prefix & PFX_LOCK)
		return cpu_undefined;
	if (i->opcode >= 0xAC)
		return i->opcode < 0xAE ? lods : scas;
	return by_opcode[i->opcode & 15];
}
