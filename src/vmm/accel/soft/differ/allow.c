// SPDX-License-Identifier: MIT
/*
 * Which instructions may run in this process.
 */
#include <string.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/differ/generate.h"

static bool in(uint8_t opcode, const uint8_t *list, size_t n)
{
	return memchr(list, opcode, n) != NULL;
}

/* Loads of segment registers, far and system calls, flags that trap: they change more than is compared. */
static bool one_byte(const struct insn *i)
{
	static const uint8_t no[] = { 0x8E, 0x9D, 0xCA, 0xCB, 0xCC, 0xCD, 0xCF, 0xF1, 0xC6, 0xC7 };
	unsigned n = i->modrm >> 3 & 7;

	if (i->opcode == 0xC6 || i->opcode == 0xC7)
		return n == 0; /* else XABORT, XBEGIN */
	if (i->opcode == 0xFF)
		return n != 3 && n != 5;
	if (i->opcode == 0x8C)
		return n < 6;
	return !in(i->opcode, no, sizeof(no));
}

/* What depends on time, on the machine, on tables of the operating system, or that the guest's processor hides. */
static bool two_bytes(const struct insn *i)
{
	static const uint8_t no[] = { 0x00, 0x01, 0x02, 0x03, 0x05, 0x07, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1E, 0x31,
				      0x33, 0x34, 0x35, 0x37, 0xA1, 0xA2, 0xA9, 0xB2, 0xB4, 0xB5, 0xAA, 0xA0, 0xA8 };
	unsigned n = i->modrm >> 3 & 7;

	if (i->opcode == 0xAE) /* FXRSTOR64 makes addresses canonical as the host's pages need it */
		return i->pp == 0 && (i->is_mem ? n < 7 && !(n == 1 && i->prefix & PFX_REX_W) : n >= 5);
	if (i->opcode == 0xC7)
		return i->is_mem && (n == 1 || (n == 4 && i->pp == 0));
	return !in(i->opcode, no, sizeof(no));
}

static bool three_bytes(const struct insn *i)
{
	if (i->map == MAP_0F38)
		return i->opcode < 0x80 || (i->opcode >= 0xC8 && i->opcode < 0xD8) || i->opcode == 0xDB ||
			(i->opcode >= 0xDC && i->opcode < 0xE0 && i->pp == 1) || (i->opcode >= 0xF0 && i->opcode < 0xF2) ||
			(i->opcode == 0xF6 && i->pp != 0 && i->pp != 3);
	return i->opcode < 0xF0;
}

/* Tiles. */
static bool vex(const struct insn *i)
{
	return !(i->enc == ENC_VEX && i->map == MAP_0F38 &&
		 (i->opcode == 0x49 || i->opcode == 0x4B || i->opcode == 0x5C || i->opcode == 0x5E || i->opcode == 0x6C));
}

uint32_t flags_by_vendor(const struct insn *i)
{
	static const uint8_t bmi[] = { 0xF2, 0xF3, 0xF5, 0xF7 };
	unsigned n = i->modrm >> 3 & 7;

	if (!cpuid_features()->amd)
		return 0;
	if (i->enc != ENC_LEGACY)
		return i->enc == ENC_VEX && i->map == MAP_0F38 && in(i->opcode, bmi, sizeof(bmi)) ? FL_PF | FL_AF | FL_SF : 0;
	if (i->map == MAP_1BYTE && (i->opcode & 0xFE) == 0xF6 && n >= 6)
		return FL_STATUS;
	if (i->map == MAP_0F ? i->opcode == 0xAF
			     : i->map == MAP_1BYTE && (i->opcode == 0x69 || i->opcode == 0x6B || ((i->opcode & 0xFE) == 0xF6 && n >= 4)))
		return FL_PF | FL_AF | FL_ZF | FL_SF;
	return 0;
}

/* A near branch with 66, which AMD's processors cut to 16 bits */
static bool is_short_branch(const struct insn *i)
{
	static const uint8_t branches[] = { 0xC2, 0xC3, 0xE0, 0xE1, 0xE2, 0xE3, 0xE8, 0xE9, 0xEB };
	unsigned n = i->modrm >> 3 & 7;

	if (!(i->prefix & PFX_66) || i->prefix & PFX_REX_W)
		return false;
	if (i->map == MAP_0F)
		return (i->opcode & 0xF0) == 0x80;
	return i->map == MAP_1BYTE && ((i->opcode & 0xF0) == 0x70 || in(i->opcode, branches, sizeof(branches)) ||
				       (i->opcode == 0xFF && (n == 2 || n == 4)));
}

/*
 * What the one in software does as Intel's processors do it, and AMD's otherwise: short branches, PREFETCHW of a register, where
 * SHA's operands lie, x87's pointers, which are stored only with an exception, SSE4A, repeats before XCHG and LOOP, CR8 by LOCK.
 * Spec: AMD APM volumes 2 to 5.
 */
static bool is_intels(const struct insn *i)
{
	unsigned n = i->modrm >> 3 & 7;

	if (i->enc != ENC_LEGACY)
		return false;
	if (is_short_branch(i))
		return true;
	switch (i->map) {
	case MAP_1BYTE:
		return i->opcode == 0xD9 || i->opcode == 0xDD ? i->is_mem && n == 6
							      : i->rep != 0 && (i->opcode == 0x90 || (i->opcode & 0xFE) == 0xE0);
	case MAP_0F:
		if (i->opcode == 0xAE)
			return i->is_mem && (n == 0 || n == 4 || n == 6);
		return i->opcode == 0xC7 || (i->opcode & 0xFE) == 0x78 || (i->opcode == 0x0D && !i->is_mem) ||
			(i->opcode == 0x2B && i->pp > 1) || ((i->opcode & 0xFC) == 0x20 && i->prefix & PFX_LOCK);
	case MAP_0F38:
		return i->is_mem && i->opcode >= 0xC8 && i->opcode <= 0xCD;
	default:
		return i->is_mem && i->opcode == 0xCC;
	}
}

bool faults_by_vendor(const struct insn *i)
{
	if (!cpuid_features()->amd)
		return false;
	if (i->enc != ENC_LEGACY)
		return i->map == MAP_0F38 ? (i->opcode & 0xFC) == 0x90 : i->map == MAP_0F3A && i->opcode == 0x1D;
	return i->map == MAP_1BYTE && ((i->is_mem && (i->opcode & 0xF8) == 0xD8) || (i->opcode == 0xFF && (i->modrm >> 3 & 7) == 2));
}

bool allowed_here(const struct insn *i)
{
	if (i->seg == SEG_FS || (cpuid_features()->amd && is_intels(i)))
		return false;
	if (i->enc != ENC_LEGACY)
		return vex(i);
	switch (i->map) {
	case MAP_1BYTE:
		return one_byte(i);
	case MAP_0F:
		return two_bytes(i);
	default:
		return three_bytes(i);
	}
}
