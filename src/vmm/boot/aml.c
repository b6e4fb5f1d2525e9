/* SPDX-License-Identifier: MIT */
#include "vmm/boot/aml.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vmm/core/bytes.h"

enum {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0A,
	OP_WORD = 0x0B,
	OP_DWORD = 0x0C,
	OP_STRING = 0x0D,
	OP_QWORD = 0x0E,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_METHOD = 0x14,
	OP_MULTI_NAME = 0x2F,
	OP_EXT = 0x5B,
	OP_LOCAL0 = 0x60,
	OP_STORE = 0x70,
	OP_AND = 0x7B,
	OP_NOTIFY = 0x86,
	OP_IF = 0xA0,
	EXT_REGION = 0x80,
	EXT_FIELD = 0x81,
	EXT_DEVICE = 0x82,
};

#define SYSTEM_IO 1
#define SERIALIZED 8

static void byte(struct str *s, unsigned v)
{
	uint8_t b = (uint8_t) v;

	str_add(s, &b, 1);
}

static void word(struct str *s, uint16_t v)
{
	uint8_t b[2];

	put_le16(b, v);
	str_add(s, b, sizeof(b));
}

static void dword(struct str *s, uint32_t v)
{
	uint8_t b[4];

	put_le32(b, v);
	str_add(s, b, sizeof(b));
}

static void qword(struct str *s, uint64_t v)
{
	uint8_t b[8];

	put_le64(b, v);
	str_add(s, b, sizeof(b));
}

void aml_integer(struct str *s, uint64_t v)
{
	if (v <= 1) {
		byte(s, v == 0 ? OP_ZERO : OP_ONE);
	} else if (v <= UINT8_MAX) {
		byte(s, OP_BYTE);
		byte(s, (uint8_t) v);
	} else if (v <= UINT16_MAX) {
		byte(s, OP_WORD);
		word(s, (uint16_t) v);
	} else if (v <= UINT32_MAX) {
		byte(s, OP_DWORD);
		dword(s, (uint32_t) v);
	} else {
		byte(s, OP_QWORD);
		qword(s, v);
	}
}

/* The length of a package counts its own bytes: one for up to 63, else two to four. */
static void length(struct str *s, size_t n)
{
	unsigned more = n + 1 <= 0x3F ? 0 : n + 2 <= 0xFFF ? 1 : n + 3 <= 0xFFFFF ? 2 : 3;

	n += more + 1;
	if (more == 0) {
		byte(s, (unsigned) n);
		return;
	}
	byte(s, more << 6 | (n & 15));
	for (unsigned i = 0; i < more; i++)
		byte(s, n >> (4 + 8 * i) & 0xFF);
}

static void package(struct str *s, const struct str *body)
{
	length(s, body->len);
	if (body->len > 0)
		str_add(s, body->p, body->len);
	s->failed = s->failed || body->failed;
}

static void name_seg(struct str *s, const char *name)
{
	char seg[5] = "____";

	memcpy(seg, name, strnlen(name, 4));
	str_add(s, seg, 4);
}

/* A path of one name, with or without a root in front. */
static void name_path(struct str *s, const char *path)
{
	if (*path == '\\')
		byte(s, (unsigned) *path++);
	name_seg(s, path);
}

void aml_scope(struct str *s, const char *path, const struct str *body)
{
	_cleanup_(str_fini) struct str b = { 0 };

	name_path(&b, path);
	str_add(&b, body->p, body->len);
	byte(s, OP_SCOPE);
	package(s, &b);
}

void aml_device(struct str *s, const char *name, const struct str *body)
{
	_cleanup_(str_fini) struct str b = { 0 };

	name_seg(&b, name);
	str_add(&b, body->p, body->len);
	byte(s, OP_EXT);
	byte(s, EXT_DEVICE);
	package(s, &b);
}

void aml_method(struct str *s, const char *name, unsigned args, const struct str *body)
{
	_cleanup_(str_fini) struct str b = { 0 };

	name_seg(&b, name);
	byte(&b, args | SERIALIZED);
	str_add(&b, body->p, body->len);
	byte(s, OP_METHOD);
	package(s, &b);
}

static void op_name(struct str *s, const char *name)
{
	byte(s, OP_NAME);
	name_path(s, name);
}

void aml_name_int(struct str *s, const char *name, uint64_t v)
{
	op_name(s, name);
	aml_integer(s, v);
}

void aml_name_text(struct str *s, const char *name, const char *text)
{
	op_name(s, name);
	byte(s, OP_STRING);
	str_add(s, text, strlen(text) + 1);
}

static unsigned hex_digit(char c)
{
	return (unsigned) (c <= '9' ? c - '0' : c - 'A' + 10);
}

void aml_name_eisa(struct str *s, const char *name, const char *id)
{
	unsigned letters = (unsigned) (id[0] - '@') << 10 | (unsigned) (id[1] - '@') << 5 | (unsigned) (id[2] - '@');

	op_name(s, name);
	byte(s, OP_DWORD);
	byte(s, letters >> 8);
	byte(s, letters & 0xFF);
	byte(s, hex_digit(id[3]) << 4 | hex_digit(id[4]));
	byte(s, hex_digit(id[5]) << 4 | hex_digit(id[6]));
}

void aml_name_package(struct str *s, const char *name, const uint8_t v[4])
{
	_cleanup_(str_fini) struct str b = { 0 };

	byte(&b, 4);
	for (unsigned i = 0; i < 4; i++)
		aml_integer(&b, v[i]);
	op_name(s, name);
	byte(s, OP_PACKAGE);
	package(s, &b);
}

void aml_name_resources(struct str *s, const char *name, const struct str *body)
{
	_cleanup_(str_fini) struct str b = { 0 };

	aml_integer(&b, body->len + 2);
	str_add(&b, body->p, body->len);
	byte(&b, 0x79); /* end tag; a sum of 0 is not checked */
	byte(&b, 0);
	op_name(s, name);
	byte(s, OP_BUFFER);
	package(s, &b);
}

/* Fields of one size in a region of ports. */
static void port_fields(struct str *s, const char *region, uint16_t port, const char *const *fields, unsigned n,
			unsigned bits)
{
	_cleanup_(str_fini) struct str b = { 0 };

	byte(s, OP_EXT);
	byte(s, EXT_REGION);
	name_seg(s, region);
	byte(s, SYSTEM_IO);
	aml_integer(s, port);
	aml_integer(s, n * bits / 8);
	name_seg(&b, region);
	byte(&b, bits == 8 ? 1 : 3); /* accessed by that size, no lock, bits that are not written are preserved */
	for (unsigned i = 0; i < n; i++) {
		name_seg(&b, fields[i]);
		length(&b, bits - 1); /* this length does not count itself */
	}
	byte(s, OP_EXT);
	byte(s, EXT_FIELD);
	package(s, &b);
}

void aml_port_field(struct str *s, const char *region, const char *field, uint16_t port)
{
	port_fields(s, region, port, &field, 1, 8);
}

void aml_port_fields(struct str *s, const char *region, uint16_t port, const char *const *fields, unsigned n)
{
	port_fields(s, region, port, fields, n, 32);
}

void aml_store_int(struct str *s, const char *name, uint64_t v)
{
	byte(s, OP_STORE);
	aml_integer(s, v);
	name_seg(s, name);
}

void aml_call(struct str *s, const char *device, const char *method)
{
	byte(s, '\\');
	byte(s, OP_MULTI_NAME);
	byte(s, 3);
	name_seg(s, "_SB_");
	name_seg(s, device);
	name_seg(s, method);
}

void aml_name_package2(struct str *s, const char *name, uint64_t a, uint64_t b)
{
	_cleanup_(str_fini) struct str body = { 0 };

	byte(&body, 2);
	aml_integer(&body, a);
	aml_integer(&body, b);
	op_name(s, name);
	byte(s, OP_PACKAGE);
	package(s, &body);
}

void aml_store_local0(struct str *s, const char *name)
{
	byte(s, OP_STORE);
	name_seg(s, name);
	byte(s, OP_LOCAL0);
}

void aml_if_local0_bit(struct str *s, uint32_t mask, const struct str *body)
{
	_cleanup_(str_fini) struct str b = { 0 };

	byte(&b, OP_AND);
	byte(&b, OP_LOCAL0);
	aml_integer(&b, mask);
	byte(&b, OP_ZERO); /* the result goes nowhere else */
	str_add(&b, body->p, body->len);
	byte(s, OP_IF);
	package(s, &b);
}

void aml_notify(struct str *s, const char *name, uint8_t value)
{
	byte(s, OP_NOTIFY);
	name_seg(s, name);
	aml_integer(s, value);
}

void aml_res_io(struct str *s, uint16_t port, uint8_t len)
{
	byte(s, 0x47);
	byte(s, 1); /* decodes 16 bits */
	word(s, port);
	word(s, port);
	byte(s, 1);
	byte(s, len);
}

void aml_res_irq(struct str *s, uint32_t gsi, bool level)
{
	byte(s, 0x89);
	word(s, 6);
	byte(s, level ? 1 : 3); /* consumer, level- or edge-triggered, active high, exclusive */
	byte(s, 1);
	dword(s, gsi);
}

void aml_res_fixed(struct str *s, uint32_t base, uint32_t len)
{
	byte(s, 0x86);
	word(s, 9);
	byte(s, 1); /* writable */
	dword(s, base);
	dword(s, len);
}

void aml_res_buses(struct str *s, uint8_t last)
{
	byte(s, 0x88);
	word(s, 13);
	byte(s, 2); /* bus numbers */
	byte(s, 0x0C); /* both ends are fixed, passed on */
	byte(s, 0);
	word(s, 0);
	word(s, 0);
	word(s, last);
	word(s, 0);
	word(s, (uint16_t) (last + 1));
}

void aml_res_window(struct str *s, uint64_t base, uint64_t last)
{
	byte(s, 0x8A);
	word(s, 43);
	byte(s, 0); /* memory */
	byte(s, 0x0C);
	byte(s, 1); /* writable, not cached */
	qword(s, 0);
	qword(s, base);
	qword(s, last);
	qword(s, 0);
	qword(s, last - base + 1);
}
