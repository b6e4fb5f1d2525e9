// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/differ/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/table.h"

#define AVX512 0xE0u /* XCR0's bits */

static bool translates; /* the processor in software does not note where x87 instructions are, then */
static uint8_t *memory; /* data, then code: both processors see it */

int differ_init(bool translate)
{
	int rc = differ_native_init(&memory);

	translates = translate;
	return rc < 0 ? rc : differ_soft_init(memory, translate);
}

static void load(const struct differ_case *k)
{
	uint8_t *code = memory + DIFFER_DATA_SIZE;

	memcpy(memory, k->data, DIFFER_DATA_SIZE);
	memset(code, 0xCC, DIFFER_CODE_SIZE);
	memcpy(code + (DIFFER_CODE_AT - DIFFER_CODE), k->code, k->len);
}

/** struct part - of the XSAVE format that is compared */
static const struct part {
	const char *name;
	uint16_t at, size, step;
} parts[] = {
	{ "fcw", XS_FCW, 2, 0 },
	{ "fsw", XS_FSW, 2, 0 },
	{ "ftw", XS_FTW, 1, 0 },
	{ "fop", XS_FOP, 2, 0 },
	{ "fip", XS_FIP, 8, 0 },
	{ "fdp", XS_FDP, 8, 0 },
	{ "mxcsr", XS_MXCSR, 4, 0 },
	{ "st", XS_ST, 10, 16 },
	{ "xmm", XS_XMM, 16, 16 },
	{ "ymm", XS_YMM, 16, 16 },
	{ "k", XS_K, 8, 8 },
	{ "zmm", XS_ZMM, 32, 32 },
	{ "zmm16+", XS_HI16, 64, 64 },
};

static void print_bytes(const char *who, const uint8_t *p, unsigned n)
{
	fprintf(stderr, "    %s", who);
	while (n-- > 0)
		fprintf(stderr, "%s%02x", n % 8 == 7 ? " " : "", p[n]);
	fputc('\n', stderr);
}

static unsigned compare_bytes(const char *name, unsigned index, const uint8_t *host, const uint8_t *soft,
			      const uint8_t *before, unsigned n)
{
	if (memcmp(host, soft, n) == 0)
		return 0;
	fprintf(stderr, "  %s%u:\n", name, index);
	print_bytes("before", before, n);
	print_bytes("host  ", host, n);
	print_bytes("soft  ", soft, n);
	return 1;
}

/* Not those that the host lacks, and of x87 what AMD's processors have otherwise: pointers, and MMX after a fault. */
static bool is_compared(const struct part *p, bool fault)
{
	bool pointer = p->at == XS_FOP || p->at == XS_FIP || p->at == XS_FDP, amd = cpuid_features()->amd;

	if (p->at >= XS_K)
		return (cpuid_features()->xcr0 & AVX512) == AVX512;
	return pointer ? !translates && !amd : !(amd && fault) || p->at == XS_MXCSR || p->at >= XS_XMM;
}

static unsigned compare_xsave(const uint8_t *host, const uint8_t *soft, const uint8_t *before, bool fault)
{
	unsigned differ = 0;

	for (unsigned n = 0; n < sizeof(parts) / sizeof(parts[0]); n++) {
		const struct part *p = &parts[n];
		unsigned count = !is_compared(p, fault) ? 0 : p->step == 0 ? 1 : p->at == XS_XMM || p->at == XS_YMM || p->at >= XS_ZMM ? 16 : 8;

		for (unsigned i = 0; i < count; i++) {
			unsigned at = p->at + i * p->step;

			differ += compare_bytes(p->name, i, host + at, soft + at, before + at, p->size);
		}
	}
	return differ;
}

static unsigned compare_word(const char *name, uint64_t host, uint64_t soft)
{
	if (host == soft)
		return 0;
	fprintf(stderr, "  %-6s host %016" PRIx64 "  soft %016" PRIx64 "\n", name, host, soft);
	return 1;
}

static unsigned compare_states(const struct differ_state *host, const struct differ_state *soft,
			       const struct differ_state *before, uint32_t flags)
{
	static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
	/* Each has its kernel at another place. */
	uint32_t code_mask = host->addr >> 63 || host->addr < 0x10000 ? ~PF_PRESENT : UINT32_MAX;
	unsigned differ = compare_word("vector", host->vector, soft->vector);

	differ += compare_word("code", host->code & code_mask, soft->code & code_mask);
	differ += compare_word("cr2", host->addr & ~0xFFFull, soft->addr & ~0xFFFull);
	differ += compare_word("rip", host->rip, soft->rip);
	differ += compare_word("flags", host->flags & flags, soft->flags & flags);
	for (unsigned n = 0; n < 16; n++)
		differ += compare_word(names[n], host->reg[n], soft->reg[n]);
	return differ + compare_xsave(host->xsave, soft->xsave, before->xsave, host->vector != EXC_BP);
}

static void print_case(const struct differ_case *k)
{
	fprintf(stderr, "differ: ");
	for (unsigned n = 0; n < k->len; n++)
		fprintf(stderr, "%02x ", k->code[n]);
	fprintf(stderr, "%s\n", k->row >= 0 ? simd_rows[k->row].name : "");
}

/* Flags that have one right value. */
static uint32_t flags_defined(const struct differ_case *k)
{
	uint32_t flags = FL_STATUS | FL_DF | FL_AC | FL_ID | FL_IOPL;
	struct insn i = { 0 };
	unsigned n;

	if (insn_decode(CPU_MODE_64, k->code, INSN_MAX, &i) != INSN_OK)
		return flags;
	flags &= ~flags_by_vendor(&i);
	if (i.enc != ENC_LEGACY)
		return flags;
	n = i.imm_size ? (unsigned) i.imm : (unsigned) k->state.reg[REG_RCX];
	n &= i.size == 8 ? 63 : 31;
	if (i.map == MAP_1BYTE && ((i.opcode & 0xFE) == 0xC0 || (i.opcode & 0xFC) == 0xD0) && n > 1)
		flags &= ~FL_OF; /* shifts and rotates by more than 1 */
	return flags;
}

/* Stores that are several, x87's and masked ones: the host may begin with either of two pages. */
static bool is_several(const struct differ_case *k)
{
	struct insn i = { 0 };

	if (insn_decode(CPU_MODE_64, k->code, INSN_MAX, &i) != INSN_OK)
		return false;
	if (i.map == MAP_0F && i.opcode == 0xF7)
		return true;
	if (i.enc != ENC_LEGACY)
		return false;
	return (i.map == MAP_1BYTE && (i.opcode & 0xF8) == 0xD8) || (i.map == MAP_0F && i.opcode == 0xAE);
}

/* A fault of the host's that leaves what its vendor chose */
static bool is_vendors_fault(const struct differ_case *k, const struct differ_state *host)
{
	struct insn i = { 0 };

	return host->vector != EXC_BP && insn_decode(CPU_MODE_64, k->code, INSN_MAX, &i) == INSN_OK && faults_by_vendor(&i);
}

static void count(const struct differ_case *k, const struct differ_state *host, struct differ_totals *t)
{
	struct insn i = { 0 };

	t->cases++;
	if (host->vector != EXC_BP) {
		t->faults++;
		return;
	}
	t->executed++;
	if (k->row >= 0)
		t->row[k->row]++;
	else if (insn_decode(CPU_MODE_64, k->code, INSN_MAX, &i) == INSN_OK && i.enc == ENC_LEGACY && i.map < 4)
		t->opcode[i.map][i.opcode]++;
}

bool differ_run(const struct differ_case *k, struct differ_totals *totals)
{
	static struct differ_state host, soft;
	static uint8_t data[DIFFER_DATA_SIZE];
	unsigned differ;
	bool several;

	load(k);
	host = k->state;
	differ_native(&host);
	memcpy(data, memory, sizeof(data));
	memcpy(memory, k->data, DIFFER_DATA_SIZE);
	soft = k->state;
	differ_soft(&soft);
	count(k, &host, totals);
	if (is_vendors_fault(k, &host))
		return true;
	several = host.vector == EXC_PF && soft.vector == EXC_PF && is_several(k);
	if (several) {
		soft.code = host.code;
		soft.addr = host.addr;
	}
	differ = compare_states(&host, &soft, &k->state, flags_defined(k));
	for (unsigned at = 0; at < sizeof(data) && !several; at += 64)
		differ += compare_bytes("data+", at, data + at, memory + at, k->data + at, 64);
	if (differ == 0)
		return true;
	print_case(k);
	totals->different++;
	return false;
}

void differ_print(const struct differ_totals *t)
{
	static const char *const maps[] = { "one byte", "0F", "0F 38", "0F 3A" };
	unsigned rows = 0;

	for (unsigned n = 0; n < simd_rows_nr; n++)
		rows += t->row[n] != 0;
	printf("differ: %" PRIu64 " cases, %" PRIu64 " executed, %" PRIu64 " exceptions, %" PRIu64 " differ\n", t->cases,
	       t->executed, t->faults, t->different);
	printf("differ: rows of the vector table executed: %u of %u\n", rows, simd_rows_nr);
	for (unsigned m = 0; m < 4; m++) {
		unsigned opcodes = 0;

		for (unsigned n = 0; n < 256; n++)
			opcodes += t->opcode[m][n] != 0;
		printf("differ: opcodes of map %s executed: %u\n", maps[m], opcodes);
	}
}
