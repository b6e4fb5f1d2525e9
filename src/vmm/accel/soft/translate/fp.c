/* SPDX-License-Identifier: MIT */
/*
 * How it works: struct cpu.xsave is the host's own format, but for the places of the registers of AVX-512, which are others on
 * some hosts; so both ways are hardly more than one instruction.  The addresses of the last x87 instruction and operand
 * are the host's and are not told to the guest.
 *
 * The guest's own XSAVE and XRSTOR are the host's too, where their memory is in one piece.
 */
#include "vmm/accel/soft/translate/fp.h"

#include <cpuid.h>
#include <string.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mem.h"

#define KEPT 0xE7u /* x87, SSE, AVX, AVX-512 */
#define COMPACT (1ull << 63)

/* Offsets in the XSAVE format of the guest */
#define ADDRESSES 8 /* of x87; 16 bytes */
#define MXCSR 24
#define MXCSR_KNOWN 0xFFFFu
#define HEADER 512
#define HEADER_END 576
#define MASKS 1088 /* AVX-512's registers: from here to END */
#define END 2688

static uint32_t kept; /* of the host's components; 0: not known yet */
static unsigned below; /* bytes that the host has AVX-512's registers before the guest's */

static void look_at_host(void)
{
	uint32_t low, high, a, b, c, d;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if (low & 0xE0) {
		__cpuid_count(0xD, 5, a, b, c, d);
		below = MASKS - b;
	}
	kept = low & KEPT;
}

static uint32_t mask(void)
{
	if (__builtin_expect(kept == 0, 0))
		look_at_host();
	return kept;
}

void fp_load(struct cpu *c)
{
	uint64_t present = mask();

	if (below != 0)
		(void) memmove(c->xsave + MASKS - below, c->xsave + MASKS, END - MASKS);
	/* Who writes to it does not keep a header. */
	(void) memcpy(c->xsave + HEADER, &present, sizeof(present));
	(void) memset(c->xsave + HEADER + sizeof(present), 0, 16);
	__asm__ volatile("xrstor64 %0" : : "m"(c->xsave), "a"(mask()), "d"(0) : "memory");
}

void fp_save(struct cpu *c)
{
	static const uint32_t mxcsr = 0x1F80;

	__asm__ volatile("xsave64 %0" : "=m"(c->xsave) : "a"(mask()), "d"(0) : "memory");
	__asm__ volatile("fninit; ldmxcsr %0; vzeroupper" : : "m"(mxcsr));
	(void) memset(c->xsave + ADDRESSES, 0, 16);
	if (below != 0)
		(void) memmove(c->xsave + MASKS, c->xsave + MASKS - below, END - MASKS);
}

enum family { NONE, XSAVE, XSAVEC, XRSTOR };

static enum family family_of(const struct insn *i)
{
	if (i->enc != ENC_LEGACY || i->map != MAP_0F || i->pp != 0 || !i->is_mem || i->addr_size != 8 ||
	    i->prefix & (PFX_LOCK | PFX_66 | PFX_F2 | PFX_F3))
		return NONE;
	switch (i->opcode << 4 | (i->modrm >> 3 & 7)) {
	case 0xAE4:
	case 0xAE6: /* XSAVEOPT may save what it need not */
		return XSAVE;
	case 0xAE5:
		return XRSTOR;
	case 0xC74:
		return XSAVEC;
	default:
		return NONE;
	}
}

bool fp_switches(const struct insn *i)
{
	return family_of(i) != NONE && i->exec != cpu_undefined;
}

/* Host address of @size bytes at @lin, if the TLB knows that they are in one piece; else NULL. */
static uint8_t *piece(const struct cpu *c, uint64_t lin, unsigned size, bool write)
{
	uint64_t last = lin + size - 1, page = ~0xFFFull;
	const struct tlb_entry *a = tlb_at(c, lin), *b = tlb_at(c, last);
	uint8_t *p = tlb_host(a, lin);

	if ((write ? a->write : a->read) != (lin & page) || (write ? b->write : b->read) != (last & page) ||
	    (const uint8_t *) tlb_host(b, last) != p + size - 1)
		return NULL;
	return p;
}

static void save(const struct insn *i, enum family family, uint32_t want, uint8_t *p)
{
	bool wide = i->prefix & PFX_REX_W;

	if (family == XSAVEC && wide)
		__asm__ volatile("xsavec64 (%0)" : : "r"(p), "a"(want), "d"(0) : "memory");
	else if (family == XSAVEC)
		__asm__ volatile("xsavec (%0)" : : "r"(p), "a"(want), "d"(0) : "memory");
	else if (wide)
		__asm__ volatile("xsave64 (%0)" : : "r"(p), "a"(want), "d"(0) : "memory");
	else
		__asm__ volatile("xsave (%0)" : : "r"(p), "a"(want), "d"(0) : "memory");
	if (want & 1 && (family == XSAVE || p[HEADER] & 1))
		(void) memset(p + ADDRESSES, 0, 16);
}

/* What the guest may load, and the host would not refuse; @image: of the guest, which cannot change it any more. */
static bool is_good(const struct cpu *c, const uint8_t *image)
{
	const uint64_t *header = (const uint64_t *) (const void *) (image + HEADER);
	bool compact = header[1] & COMPACT;
	uint64_t layout = compact ? header[1] & ~COMPACT : c->xcr0, rest = compact ? 0 : header[1];

	for (unsigned n = 2; n < 8; n++)
		rest |= header[n];
	return !(header[0] & ~layout) && !(layout & ~c->xcr0) && rest == 0 &&
		!(*(const uint32_t *) (const void *) (image + MXCSR) & ~MXCSR_KNOWN) &&
		(!compact || cpuid_has(c, CPUID_WORD_D_1_EAX, 1));
}

/* No function that may use vector registers is called here. */
static bool restore(const struct cpu *c, uint32_t want, const uint8_t *p)
{
	_Alignas(64) uint8_t image[XSAVE_SIZE];
	const void *from = p;
	void *to = image;
	size_t n = END;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	if (!is_good(c, image))
		return false;
	__asm__ volatile("xrstor64 %0" : : "m"(image), "a"(want), "d"(0) : "memory");
	return true;
}

bool fp_switch(struct cpu *c, const struct insn *i)
{
	enum family family = family_of(i);
	uint32_t want = (uint32_t) (c->xcr0 & c->reg[REG_RAX]);
	uint64_t rip = c->reg[REG_RIP], lin;
	uint8_t *p;

	if (!(c->cr4 & CR4_OSXSAVE) || c->cr0 & CR0_TS || c->xcr0 & ~(uint64_t) mask() || (below != 0 && family != XSAVEC))
		return false;
	c->reg[REG_RIP] += i->len;
	lin = c->seg[i->seg].base + cpu_ea(c, i);
	p = lin & 63 ? NULL : piece(c, lin, END, family != XRSTOR);
	if (p != NULL && family != XRSTOR) {
		save(i, family, want, p);
		return true;
	}
	if (p != NULL && restore(c, want, p))
		return true;
	c->reg[REG_RIP] = rip;
	return false;
}
