/* SPDX-License-Identifier: MIT */
/**
 * DOC: page tables
 *
 * Permissions are those of all levels together; accessed bits are set when the whole walk has
 * succeeded, by compare and exchange, since other processors walk too.
 * Spec: Intel SDM volume 3, chapter 4.
 */
#include "vmm/accel/soft/cpu/mmu.h"

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/mem.h"

#define PTE_P 0x1ull
#define PTE_W 0x2ull
#define PTE_U 0x4ull
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_PS 0x80ull
#define PTE_G 0x100ull
#define PTE_NX (1ull << 63)
#define ADDR_MASK 0x000FFFFFFFFFF000ull

/** struct walk - on the way down; @rights: PTE_W, PTE_U that all levels have, PTE_NX that one has */
struct walk {
	struct cpu *c;
	uint64_t lin;
	unsigned access;
	bool user;
	uint64_t rights;
	uint8_t *entry[4]; /* host addresses of the entries, for accessed bits */
	uint64_t value[4];
	unsigned nr, width; /* width: bytes of an entry */
};

uint8_t *mmu_ram(const struct cpu *c, uint64_t gpa, uint64_t *left, bool *readonly)
{
	for (unsigned i = 0; i < c->ram->nr; i++) {
		uint64_t at = gpa - c->ram->region[i].gpa;

		if (at >= c->ram->region[i].size)
			continue;
		*left = c->ram->region[i].size - at;
		*readonly = c->ram->region[i].readonly;
		return c->ram->region[i].host + at;
	}
	return NULL;
}

_Noreturn static void page_fault(const struct walk *w, uint32_t code)
{
	struct cpu *c = w->c;

	if (w->access & MEM_WRITE)
		code |= PF_WRITE;
	if (w->user)
		code |= PF_USER;
	if ((w->access & MMU_FETCH) && (((c->cr4 & CR4_PAE) && (c->efer & EFER_NXE)) || (c->cr4 & CR4_SMEP)))
		code |= PF_FETCH;
	c->fault.addr = w->lin;
	cpu_raise_code(c, EXC_PF, code);
}

/* Entry @index of the table at @table; what is no RAM is not present. */
static uint64_t next(struct walk *w, uint64_t table, uint64_t index)
{
	uint64_t left, v = 0;
	bool readonly;
	uint8_t *p = mmu_ram(w->c, table + index * w->width, &left, &readonly);

	if (p != NULL && w->width == 8)
		v = __atomic_load_n((uint64_t *) p, __ATOMIC_RELAXED);
	else if (p != NULL)
		v = __atomic_load_n((uint32_t *) p, __ATOMIC_RELAXED);
	if (!(v & PTE_P))
		page_fault(w, 0);
	w->entry[w->nr] = p;
	w->value[w->nr++] = v;
	return v;
}

static uint64_t reserved_bits(const struct cpu *c)
{
	uint64_t v = ADDR_MASK & ~((1ull << c->cpuid->phys_bits) - 1);

	return c->efer & EFER_NXE ? v : v | PTE_NX;
}

/* Levels of 8-byte entries from @level down to 0; returns the size of the page as a shift. */
static unsigned walk_wide(struct walk *w, uint64_t table, int level, uint64_t *ret)
{
	uint64_t reserved = reserved_bits(w->c);
	bool is_long = cpu_is_long(w->c);

	if (!is_long)
		reserved |= 0x7FF0000000000000ull; /* ignored in long mode */
	for (;; level--) {
		unsigned shift = 12 + 9 * (unsigned) level;
		uint64_t v = next(w, table, w->lin >> shift & 511);
		bool leaf = level == 0 || (level < 3 && (v & PTE_PS));

		w->rights &= v | ~(PTE_W | PTE_U);
		w->rights |= v & PTE_NX;
		if ((v & reserved) || (level == 3 && (v & PTE_PS)) ||
		    (leaf && level > 0 && (v & ((1ull << shift) - 0x2000) & ADDR_MASK)))
			page_fault(w, PF_PRESENT | PF_RESERVED);
		if (leaf) {
			uint64_t mask = (1ull << shift) - 1;

			*ret = (v & ADDR_MASK & ~mask) | (w->lin & mask);
			return shift;
		}
		table = v & ADDR_MASK;
	}
}

static unsigned walk_pae(struct walk *w, uint64_t *ret)
{
	uint64_t pdpte = w->c->pdpte[w->lin >> 30 & 3];

	if (!(pdpte & PTE_P))
		page_fault(w, 0);
	return walk_wide(w, pdpte & ADDR_MASK, 1, ret);
}

static unsigned walk_narrow(struct walk *w, uint64_t *ret)
{
	uint64_t v = next(w, w->c->cr3 & 0xFFFFF000, w->lin >> 22 & 1023);

	w->rights &= v | ~(PTE_W | PTE_U);
	if ((v & PTE_PS) && (w->c->cr4 & CR4_PSE)) {
		if (v & 0x200000)
			page_fault(w, PF_PRESENT | PF_RESERVED);
		*ret = (v & 0xFFC00000) | (v >> 13 & 0xFF) << 32 | (w->lin & 0x3FFFFF);
		return 22;
	}
	v = next(w, v & 0xFFFFF000, w->lin >> 12 & 1023);
	w->rights &= v | ~(PTE_W | PTE_U);
	*ret = (v & 0xFFFFF000) | (w->lin & 0xFFF);
	return 12;
}

static bool permitted(const struct walk *w)
{
	const struct cpu *c = w->c;
	bool user_page = w->rights & PTE_U;

	if (w->user && !user_page)
		return false;
	if ((w->access & MEM_WRITE) && !(w->rights & PTE_W) && (w->user || (c->cr0 & CR0_WP)))
		return false;
	if (w->access & MMU_FETCH)
		return !(w->rights & PTE_NX) && !(!w->user && user_page && (c->cr4 & CR4_SMEP));
	if (!w->user && user_page && (c->cr4 & CR4_SMAP))
		return !(w->access & MEM_SYSTEM) && (c->flags & FL_AC);
	return true;
}

/* False: an entry changed under our hands. */
static bool mark(struct walk *w)
{
	for (unsigned i = 0; i < w->nr; i++) {
		uint64_t old = w->value[i], bits = PTE_A;

		if (i + 1 == w->nr && (w->access & MEM_WRITE))
			bits |= PTE_D;
		if ((old & bits) == bits)
			continue;
		if (w->width == 8) {
			if (!__atomic_compare_exchange_n((uint64_t *) w->entry[i], &old, old | bits, false,
							 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
				return false;
		} else {
			uint32_t old32 = (uint32_t) old;

			if (!__atomic_compare_exchange_n((uint32_t *) w->entry[i], &old32, old32 | (uint32_t) bits,
							 false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
				return false;
		}
		w->value[i] |= bits;
	}
	return true;
}

/* Is the instruction's operand on the stack, so that a bad address is #SS? */
static bool on_stack(const struct insn *i)
{
	if (i == NULL)
		return false;
	if (i->is_mem)
		return i->seg == SEG_FLAT_STACK;
	if ((i->opcode & 0xF0) == 0xA0 || (i->opcode & 0xFC) == 0x6C || i->opcode == 0xD7)
		return false; /* strings, XLAT */
	return i->map == MAP_1BYTE && i->enc == ENC_LEGACY;
}

static void check_canonical(struct cpu *c, uint64_t lin, unsigned access)
{
	if ((uint64_t) ((int64_t) (lin << 16) >> 16) == lin)
		return;
	if (!(access & (MEM_SYSTEM | MMU_FETCH)) && on_stack(c->insn))
		cpu_raise_code(c, EXC_SS, 0);
	cpu_raise_code(c, EXC_GP, 0);
}

void mmu_translate(struct cpu *c, uint64_t lin, unsigned access, struct page *ret)
{
	struct walk w = { .c = c, .lin = lin, .access = access, .user = c->cpl == 3 && !(access & MEM_SYSTEM) };
	bool is_long = cpu_is_long(c);
	unsigned shift;
	uint64_t last;

	if (is_long)
		check_canonical(c, lin, access);
	else
		w.lin = lin &= 0xFFFFFFFF;
	if (!(c->cr0 & CR0_PG)) {
		*ret = (struct page) { .gpa = lin, .write = true };
		return;
	}
	do {
		w.nr = 0;
		w.rights = PTE_W | PTE_U;
		w.width = c->cr4 & CR4_PAE ? 8 : 4;
		if (is_long)
			shift = walk_wide(&w, c->cr3 & ADDR_MASK, 3, &ret->gpa);
		else
			shift = c->cr4 & CR4_PAE ? walk_pae(&w, &ret->gpa) : walk_narrow(&w, &ret->gpa);
		if (!permitted(&w))
			page_fault(&w, PF_PRESENT);
	} while (!mark(&w));
	last = w.value[w.nr - 1];
	ret->global = (last & PTE_G) && (c->cr4 & CR4_PGE);
	ret->large = shift == 12 ? 0 : shift < 30 ? 1 : 2;
	ret->write = (last & PTE_D) && ((w.rights & PTE_W) || (!w.user && !(c->cr0 & CR0_WP)));
}

bool mmu_load_pdptes(struct cpu *c, uint64_t cr3)
{
	uint64_t v[4] = { 0 }, left;
	bool readonly;
	const uint8_t *p = mmu_ram(c, cr3 & 0xFFFFFFE0, &left, &readonly);

	if (p != NULL)
		memcpy(v, p, sizeof(v));
	for (unsigned i = 0; i < 4; i++)
		if ((v[i] & PTE_P) && (v[i] & (0x1E6 | (~((1ull << c->cpuid->phys_bits) - 1)))))
			return false;
	memcpy(c->pdpte, v, sizeof(v));
	return true;
}
