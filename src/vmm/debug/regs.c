/* SPDX-License-Identifier: MIT */
/**
 * DOC: registers of x86-64 for gdb
 *
 * One table makes the description that gdb is sent and finds the bytes: a register's number is its place.  Names and
 * order of the first three features are gdb's, the last one is shown beside them.
 */
#include "vmm/debug/regs.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/debug/rsp.h"

#define REG_BYTES_MAX 16

enum form { PLAIN, READ_ONLY, TAGS };

/**
 * struct reg - a row
 * @bytes: as gdb has it; @stored: as struct accel_regs has it, from @offset on; the rest is zero
 */
struct reg {
	const char *name, *type, *group;
	uint8_t bytes, stored;
	uint16_t offset;
	enum form form;
};

#define AT(member) offsetof(struct accel_regs, member)
#define GPR(name, i) { name, "int64", NULL, 8, 8, AT(gpr) + 8 * (i), PLAIN }
#define SEL(name, i) { name, "int32", NULL, 4, 2, AT(seg) + 2 * (i), READ_ONLY }
#define ST(i) { "st" #i, "i387_ext", NULL, 10, 10, AT(fx) + 32 + 16 * (i), PLAIN }
#define X87(name, at, size) { name, "int", "float", 4, size, AT(fx) + (at), PLAIN }
#define XMM(i) { "xmm" #i, "vec128", NULL, 16, 16, AT(fx) + 160 + 16 * (i), PLAIN }
#define SYSTEM(name, member) { name, "int64", "system", 8, 8, AT(member), READ_ONLY }

static const struct reg core[] = {
	GPR("rax", 0), GPR("rbx", 3), GPR("rcx", 1), GPR("rdx", 2), GPR("rsi", 6), GPR("rdi", 7), GPR("rbp", 5),
	GPR("rsp", 4), GPR("r8", 8), GPR("r9", 9), GPR("r10", 10), GPR("r11", 11), GPR("r12", 12), GPR("r13", 13),
	GPR("r14", 14), GPR("r15", 15),
	{ "rip", "code_ptr", NULL, 8, 8, AT(rip), PLAIN },
	{ "eflags", "i386_eflags", NULL, 4, 4, AT(rflags), PLAIN },
	SEL("cs", 1), SEL("ss", 2), SEL("ds", 3), SEL("es", 0), SEL("fs", 4), SEL("gs", 5),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	X87("fctrl", 0, 2), X87("fstat", 2, 2),
	{ "ftag", "int", "float", 4, 1, AT(fx) + 4, TAGS },
	X87("fiseg", 12, 2), X87("fioff", 8, 4), X87("foseg", 20, 2), X87("fooff", 16, 4), X87("fop", 6, 2),
};

static const struct reg sse[] = {
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11), XMM(12),
	XMM(13), XMM(14), XMM(15),
	{ "mxcsr", "i386_mxcsr", "vector", 4, 4, AT(fx) + 24, PLAIN },
};

static const struct reg segments[] = {
	{ "fs_base", "int", NULL, 8, 8, AT(fs_base), PLAIN },
	{ "gs_base", "int", NULL, 8, 8, AT(gs_base), PLAIN },
};

static const struct reg systems[] = {
	{ "k_gs_base", "int64", "system", 8, 8, AT(kernel_gs_base), PLAIN },
	SYSTEM("cr0", cr0), SYSTEM("cr2", cr2), SYSTEM("cr3", cr3), SYSTEM("cr4", cr4), SYSTEM("cr8", cr8),
	SYSTEM("efer", efer),
};

#define FLAG(name, bit) "<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>"

static const char flags_types[] =
	"<flags id=\"i386_eflags\" size=\"4\">"
	"<field name=\"\" start=\"22\" end=\"31\"/>" FLAG("CF", 0) FLAG("", 1) FLAG("PF", 2) FLAG("AF", 4) FLAG("ZF", 6)
	FLAG("SF", 7) FLAG("TF", 8) FLAG("IF", 9) FLAG("DF", 10) FLAG("OF", 11) FLAG("NT", 14) FLAG("RF", 16)
	FLAG("VM", 17) FLAG("AC", 18) FLAG("VIF", 19) FLAG("VIP", 20) FLAG("ID", 21) "</flags>";

static const char vector_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
	"<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
	"<field name=\"uint128\" type=\"uint128\"/></union>"
	"<flags id=\"i386_mxcsr\" size=\"4\">" FLAG("IE", 0) FLAG("DE", 1) FLAG("ZE", 2) FLAG("OE", 3) FLAG("UE", 4)
	FLAG("PE", 5) FLAG("DAZ", 6) FLAG("IM", 7) FLAG("DM", 8) FLAG("ZM", 9) FLAG("OM", 10) FLAG("UM", 11)
	FLAG("PM", 12) FLAG("FZ", 15) "</flags>";

static const struct {
	const char *name, *types;
	const struct reg *reg;
	size_t nr;
} features[] = {
	{ "org.gnu.gdb.i386.core", flags_types, core, ARRAY_LEN(core) },
	{ "org.gnu.gdb.i386.sse", vector_types, sse, ARRAY_LEN(sse) },
	{ "org.gnu.gdb.i386.segments", "", segments, ARRAY_LEN(segments) },
	{ "cleave.x86.system", "", systems, ARRAY_LEN(systems) },
};

void regs_xml(struct str *out)
{
	str_puts(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
		      "<target><architecture>i386:x86-64</architecture>");
	for (size_t f = 0; f < ARRAY_LEN(features); f++) {
		str_printf(out, "<feature name=\"%s\">%s", features[f].name, features[f].types);
		for (size_t i = 0; i < features[f].nr; i++) {
			const struct reg *r = &features[f].reg[i];

			str_printf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", r->name, r->bytes * 8u, r->type);
			if (r->group != NULL)
				str_printf(out, " group=\"%s\"", r->group);
			str_puts(out, "/>");
		}
		str_puts(out, "</feature>");
	}
	str_puts(out, "</target>");
}

unsigned regs_count(void)
{
	size_t n = 0;

	for (size_t f = 0; f < ARRAY_LEN(features); f++)
		n += features[f].nr;
	return (unsigned) n;
}

static const struct reg *find(unsigned n)
{
	for (size_t f = 0; f < ARRAY_LEN(features); f++) {
		if (n < features[f].nr)
			return &features[f].reg[n];
		n -= (unsigned) features[f].nr;
	}
	return NULL;
}

/* Two bits for each of eight registers: 0 it has a value, 3 it is empty. */
static uint16_t tags_long(uint8_t present)
{
	uint16_t tags = 0;

	for (unsigned i = 0; i < 8; i++)
		if (!(present >> i & 1))
			tags = (uint16_t) (tags | 3u << i * 2);
	return tags;
}

static uint8_t tags_short(uint16_t tags)
{
	uint8_t present = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((tags >> i * 2 & 3) != 3)
			present = (uint8_t) (present | 1u << i);
	return present;
}

static void value_of(const struct accel_regs *r, const struct reg *row, uint8_t ret[REG_BYTES_MAX])
{
	const uint8_t *from = (const uint8_t *) r + row->offset;
	uint16_t tags;

	memset(ret, 0, REG_BYTES_MAX);
	memcpy(ret, from, row->stored);
	if (row->form == TAGS) {
		tags = tags_long(*from);
		memcpy(ret, &tags, sizeof(tags));
	}
}

void regs_put(struct str *out, const struct accel_regs *r, unsigned n)
{
	const struct reg *row = find(n);
	uint8_t value[REG_BYTES_MAX];

	if (row == NULL)
		return;
	value_of(r, row, value);
	rsp_hex(out, value, row->bytes);
}

int regs_take(const char **at, struct accel_regs *r, unsigned n)
{
	const struct reg *row = find(n);
	uint8_t value[REG_BYTES_MAX], old[REG_BYTES_MAX], *to;
	uint16_t tags;

	if (row == NULL || !rsp_bytes(at, value, row->bytes))
		return -EINVAL;
	value_of(r, row, old);
	if (row->form == READ_ONLY)
		return memcmp(value, old, row->bytes) == 0 ? 0 : -EPERM;
	to = (uint8_t *) r + row->offset;
	if (row->form == TAGS) {
		memcpy(&tags, value, sizeof(tags));
		*to = tags_short(tags);
	} else {
		memcpy(to, value, row->stored);
	}
	return 0;
}
