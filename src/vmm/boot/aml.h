/* SPDX-License-Identifier: MIT */
/*
 * ACPI machine language, piece by piece: what belongs into something is written first, into a text
 * of its own, and then added with its length in front.
 * Spec: ACPI 6.5, chapters 19.6, 20.2 and 6.4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct str;

/** aml_integer() - a number in its shortest form */
void aml_integer(struct str *s, uint64_t v);

/** aml_scope() - Scope (@path) { @body } */
void aml_scope(struct str *s, const char *path, const struct str *body);

/** aml_device() - Device (@name) { @body } */
void aml_device(struct str *s, const char *name, const struct str *body);

/** aml_method() - Method (@name, @args, Serialized) { @body } */
void aml_method(struct str *s, const char *name, unsigned args, const struct str *body);

/** aml_name_int() - Name (@name, @v) */
void aml_name_int(struct str *s, const char *name, uint64_t v);

/** aml_name_text() - Name (@name, "@text") */
void aml_name_text(struct str *s, const char *name, const char *text);

/** aml_name_eisa() - Name (@name, EisaId ("@id")); @id: three letters, four hexadecimal digits */
void aml_name_eisa(struct str *s, const char *name, const char *id);

/** aml_name_package() - Name (@name, Package { four numbers }) */
void aml_name_package(struct str *s, const char *name, const uint8_t v[4]);

/** aml_name_resources() - Name (@name, ResourceTemplate () { @body }) */
void aml_name_resources(struct str *s, const char *name, const struct str *body);

/** aml_port_field() - a field @field of 8 bits at port @port, in a region @region */
void aml_port_field(struct str *s, const char *region, const char *field, uint16_t port);

/** aml_port_fields() - @n fields of 32 bits from port @port on, in a region @region */
void aml_port_fields(struct str *s, const char *region, uint16_t port, const char *const *fields, unsigned n);

/** aml_store_int() - @name = @v */
void aml_store_int(struct str *s, const char *name, uint64_t v);

/** aml_call() - call a method of a device in \\_SB */
void aml_call(struct str *s, const char *device, const char *method);

/** aml_name_package2() - Name (@name, Package { @a, @b }) */
void aml_name_package2(struct str *s, const char *name, uint64_t a, uint64_t b);

/** aml_store_local0() - Local0 = @name */
void aml_store_local0(struct str *s, const char *name);

/** aml_if_local0_bit() - If (Local0 & @mask) { @body } */
void aml_if_local0_bit(struct str *s, uint32_t mask, const struct str *body);

/** aml_notify() - Notify (@name, @value) */
void aml_notify(struct str *s, const char *name, uint8_t value);

/** aml_res_io() - @len ports from @port on */
void aml_res_io(struct str *s, uint16_t port, uint8_t len);

/** aml_res_irq() - an interrupt line, high, not shared; level- or edge-triggered */
void aml_res_irq(struct str *s, uint32_t gsi, bool level);

/** aml_res_fixed() - memory addresses below 4 GiB */
void aml_res_fixed(struct str *s, uint32_t base, uint32_t len);

/** aml_res_buses() - PCI buses 0 to @last that a host bridge passes on */
void aml_res_buses(struct str *s, uint8_t last);

/** aml_res_window() - addresses from @base to @last that a host bridge passes on */
void aml_res_window(struct str *s, uint64_t base, uint64_t last);
