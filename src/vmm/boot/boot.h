/* SPDX-License-Identifier: MIT */
/*
 * Putting a kernel into guest memory, and where the first processor begins.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/registry.h"

struct accel_start;
struct err;
struct gmem;

/* Guest addresses of what a kernel is handed; README.md has the whole map. */
#define BOOT_GDT 0x500ull
#define BOOT_PVH_INFO 0x6000ull
#define BOOT_ZERO_PAGE 0x7000ull
#define BOOT_TABLES 0x9000ull /* page tables: PML4, PDPT, four page directories */
#define BOOT_CMDLINE 0x20000ull
#define BOOT_LOW_END 0x9FC00ull /* memory below 1 MiB that the guest may use */
#define BOOT_ACPI 0xE0000ull
#define BOOT_SMBIOS 0xF0000ull
#define BOOT_RESET_VECTOR 0xFFFF0ull
#define BOOT_HIGH 0x100000ull

#define BOOT_CMDLINE_MAX 4096 /* bytes with the terminator; kernels take 2048 */
#define BOOT_HEAD_MAX 4096 /* bytes of a kernel that tell what it is */
#define BOOT_FILE_MAX (1ull << 30) /* bytes of a kernel or initramfs */

/**
 * struct boot_config - what to boot
 * @kernel: descriptor of the kernel; borrowed
 * @initrd: descriptor of the initramfs, -1 for none; borrowed
 * @kernel_name, @initrd_name: for messages
 * @cmdline: the kernel's command line
 */
struct boot_config {
	int kernel, initrd;
	const char *kernel_name, *initrd_name, *cmdline;
};

/**
 * struct boot_load - a kernel being loaded
 * @head: its first bytes, @head_len of them; the rest is zero
 * @size: bytes of its file
 * @rsdp: guest address of the ACPI tables
 * @ecam, @ecam_len: addresses that are PCI configuration space
 * @initrd_gpa, @initrd_len: where the initramfs is, set by boot_initrd()
 */
struct boot_load {
	const struct gmem *mem;
	const struct boot_config *conf;
	uint8_t head[BOOT_HEAD_MAX];
	size_t head_len;
	uint64_t size, rsdp, ecam, ecam_len, initrd_gpa, initrd_len;
};

/**
 * struct boot_loader - a kind of kernel
 * @matches: is it of this kind?
 * @load: put it into memory and say where to begin; -errno with a message
 */
struct boot_loader {
	const char *name;
	bool (*matches)(const struct boot_load *b);
	int (*load)(struct boot_load *b, struct accel_start *ret, struct err *err);
};

REGISTRY_DECLARE(boot_loaders, struct boot_loader);

/**
 * boot_load() - put a kernel, its initramfs and its command line into guest memory
 * @mem: reads as zero but for the ACPI tables
 * @ret: where the first processor begins
 * Context: blocks on reading files.
 * Return: 0; -ENOEXEC no kernel of a known kind; -EFBIG does not fit; -errno, with a message.
 */
int boot_load(const struct gmem *mem, const struct boot_config *conf, uint64_t rsdp, uint64_t ecam,
	      uint64_t ecam_len, struct accel_start *ret, struct err *err);

/** enum boot_range_kind - numbers of the e820 interface */
enum boot_range_kind { BOOT_RANGE_RAM = 1, BOOT_RANGE_RESERVED = 2, BOOT_RANGE_ACPI = 3 };

#define BOOT_RANGES_MAX 8

/** struct boot_range - a part of the memory map */
struct boot_range {
	uint64_t gpa, len;
	enum boot_range_kind kind;
};

/** boot_memory_map() - ranges by rising address; returns how many */
size_t boot_memory_map(const struct boot_load *b, struct boot_range ret[BOOT_RANGES_MAX]);

/**
 * boot_initrd() - put the initramfs at the end of low memory
 * @max: highest guest address that the kernel can reach
 * @above: guest address behind the kernel, with what it needs to unpack
 * Return: 0 also when there is none; -EFBIG it does not fit; -errno, with a message.
 */
int boot_initrd(struct boot_load *b, uint64_t above, uint64_t max, struct err *err);

/**
 * boot_read() - read a part of a file into guest memory
 * @name: for messages
 * Return: 0; -EFBIG no memory there; -EIO the file is shorter; -errno, with a message.
 */
int boot_read(const struct gmem *mem, int fd, const char *name, uint64_t offset, uint64_t gpa,
	      uint64_t len, struct err *err);

/** boot_cmdline() - put the command line at BOOT_CMDLINE; @max: bytes that the kernel takes */
int boot_cmdline(const struct boot_load *b, size_t max, struct err *err);
