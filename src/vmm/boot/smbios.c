/* SPDX-License-Identifier: MIT */
#include "vmm/boot/smbios.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/boot/boot.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"

#define ENTRY 24u /* bytes of the entry point */
#define ENTRY_ROOM 32u
#define MEMORY_MAX_KIB 0x80000000u

enum { BIOS = 0, SYSTEM = 1, CHASSIS = 3, OEM_STRINGS = 11, MEMORY_ARRAY = 16, MEMORY_DEVICE = 17, MEMORY_MAP = 19,
       BOOT_STATUS = 32, END = 127 };

static const uint8_t version[] = { 3, 3, 0 };

/* A structure: its fixed part of @len bytes, of which the first four are filled in, and @n strings. */
static void add(struct str *s, uint8_t type, uint16_t handle, uint8_t *body, uint8_t len, const char *const *text,
		unsigned n)
{
	body[0] = type;
	body[1] = len;
	put_le16(body + 2, handle);
	str_add(s, body, len);
	for (unsigned i = 0; i < n; i++)
		str_add(s, text[i], strlen(text[i]) + 1);
	str_add(s, "\0", n > 0 ? 1 : 2);
}

static void add_names(struct str *s, const struct smbios_config *conf)
{
	static const char *const bios_text[] = { "Cleave", CLEAVE_VERSION, "01/01/2026" };
	static const char *const system_text[] = { "Cleave", "Virtual Machine", CLEAVE_VERSION };
	static const char *const chassis_text[] = { "Cleave" };
	uint8_t bios[26] = { [4] = 1, [5] = 2, [8] = 3, [10] = 8, [19] = 0x14, [20] = 0, [21] = 0, [22] = 0xFF, [23] = 0xFF };
	uint8_t system[27] = { [4] = 1, [5] = 2, [6] = 3, [24] = 6 };
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 }; /* little-endian parts */
	uint8_t chassis[22] = { [4] = 1, [5] = 1, [9] = 3, [10] = 3, [11] = 3, [12] = 2 };

	add(s, BIOS, 0, bios, sizeof(bios), bios_text, 3); /* 19: a virtual machine, described by ACPI and this */
	for (unsigned i = 0; i < 16; i++)
		system[8 + i] = conf->uuid[order[i]];
	add(s, SYSTEM, 0x100, system, sizeof(system), system_text, 3);
	add(s, CHASSIS, 0x300, chassis, sizeof(chassis), chassis_text, 1);
}

static void add_memory(struct str *s, const struct smbios_config *conf)
{
	static const char *const text[] = { "DIMM 0" };
	uint64_t kib = conf->memory >> 10, mib = conf->memory >> 20;
	uint8_t array[23] = { [4] = 1, [5] = 3, [6] = 6, [13] = 1 };
	uint8_t device[40] = { [8] = 64, [10] = 64, [14] = 9, [16] = 1, [18] = 7 };
	uint8_t map[31] = { [14] = 1 };

	put_le32(array + 7, kib < MEMORY_MAX_KIB ? (uint32_t) kib : MEMORY_MAX_KIB);
	put_le16(array + 11, 0xFFFE); /* nothing is known of errors */
	put_le64(array + 15, kib < MEMORY_MAX_KIB ? 0 : conf->memory);
	add(s, MEMORY_ARRAY, 0x1000, array, sizeof(array), NULL, 0);
	put_le16(device + 4, 0x1000);
	put_le16(device + 6, 0xFFFE);
	put_le16(device + 12, mib < 0x7FFF ? (uint16_t) mib : 0x7FFF);
	put_le32(device + 28, mib < 0x7FFF ? 0 : (uint32_t) mib);
	add(s, MEMORY_DEVICE, 0x1100, device, sizeof(device), text, 1);
	put_le32(map + 4, UINT32_MAX); /* the 64-bit numbers hold */
	put_le32(map + 8, UINT32_MAX);
	put_le16(map + 12, 0x1000);
	put_le64(map + 23, conf->memory - 1);
	add(s, MEMORY_MAP, 0x1300, map, sizeof(map), NULL, 0);
}

int smbios_build(const struct smbios_config *conf, uint64_t base, struct str *ret)
{
	_cleanup_(str_fini) struct str s = { 0 };
	uint8_t entry[ENTRY_ROOM] = "_SM3_", oem[5] = { [4] = (uint8_t) conf->nr_texts }, boot[20] = { 0 }, end[4] = { 0 };
	uint8_t sum = 0;

	add_names(&s, conf);
	if (conf->nr_texts > 0)
		add(&s, OEM_STRINGS, 0xB00, oem, sizeof(oem), conf->text, conf->nr_texts);
	add_memory(&s, conf);
	add(&s, BOOT_STATUS, 0x2000, boot, sizeof(boot), NULL, 0);
	add(&s, END, 0x7F00, end, sizeof(end), NULL, 0);
	if (s.failed)
		return -ENOMEM;
	if (s.len > SMBIOS_SIZE_MAX - ENTRY_ROOM)
		return -EFBIG;
	entry[6] = ENTRY;
	memcpy(entry + 7, version, sizeof(version));
	entry[10] = 1; /* revision of the entry point */
	put_le32(entry + 12, (uint32_t) s.len);
	put_le64(entry + 16, base + ENTRY_ROOM);
	for (unsigned i = 0; i < ENTRY; i++)
		sum = (uint8_t) (sum + entry[i]);
	entry[5] = (uint8_t) -sum;
	str_add(ret, entry, sizeof(entry));
	str_add(ret, s.p, s.len);
	return ret->failed ? -ENOMEM : 0;
}

int smbios_write(const struct smbios_config *conf, const struct gmem *mem, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r = smbios_build(conf, BOOT_SMBIOS, &s);

	if (r == 0)
		r = gmem_write(mem, BOOT_SMBIOS, s.p, s.len);
	return r < 0 ? err_set(err, r, "write SMBIOS tables") : 0;
}
