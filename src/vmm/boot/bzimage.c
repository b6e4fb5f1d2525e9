/* SPDX-License-Identifier: MIT */
/**
 * DOC: Linux' bzImage, entered by the 64-bit protocol
 *
 * The setup code in front, which would run in real mode, is only read for its header; the kernel
 * behind it unpacks itself.
 * Spec: Linux Documentation/x86/boot.rst, "64-bit boot protocol".
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/boot.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"

/* Offsets in the header, which is at the same place in the file and in the zero page. */
#define ZERO_RSDP 0x070
#define ZERO_E820_ENTRIES 0x1E8
#define SETUP_SECTS 0x1F1
#define BOOT_FLAG 0x1FE
#define JUMP_LENGTH 0x201
#define MAGIC 0x202
#define VERSION 0x206
#define LOADER_TYPE 0x210
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21C
#define CMD_LINE_PTR 0x228
#define INITRD_ADDR_MAX 0x22C
#define XLOADFLAGS 0x236
#define CMDLINE_SIZE 0x238
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define ZERO_E820 0x2D0
#define HEADER_END 0x268

#define VERSION_64 0x20C /* has xloadflags */
#define XLF_KERNEL_64 1u
#define XLF_ABOVE_4G 2u
#define ENTRY_64 0x200
#define LOADER_UNKNOWN 0xFF
#define SECTOR 512
#define E820_ENTRY 20 /* bytes */
#define TABLES_SIZE (6 * 4096)

static bool bzimage_matches(const struct boot_load *b)
{
	return b->head_len >= HEADER_END && get_le16(b->head + BOOT_FLAG) == 0xAA55 &&
	       memcmp(b->head + MAGIC, "HdrS", 4) == 0;
}

/* Identity map of the first 4 GiB in pages of 2 MiB. */
static int write_tables(const struct gmem *mem)
{
	uint8_t *t = gmem_map(mem, BOOT_TABLES, TABLES_SIZE);

	if (t == NULL)
		return -EFAULT;
	put_le64(t, (BOOT_TABLES + 0x1000) | 3);
	for (uint64_t i = 0; i < 4; i++)
		put_le64(t + 0x1000 + i * 8, (BOOT_TABLES + 0x2000 + i * 0x1000) | 3);
	for (uint64_t i = 0; i < 4 * 512; i++)
		put_le64(t + 0x2000 + i * 8, i << 21 | 0x83);
	return 0;
}

static int write_zero_page(const struct boot_load *b, uint32_t header_len)
{
	struct boot_range map[BOOT_RANGES_MAX];
	size_t n = boot_memory_map(b, map);
	uint8_t z[4096] = { 0 };

	memcpy(z + SETUP_SECTS, b->head + SETUP_SECTS, header_len);
	z[LOADER_TYPE] = LOADER_UNKNOWN;
	put_le64(z + ZERO_RSDP, b->rsdp);
	put_le32(z + CMD_LINE_PTR, BOOT_CMDLINE);
	put_le32(z + RAMDISK_IMAGE, (uint32_t) b->initrd_gpa); /* below GMEM_LOW_MAX */
	put_le32(z + RAMDISK_SIZE, (uint32_t) b->initrd_len);
	z[ZERO_E820_ENTRIES] = (uint8_t) n;
	for (size_t i = 0; i < n; i++) {
		uint8_t *e = z + ZERO_E820 + i * E820_ENTRY;

		put_le64(e, map[i].gpa);
		put_le64(e + 8, map[i].len);
		put_le32(e + 16, map[i].kind);
	}
	return gmem_write(b->mem, BOOT_ZERO_PAGE, z, sizeof(z));
}

static int bzimage_load(struct boot_load *b, struct accel_start *ret, struct err *err)
{
	const uint8_t *h = b->head;
	const char *name = b->conf->kernel_name;
	uint64_t setup = ((uint64_t) (h[SETUP_SECTS] != 0 ? h[SETUP_SECTS] : 4) + 1) * SECTOR;
	uint32_t header_len = MAGIC + h[JUMP_LENGTH] - SETUP_SECTS;
	uint64_t at = get_le64(h + PREF_ADDRESS), need = get_le32(h + INIT_SIZE);
	uint64_t low = gmem_low_end(b->mem), max;
	int r;

	if (get_le16(h + VERSION) < VERSION_64 || !(get_le16(h + XLOADFLAGS) & XLF_KERNEL_64))
		return err_msg(err, -ENOEXEC, "kernel '%s' has no 64-bit entry", name);
	if (setup >= b->size || h[JUMP_LENGTH] < HEADER_END - MAGIC)
		return err_msg(err, -ENOEXEC, "kernel '%s': its header says that the file is longer", name);
	if (need < b->size - setup)
		need = b->size - setup;
	if (at < BOOT_HIGH)
		at = BOOT_HIGH;
	/* also a relocatable one that is put lower moves itself there */
	if (at > low || need > low - at)
		return err_msg(err, -EFBIG, "kernel '%s' needs %llu MiB of memory, the guest has %llu MiB", name,
			       (unsigned long long) (at < GMEM_SIZE_MAX ? at + need + (1 << 20) - 1 : at) >> 20,
			       (unsigned long long) b->mem->size >> 20);
	r = boot_read(b->mem, b->conf->kernel, name, setup, at, b->size - setup, err);
	if (r < 0)
		return r;
	max = get_le16(h + XLOADFLAGS) & XLF_ABOVE_4G ? UINT32_MAX : get_le32(h + INITRD_ADDR_MAX);
	r = boot_initrd(b, at + need, max, err);
	if (r == 0)
		r = boot_cmdline(b, (size_t) get_le32(h + CMDLINE_SIZE) + 1, err);
	if (r < 0)
		return r;
	if (write_tables(b->mem) < 0 || write_zero_page(b, header_len) < 0)
		return err_msg(err, -EFAULT, "no guest memory for the boot tables");
	ret->mode = ACCEL_MODE_LONG64;
	ret->rip = at + ENTRY_64;
	ret->rsi = BOOT_ZERO_PAGE;
	ret->cr3 = BOOT_TABLES;
	return 0;
}

static const struct boot_loader bzimage = { .name = "bzImage", .matches = bzimage_matches, .load = bzimage_load };
REGISTRY_ADD(boot_loaders, bzimage);
