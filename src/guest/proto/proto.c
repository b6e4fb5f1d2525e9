/* SPDX-License-Identifier: MIT */
#include "guest/proto/proto.h"

#include <errno.h>

uint32_t guest_get32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

void guest_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t) (v >> 8 * i);
}

uint64_t guest_get64(const uint8_t *p)
{
	return guest_get32(p) | (uint64_t) guest_get32(p + 4) << 32;
}

void guest_put64(uint8_t *p, uint64_t v)
{
	guest_put32(p, (uint32_t) v);
	guest_put32(p + 4, (uint32_t) (v >> 32));
}

int guest_head_get(const uint8_t head[GUEST_HEADER], size_t max, struct guest_head *ret)
{
	ret->len = guest_get32(head);
	ret->type = (uint16_t) (head[4] | head[5] << 8);
	ret->version = (uint16_t) (head[6] | head[7] << 8);
	return ret->len > max ? -EMSGSIZE : 0;
}

int guest_next(struct guest_in *in, struct guest_field *ret)
{
	if (in->len == 0)
		return 0;
	if (in->len < GUEST_FIELD)
		return -EPROTO;
	ret->len = guest_get32(in->p);
	ret->tag = guest_get32(in->p + 4);
	ret->p = in->p + GUEST_FIELD;
	if (ret->len > in->len - GUEST_FIELD || ret->tag == 0 || ret->tag >= GUEST_TAG_N_)
		return -EPROTO;
	in->p += GUEST_FIELD + ret->len;
	in->len -= GUEST_FIELD + ret->len;
	return 1;
}

int guest_number(const struct guest_field *f, uint64_t *ret)
{
	if (f->len != 8)
		return -EPROTO;
	*ret = guest_get64(f->p);
	return 0;
}

uint64_t guest_number_of(const void *fields, size_t n, uint32_t tag, uint64_t fallback)
{
	struct guest_in in = { fields, n };
	struct guest_field f;
	uint64_t v;

	while (guest_next(&in, &f) == 1)
		if (f.tag == tag && guest_number(&f, &v) == 0)
			return v;
	return fallback;
}

int guest_texts(const struct guest_field *f, size_t skip, const char **ret, unsigned n)
{
	size_t at = skip;

	for (unsigned i = 0; i < n; i++) {
		if (at >= f->len)
			return -EPROTO;
		ret[i] = (const char *) f->p + at;
		while (at < f->len && f->p[at] != '\0')
			at++;
		if (at++ == f->len)
			return -EPROTO; /* it has no end */
	}
	return at == f->len ? 0 : -EPROTO;
}

const char *guest_text(const struct guest_field *f)
{
	const char *text;

	return guest_texts(f, 0, &text, 1) == 0 ? text : NULL;
}

void guest_begin(struct guest_out *o, enum guest_type type)
{
	o->len = GUEST_HEADER;
	o->full = o->room < GUEST_HEADER;
	if (o->full)
		return;
	guest_put32(o->p, 0);
	o->p[4] = (uint8_t) type;
	o->p[5] = 0;
	o->p[6] = (uint8_t) GUEST_VERSION;
	o->p[7] = 0;
}

void guest_put(struct guest_out *o, enum guest_tag tag, const void *data, size_t n)
{
	const uint8_t *from = data;

	if (o->full || o->room - o->len < GUEST_FIELD || o->room - o->len - GUEST_FIELD < n) {
		o->full = true;
		return;
	}
	guest_put32(o->p + o->len, (uint32_t) n);
	guest_put32(o->p + o->len + 4, tag);
	o->len += GUEST_FIELD;
	for (size_t i = 0; i < n; i++)
		o->p[o->len++] = from[i];
}

void guest_put_number(struct guest_out *o, enum guest_tag tag, uint64_t v)
{
	uint8_t b[8];

	guest_put64(b, v);
	guest_put(o, tag, b, sizeof(b));
}

int guest_end(struct guest_out *o)
{
	if (o->full)
		return -EMSGSIZE;
	guest_put32(o->p, (uint32_t) (o->len - GUEST_HEADER));
	return 0;
}
