/* SPDX-License-Identifier: MIT */
/**
 * DOC: ACPI tables
 *
 * The machine is "hardware-reduced": no fixed power-management block, no legacy interrupt
 * controller.  The power button comes through a generic event device.
 */
#include "vmm/boot/acpi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/boot/aml.h"
#include "vmm/boot/boot.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"
#include "vmm/dev/legacy/power.h"
#include "vmm/dev/pci/hotplug.h"
#include "vmm/dev/pci/pci.h"

#define HEADER 36 /* bytes in front of every table */
#define RSDP_SIZE 36
#define GENERATION 48 /* where the generation is, behind the root pointer */
#define RSDP_ROOM 64
#define FADT_SIZE 276
#define LAPIC_BASE 0xFEE00000u
#define IOAPIC_BASE 0xFEC00000u

#define FADT_WBINVD (1u << 0)
#define FADT_C1 (1u << 2)
#define FADT_BUTTONS (3u << 4) /* power and sleep button are not fixed hardware */
#define FADT_RESET (1u << 10)
#define FADT_HW_REDUCED (1u << 20)
#define IAPC_NO_VGA (1u << 2)

static uint8_t checksum(const char *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t) (sum + (uint8_t) p[i]);
	return (uint8_t) -sum;
}

/* Append a table with its header; returns where it begins. */
static size_t add_table(struct str *s, const char *signature, uint8_t revision, const struct str *body)
{
	uint8_t h[HEADER] = { 0 };
	size_t at;

	while (s->len % 16 != 0)
		str_add(s, "", 1);
	at = s->len;
	memcpy(h, signature, 4);
	put_le32(h + 4, (uint32_t) (HEADER + body->len));
	h[8] = revision;
	memcpy(h + 10, "CLEAVECLEAVEVM", 14);
	put_le32(h + 24, 1);
	memcpy(h + 28, "CLVE", 4);
	put_le32(h + 32, 1);
	str_add(s, h, sizeof(h));
	str_add(s, body->p, body->len);
	if (!s->failed && !body->failed)
		s->p[at + 9] = (char) checksum(s->p + at, HEADER + body->len);
	s->failed = s->failed || body->failed;
	return at;
}

static void add_ports(struct str *s, const char *device, const char *eisa, uint16_t port, uint8_t len, int irq)
{
	_cleanup_(str_fini) struct str body = { 0 }, res = { 0 };

	aml_name_eisa(&body, "_HID", eisa);
	aml_name_int(&body, "_UID", 0);
	aml_res_io(&res, port, len);
	if (irq >= 0)
		aml_res_irq(&res, (uint32_t) irq, false);
	aml_name_resources(&body, "_CRS", &res);
	aml_device(s, device, &body);
}

static void add_panic(struct str *s)
{
	_cleanup_(str_fini) struct str body = { 0 }, res = { 0 };

	aml_name_text(&body, "_HID", "QEMU0001"); /* the name that the driver of this interface knows */
	aml_name_int(&body, "_STA", 15);
	aml_res_io(&res, POWER_PANIC, 1);
	aml_name_resources(&body, "_CRS", &res);
	aml_device(s, "PANI", &body);
}

/*
 * A device per slot, which can be ejected, and a method that tells of those that came (1) or shall go (3).
 * The ports belong to the scope around.
 */
static void add_slots(struct str *outer, struct str *s)
{
	static const char *const fields[] = { "PCIU", "PCID", "PCEJ" };
	_cleanup_(str_fini) struct str scan = { 0 }, down = { 0 };

	aml_port_fields(outer, "PHPR", HOTPLUG_PORT, fields, 3);
	aml_store_local0(&scan, "PCIU");
	aml_store_local0(&down, "PCID");
	for (unsigned i = 1; i < PCI_SLOTS; i++) {
		_cleanup_(str_fini) struct str slot = { 0 }, eject = { 0 }, up = { 0 }, off = { 0 };
		char name[5];

		(void) snprintf(name, sizeof(name), "S%02u_", i);
		aml_name_int(&slot, "_ADR", (uint64_t) i << 16);
		aml_name_int(&slot, "_SUN", i);
		aml_store_int(&eject, "PCEJ", 1u << i);
		aml_method(&slot, "_EJ0", 1, &eject);
		aml_device(s, name, &slot);
		aml_notify(&up, name, 1);
		aml_if_local0_bit(&scan, 1u << i, &up);
		aml_notify(&off, name, 3);
		aml_if_local0_bit(&down, 1u << i, &off);
	}
	str_add(&scan, down.p, down.len);
	aml_method(s, "PHPS", 0, &scan);
}

/* A number of 16 bytes in memory that is another in every copy of a machine. */
static void add_generation(struct str *s, uint64_t at)
{
	_cleanup_(str_fini) struct str body = { 0 };

	aml_name_text(&body, "_HID", "VMGENCTR");
	aml_name_text(&body, "_CID", "VM_Gen_Counter");
	aml_name_text(&body, "_DDN", "VM_Gen_Counter");
	aml_name_package2(&body, "ADDR", at & UINT32_MAX, at >> 32);
	aml_device(s, "VGEN", &body);
}

static void add_pci(struct str *s, const struct acpi_config *conf)
{
	_cleanup_(str_fini) struct str body = { 0 }, res = { 0 }, board = { 0 }, fixed = { 0 };

	aml_name_eisa(&body, "_HID", "PNP0A08");
	aml_name_eisa(&body, "_CID", "PNP0A03");
	aml_name_int(&body, "_SEG", 0);
	aml_name_int(&body, "_BBN", 0);
	aml_name_int(&body, "_UID", 0);
	aml_res_buses(&res, 0);
	for (size_t i = 0; i < ARRAY_LEN(conf->window); i++)
		if (conf->window[i].last > conf->window[i].base)
			aml_res_window(&res, conf->window[i].base, conf->window[i].last);
	aml_name_resources(&body, "_CRS", &res);
	if (conf->hotplug)
		add_slots(s, &body);
	aml_device(s, "PCI0", &body);

	aml_name_eisa(&board, "_HID", "PNP0C02");
	aml_name_int(&board, "_UID", 0);
	aml_res_fixed(&fixed, (uint32_t) conf->ecam, (uint32_t) conf->ecam_len);
	aml_name_resources(&board, "_CRS", &fixed);
	aml_device(s, "MBRD", &board);
}

/* A control-method power button, and the device whose interrupt says that it was pressed. */
static void add_events(struct str *s, bool hotplug)
{
	_cleanup_(str_fini) struct str button = { 0 }, body = { 0 }, res = { 0 }, method = { 0 }, then = { 0 }, scan = { 0 };

	aml_name_eisa(&button, "_HID", "PNP0C0C");
	aml_device(s, "PWRB", &button);
	aml_name_text(&body, "_HID", "ACPI0013");
	aml_name_int(&body, "_UID", 0);
	aml_res_irq(&res, POWER_IRQ, true);
	aml_name_resources(&body, "_CRS", &res);
	aml_port_field(&body, "EVTR", "EVTS", POWER_EVENTS);
	aml_store_local0(&method, "EVTS");
	aml_notify(&then, "PWRB", 0x80);
	aml_if_local0_bit(&method, POWER_EVENT_BUTTON, &then);
	aml_call(&scan, "PCI0", "PHPS");
	if (hotplug)
		aml_if_local0_bit(&method, POWER_EVENT_PCI, &scan);
	aml_method(&body, "_EVT", 1, &method);
	aml_device(s, "GED_", &body);
}

static void make_dsdt(struct str *s, const struct acpi_config *conf, uint64_t base)
{
	static const uint8_t s5[4] = { POWER_SLEEP_TYPE_OFF, 0, 0, 0 };
	_cleanup_(str_fini) struct str sb = { 0 };

	if (conf->ecam_len > 0)
		add_pci(&sb, conf);
	add_ports(&sb, "COM1", "PNP0501", 0x3F8, 8, 4);
	add_ports(&sb, "RTC_", "PNP0B00", 0x70, 2, -1);
	add_events(&sb, conf->hotplug);
	if (conf->generation != NULL)
		add_generation(&sb, base + GENERATION);
	add_panic(&sb);
	aml_scope(s, "\\_SB_", &sb);
	aml_name_package(s, "_S5_", s5);
}

static void make_madt(struct str *s, unsigned cpus)
{
	uint8_t head[8] = { 0 }, ioapic[12] = { 1, 12, 0 };
	static const uint8_t nmi[6] = { 4, 6, 0xFF, 0, 0, 1 }; /* input 1 of all local APICs */

	put_le32(head, LAPIC_BASE);
	str_add(s, head, sizeof(head));
	for (unsigned i = 0; i < cpus; i++) {
		uint8_t lapic[8] = { 0, 8, (uint8_t) i, (uint8_t) i, 1 };

		str_add(s, lapic, sizeof(lapic));
	}
	put_le32(ioapic + 4, IOAPIC_BASE);
	str_add(s, ioapic, sizeof(ioapic));
	str_add(s, nmi, sizeof(nmi));
}

static void make_mcfg(struct str *s, const struct acpi_config *conf)
{
	uint8_t b[24] = { 0 };

	put_le64(b + 8, conf->ecam);
	str_add(s, b, sizeof(b)); /* segment 0, buses 0 to 0: each more costs the guest a scan */
}

/* Generic address: a port of 8 bits. */
static void put_port(uint8_t *p, uint16_t port)
{
	p[0] = 1;
	p[1] = 8;
	p[3] = 1;
	put_le64(p + 4, port);
}

static void make_fadt(struct str *s, uint64_t dsdt)
{
	uint8_t f[FADT_SIZE] = { 0 };

	put_le32(f + 40, (uint32_t) dsdt);
	put_le16(f + 109, IAPC_NO_VGA);
	put_le32(f + 112, FADT_WBINVD | FADT_C1 | FADT_BUTTONS | FADT_RESET | FADT_HW_REDUCED);
	put_port(f + 116, POWER_RESET);
	f[128] = POWER_RESET_VALUE;
	f[131] = 5; /* minor version */
	put_le64(f + 140, dsdt);
	put_port(f + 244, POWER_SLEEP_CONTROL);
	put_port(f + 256, POWER_SLEEP_STATUS);
	memcpy(f + 268, "CLEAVE", 6);
	str_add(s, f + HEADER, sizeof(f) - HEADER);
}

static void make_xsdt(struct str *s, const uint64_t *tables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t b[8];

		put_le64(b, tables[i]);
		str_add(s, b, sizeof(b));
	}
}

static void put_rsdp(char *p, uint64_t xsdt)
{
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "CLEAVE", 6);
	p[15] = 2;
	put_le32(p + 20, RSDP_SIZE);
	put_le64(p + 24, xsdt);
	p[8] = (char) checksum(p, 20);
	p[32] = (char) checksum(p, RSDP_SIZE);
}

int acpi_build(const struct acpi_config *conf, uint64_t base, struct str *ret)
{
	_cleanup_(str_fini) struct str s = { 0 }, dsdt = { 0 }, fadt = { 0 }, madt = { 0 }, mcfg = { 0 }, xsdt = { 0 };
	static const char zero[RSDP_ROOM];
	uint64_t tables[3];
	size_t n = 0, root;

	str_add(&s, zero, sizeof(zero));
	make_dsdt(&dsdt, conf, base);
	make_fadt(&fadt, base + add_table(&s, "DSDT", 2, &dsdt));
	tables[n++] = base + add_table(&s, "FACP", 6, &fadt);
	make_madt(&madt, conf->nr_cpus);
	tables[n++] = base + add_table(&s, "APIC", 5, &madt);
	if (conf->ecam_len > 0) {
		make_mcfg(&mcfg, conf);
		tables[n++] = base + add_table(&s, "MCFG", 1, &mcfg);
	}
	make_xsdt(&xsdt, tables, n);
	root = add_table(&s, "XSDT", 1, &xsdt);
	if (s.failed)
		return -ENOMEM;
	put_rsdp(s.p, base + root);
	if (conf->generation != NULL)
		memcpy(s.p + GENERATION, conf->generation, 16);
	if (s.len > ACPI_SIZE_MAX)
		return -EFBIG;
	str_add(ret, s.p, s.len);
	return ret->failed ? -ENOMEM : 0;
}

int acpi_write(const struct acpi_config *conf, const struct gmem *mem, uint64_t *ret_rsdp, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r = acpi_build(conf, BOOT_ACPI, &s);

	if (r == 0)
		r = gmem_write(mem, BOOT_ACPI, s.p, s.len);
	if (r < 0)
		return err_set(err, r, "write ACPI tables");
	*ret_rsdp = BOOT_ACPI;
	return 0;
}
