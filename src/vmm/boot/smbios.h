/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS: who the machine is, in tables that programs of the guest read.
 * Spec: DMTF DSP0134 3.6.
 */
#pragma once

#include <stdint.h>

struct err;
struct gmem;
struct str;

#define SMBIOS_SIZE_MAX 0xFFF0 /* bytes: they live between BOOT_SMBIOS and BOOT_RESET_VECTOR */
#define SMBIOS_TEXTS_MAX 32

/**
 * struct smbios_config - what the tables tell
 * @uuid: of the machine
 * @text: @nr_texts strings for whoever starts the machine (OEM strings)
 * @memory: bytes
 */
struct smbios_config {
	uint8_t uuid[16];
	const char *const *text;
	unsigned nr_texts;
	uint64_t memory;
};

/**
 * smbios_build() - entry point and tables, in one piece
 * @base: guest address where they will be
 * @ret: appended to
 * Return: 0; -ENOMEM; -EFBIG over SMBIOS_SIZE_MAX.
 */
int smbios_build(const struct smbios_config *conf, uint64_t base, struct str *ret);

/** smbios_write() - put them into guest memory; 0 or -errno with a message */
int smbios_write(const struct smbios_config *conf, const struct gmem *mem, struct err *err);
