/* SPDX-License-Identifier: MIT */
#include "vmm/boot/acpi_text.h"

#include <ctype.h>
#include <inttypes.h>

#include "base/str.h"
#include "vmm/core/bytes.h"

#define RSDP_XSDT 24 /* where the root pointer has the address of the root table */
#define TABLE_LENGTH 4
#define TABLE_HEADER 36
#define FADT_DSDT 140
#define COLUMNS 16

static void put_line(const uint8_t *p, uint32_t at, uint32_t n, struct str *ret)
{
	str_printf(ret, "    %04" PRIX32 ":", at);
	for (uint32_t i = 0; i < COLUMNS; i++)
		if (i < n)
			str_printf(ret, " %02X", p[at + i]);
		else
			str_puts(ret, "   ");
	str_puts(ret, "  ");
	for (uint32_t i = 0; i < n; i++)
		str_printf(ret, "%c", isprint(p[at + i]) ? p[at + i] : '.');
	str_puts(ret, "\n");
}

static const uint8_t *put_table(const struct str *tables, uint64_t base, uint64_t address, struct str *ret)
{
	const uint8_t *p = (const uint8_t *) tables->p + (address - base);
	uint32_t len = get_le32(p + TABLE_LENGTH);

	str_printf(ret, "%.4s @ 0x%016" PRIX64 "\n", (const char *) p, address);
	for (uint32_t at = 0; at < len; at += COLUMNS)
		put_line(p, at, len - at < COLUMNS ? len - at : COLUMNS, ret);
	str_puts(ret, "\n");
	return p;
}

void acpi_text(const struct str *tables, uint64_t base, struct str *ret)
{
	const uint8_t *xsdt = put_table(tables, base, get_le64((const uint8_t *) tables->p + RSDP_XSDT), ret);
	uint32_t len = get_le32(xsdt + TABLE_LENGTH);

	for (uint32_t at = TABLE_HEADER; at < len; at += 8) {
		const uint8_t *p = put_table(tables, base, get_le64(xsdt + at), ret);

		if (p[0] == 'F') /* FACP, which alone knows where the DSDT is */
			(void) put_table(tables, base, get_le64(p + FADT_DSDT), ret);
	}
}
