/* SPDX-License-Identifier: MIT */
/**
 * DOC: packets about registers, memory and breakpoints
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "vmm/debug/gdb_priv.h"
#include "vmm/debug/regs.h"
#include "vmm/debug/walk.h"

#define PAGE 4096u
#define READ_MAX (RSP_PACKET_MAX / 2) /* bytes: two digits each */

/* Kinds of breakpoints */
enum { SOFTWARE, HARDWARE, WATCH_WRITE, WATCH_READ, WATCH_ACCESS };

static int read_regs(struct gdb *g, struct accel_regs *ret)
{
	return g->ops->regs_read(g->target, g->general, ret);
}

void gdb_regs_read(struct gdb *g, const char *at, struct str *reply)
{
	struct accel_regs regs;
	int r = read_regs(g, &regs);

	(void) at;
	if (r < 0)
		gdb_error(reply, r);
	for (unsigned i = 0; r == 0 && i < regs_count(); i++)
		regs_put(reply, &regs, i);
}

/* @n registers from number @first on */
static void write_regs(struct gdb *g, const char *at, unsigned first, unsigned n, bool strict, struct str *reply)
{
	struct accel_regs regs;
	int r = read_regs(g, &regs);

	for (unsigned i = first; r == 0 && i < first + n; i++) {
		r = regs_take(&at, &regs, i);
		if (r == -EPERM && !strict)
			r = 0; /* all of them are written when one is meant */
	}
	if (r == 0 && *at != '\0')
		r = -EINVAL;
	if (r == 0)
		r = g->ops->regs_write(g->target, g->general, &regs);
	if (r < 0)
		gdb_error(reply, r);
	else
		str_puts(reply, "OK");
}

void gdb_regs_write(struct gdb *g, const char *at, struct str *reply)
{
	write_regs(g, at, 0, regs_count(), false, reply);
}

void gdb_reg_read(struct gdb *g, const char *at, struct str *reply)
{
	struct accel_regs regs;
	uint64_t n;
	int r = rsp_number(&at, &n) && n < regs_count() ? read_regs(g, &regs) : -EINVAL;

	if (r < 0)
		gdb_error(reply, r);
	else
		regs_put(reply, &regs, (unsigned) n);
}

void gdb_reg_write(struct gdb *g, const char *at, struct str *reply)
{
	uint64_t n;

	if (!rsp_number(&at, &n) || n >= regs_count() || *at++ != '=')
		gdb_error(reply, -EINVAL);
	else
		write_regs(g, at, (unsigned) n, 1, true, reply);
}

/** struct span - memory that is contiguous for the guest and for us */
struct span {
	uint64_t gpa, len;
	uint8_t *host;
};

/* Up to @len bytes at linear address @lin, in one page. */
static int find(struct gdb *g, const struct accel_regs *regs, uint64_t lin, uint64_t len, struct span *ret)
{
	uint64_t left = PAGE - lin % PAGE;
	int r = walk(regs, g->ops->memory, g->target, lin, &ret->gpa);

	if (r < 0)
		return r;
	ret->len = len < left ? len : left;
	ret->host = g->ops->memory(g->target, ret->gpa, ret->len);
	return ret->host != NULL ? 0 : -EFAULT;
}

static bool take_range(const char **at, uint64_t *lin, uint64_t *len)
{
	return rsp_number(at, lin) && *(*at)++ == ',' && rsp_number(at, len);
}

/* What is there of it, if the first byte is. */
void gdb_memory_read(struct gdb *g, const char *at, struct str *reply)
{
	struct accel_regs regs;
	uint64_t lin, len;
	struct span s;
	int r = take_range(&at, &lin, &len) ? read_regs(g, &regs) : -EINVAL;

	if (r == 0 && len > READ_MAX)
		len = READ_MAX;
	while (r == 0 && len > 0) {
		uint8_t copy[PAGE];

		r = find(g, &regs, lin, len, &s);
		if (r < 0)
			break;
		memcpy(copy, s.host, s.len);
		breaks_hide(&g->breaks, s.gpa, copy, s.len);
		rsp_hex(reply, copy, s.len);
		lin += s.len;
		len -= s.len;
	}
	if (r < 0 && reply->len == 0)
		gdb_error(reply, r);
}

/* All of it, or nothing. */
static int write_memory(struct gdb *g, uint64_t lin, const uint8_t *data, uint64_t len)
{
	struct accel_regs regs;
	struct span s;
	int r = read_regs(g, &regs);

	for (uint64_t done = 0; r == 0 && done < len; done += s.len)
		r = find(g, &regs, lin + done, len - done, &s);
	for (uint64_t done = 0; r == 0 && done < len; done += s.len) {
		r = find(g, &regs, lin + done, len - done, &s);
		if (r < 0)
			break; /* it was a page table that was written */
		memcpy(s.host, data + done, s.len);
		breaks_keep(&g->breaks, s.gpa, s.host, s.len);
	}
	return r;
}

static void answer(struct str *reply, int r)
{
	if (r < 0)
		gdb_error(reply, r);
	else
		str_puts(reply, "OK");
}

void gdb_memory_write(struct gdb *g, const char *at, struct str *reply)
{
	uint8_t data[RSP_PACKET_MAX / 2];
	uint64_t lin, len;

	if (!take_range(&at, &lin, &len) || *at++ != ':' || len > sizeof(data) || !rsp_bytes(&at, data, len) || *at != '\0')
		answer(reply, -EINVAL);
	else
		answer(reply, write_memory(g, lin, data, len));
}

void gdb_memory_write_binary(struct gdb *g, const char *at, struct str *reply)
{
	uint64_t lin, len;

	if (!take_range(&at, &lin, &len) || *at++ != ':' || len != (uint64_t) (g->rsp.data + g->rsp.len - at))
		answer(reply, -EINVAL);
	else
		answer(reply, write_memory(g, lin, (const uint8_t *) at, len));
}

/* "KIND,ADDRESS,LENGTH"; false: no such kind */
static bool take_break(const char *at, uint64_t *kind, uint64_t *lin, uint64_t *len)
{
	return rsp_number(&at, kind) && *at++ == ',' && take_range(&at, lin, len) && *kind <= WATCH_ACCESS &&
	       *kind != WATCH_READ; /* x86 watches writes, or both */
}

static enum accel_break_kind kind_of(uint64_t kind)
{
	return kind == HARDWARE ? ACCEL_BREAK_EXECUTE : kind == WATCH_WRITE ? ACCEL_BREAK_WRITE : ACCEL_BREAK_ACCESS;
}

static int add_software(struct gdb *g, uint64_t lin)
{
	struct accel_regs regs;
	struct span s;
	int r = read_regs(g, &regs);

	if (r == 0)
		r = find(g, &regs, lin, 1, &s);
	return r < 0 ? r : breaks_add(&g->breaks, lin, s.gpa, s.host);
}

/* The processors say at once whether they can. */
static int add_hardware(struct gdb *g, enum accel_break_kind kind, uint64_t lin, uint64_t len)
{
	int r = breaks_add_hw(&g->breaks, lin, kind, kind == ACCEL_BREAK_EXECUTE ? 1 : len);

	if (r < 0)
		return r;
	r = gdb_debug_all(g, NULL);
	if (r < 0)
		breaks_remove_hw(&g->breaks, lin, kind, len);
	return r;
}

void gdb_break_add(struct gdb *g, const char *at, struct str *reply)
{
	uint64_t kind, lin, len;
	int r;

	if (!take_break(at, &kind, &lin, &len))
		return; /* unknown */
	r = kind == SOFTWARE ? add_software(g, lin) : add_hardware(g, kind_of(kind), lin, len);
	if (r != -EOPNOTSUPP)
		answer(reply, r);
}

void gdb_break_remove(struct gdb *g, const char *at, struct str *reply)
{
	uint64_t kind, lin, len;
	int i;

	if (!take_break(at, &kind, &lin, &len))
		return; /* unknown */
	if (kind == SOFTWARE) {
		i = breaks_find(&g->breaks, lin);
		if (i >= 0)
			breaks_remove(&g->breaks, (unsigned) i, g->ops->memory(g->target, g->breaks.sw[i].gpa, 1));
	} else {
		breaks_remove_hw(&g->breaks, lin, kind_of(kind), kind == HARDWARE ? 1 : len);
	}
	answer(reply, 0);
}
