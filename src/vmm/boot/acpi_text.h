/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables for people: the text that acpidump writes, and that acpixtract and iasl read.
 */
#pragma once

#include <stdint.h>

struct str;

/**
 * acpi_text() - what acpi_build() made, a table after the other
 * @base: guest address that it was made for
 * @ret: appended to
 */
void acpi_text(const struct str *tables, uint64_t base, struct str *ret);
