/* SPDX-License-Identifier: MIT */
#include "vmm/debug/rsp.h"

#include "base/str.h"

enum rsp_state { BETWEEN, CONTENT, ESCAPED, SUM_HIGH, SUM_LOW };

#define CONTROL_C 3
#define ESCAPE '}'
#define ESCAPE_BIT 0x20

static const char digits[] = "0123456789abcdef";

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum rsp_event content(struct rsp *r, uint8_t byte)
{
	if (r->state == CONTENT && byte == '#') {
		r->state = SUM_HIGH;
		return RSP_NOTHING;
	}
	r->sum = (uint8_t) (r->sum + byte);
	if (r->state == CONTENT && byte == ESCAPE) {
		r->state = ESCAPED;
		return RSP_NOTHING;
	}
	if (r->len == RSP_PACKET_MAX)
		return RSP_TOO_LONG;
	r->data[r->len++] = (char) (r->state == ESCAPED ? byte ^ ESCAPE_BIT : byte);
	r->state = CONTENT;
	return RSP_NOTHING;
}

static enum rsp_event between(struct rsp *r, uint8_t byte)
{
	if (byte == CONTROL_C)
		return RSP_INTERRUPT;
	if (byte == '$') {
		r->state = CONTENT;
		r->len = 0;
		r->sum = 0;
	}
	return RSP_NOTHING; /* acknowledgements: the stream loses nothing */
}

enum rsp_event rsp_byte(struct rsp *r, uint8_t byte)
{
	int d = digit((char) byte);

	switch (r->state) {
	case BETWEEN:
		return between(r, byte);
	case SUM_HIGH:
		r->want = (uint8_t) ((unsigned) d << 4);
		r->state = d < 0 ? BETWEEN : SUM_LOW;
		return d < 0 ? RSP_DAMAGED : RSP_NOTHING;
	case SUM_LOW:
		r->state = BETWEEN;
		r->data[r->len] = '\0';
		return d < 0 || (r->want | d) != r->sum ? RSP_DAMAGED : RSP_PACKET;
	default:
		return content(r, byte);
	}
}

void rsp_put(struct str *out, const char *data, size_t len)
{
	uint8_t sum = 0;
	char end[3];

	str_add(out, "$", 1);
	for (size_t i = 0; i < len; i++) {
		char pair[2] = { ESCAPE, (char) (data[i] ^ ESCAPE_BIT) };
		bool special = data[i] == '#' || data[i] == '$' || data[i] == ESCAPE || data[i] == '*';

		str_add(out, special ? pair : &data[i], special ? 2 : 1);
		sum = (uint8_t) (sum + (special ? (uint8_t) pair[0] + (uint8_t) pair[1] : (uint8_t) data[i]));
	}
	end[0] = '#';
	end[1] = digits[sum >> 4];
	end[2] = digits[sum & 15];
	str_add(out, end, sizeof(end));
}

bool rsp_number(const char **at, uint64_t *ret)
{
	const char *p = *at;
	uint64_t v = 0;

	for (; digit(*p) >= 0; p++) {
		if (v >> 60 != 0)
			return false;
		v = v << 4 | (uint64_t) digit(*p);
	}
	if (p == *at)
		return false;
	*at = p;
	*ret = v;
	return true;
}

void rsp_hex(struct str *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		str_add(out, pair, sizeof(pair));
	}
}

bool rsp_bytes(const char **at, void *ret, size_t len)
{
	const char *p = *at;
	uint8_t *to = ret;

	for (size_t i = 0; i < len; i++, p += 2) {
		if (digit(p[0]) < 0 || digit(p[1]) < 0)
			return false;
		to[i] = (uint8_t) (digit(p[0]) << 4 | digit(p[1]));
	}
	*at = p;
	return true;
}
