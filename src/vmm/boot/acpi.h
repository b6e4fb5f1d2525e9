/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: how a kernel finds processors, interrupts, PCI and the power registers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct gmem;
struct str;

#define ACPI_SIZE_MAX 0x10000 /* bytes of all tables: they live between BOOT_ACPI and BOOT_SMBIOS */

/** struct acpi_window - addresses from @base to @last that PCI devices may have */
struct acpi_window {
	uint64_t base, last;
};

/**
 * struct acpi_config - what the tables tell
 * @nr_cpus: processors, with local APICs numbered from 0
 * @ecam: guest address of PCI configuration space of bus 0
 * @window: where PCI devices are
 * @hotplug: devices may come and go
 * @generation: 16 bytes that tell this machine from a copy of it; NULL: none
 */
struct acpi_config {
	unsigned nr_cpus;
	uint64_t ecam, ecam_len;
	struct acpi_window window[2];
	bool hotplug;
	const uint8_t *generation;
};

/**
 * acpi_build() - all tables, in one piece
 * @base: guest address where they will be
 * @ret: appended to; the root pointer is at its start
 * Return: 0; -ENOMEM; -EFBIG over ACPI_SIZE_MAX.
 * Spec: ACPI 6.5, chapter 5; hardware-reduced.
 */
int acpi_build(const struct acpi_config *conf, uint64_t base, struct str *ret);

/**
 * acpi_write() - put the tables into guest memory
 * @ret_rsdp: guest address of the root pointer
 * Return: 0; -errno with a message.
 */
int acpi_write(const struct acpi_config *conf, const struct gmem *mem, uint64_t *ret_rsdp, struct err *err);
