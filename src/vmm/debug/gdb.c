/* SPDX-License-Identifier: MIT */
/**
 * DOC: gdb's remote protocol
 *
 * Packets are found by their first letters in a table; what is not there gets the empty answer that means "unknown".
 * Addresses are linear, as the chosen processor sees them; memory that only devices answer cannot be read.
 * Spec: "Debugging with GDB", appendix E.
 */
#include "vmm/debug/gdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vmm/debug/gdb_priv.h"
#include "vmm/debug/regs.h"

#define SIGNAL_INT 2
#define SIGNAL_TRAP 5

static void ok(struct str *reply)
{
	str_puts(reply, "OK");
}

void gdb_error(struct str *reply, int code)
{
	str_printf(reply, "E%02x", -code & 0xFF);
}

/* "-1" and "0" are any: the one that is chosen already. */
static bool take_thread(const struct gdb *g, const char **at, unsigned *cpu)
{
	uint64_t n;

	if (**at == '-') {
		(*at)++;
		return rsp_number(at, &n) && n == 1;
	}
	if (!rsp_number(at, &n) || n > g->nr_cpus)
		return false;
	if (n > 0)
		*cpu = (unsigned) n - 1;
	return true;
}

static int debug(struct gdb *g, unsigned cpu, enum gdb_action action)
{
	struct accel_debug d = { .on = true, .step = action == GDB_STEP, .code_changed = g->breaks.changed,
				 .nr = g->breaks.nr_hw };

	memcpy(d.at, g->breaks.hw, sizeof(d.at));
	return g->ops->debug(g->target, cpu, &d);
}

int gdb_debug_all(struct gdb *g, const enum gdb_action *action)
{
	int r = 0;

	for (unsigned i = 0; i < g->nr_cpus && r == 0; i++)
		r = debug(g, i, action != NULL ? action[i] : GDB_HOLD);
	if (r == 0)
		g->breaks.changed = false;
	return r;
}

static void go(struct gdb *g, const enum gdb_action *action, struct str *reply)
{
	bool hold[VM_CPUS_MAX];
	int r = gdb_debug_all(g, action);

	if (r < 0) {
		gdb_error(reply, r);
		return;
	}
	for (unsigned i = 0; i < g->nr_cpus; i++)
		hold[i] = action[i] == GDB_HOLD;
	g->running = true;
	g->ops->go(g->target, hold);
}

/* "c", "C05", "s;ADDRESS": signals mean nothing to a machine. */
static void resume(struct gdb *g, const char *at, enum gdb_action what, struct str *reply)
{
	enum gdb_action action[VM_CPUS_MAX];
	struct accel_regs regs;
	uint64_t n;
	int r = 0;

	if (at[-1] == 'C' || at[-1] == 'S') {
		(void) rsp_number(&at, &n); /* the signal */
		at += *at == ';';
	}
	if (rsp_number(&at, &n)) {
		r = g->ops->regs_read(g->target, g->stepping, &regs);
		regs.rip = n;
		if (r == 0)
			r = g->ops->regs_write(g->target, g->stepping, &regs);
	}
	for (unsigned i = 0; i < g->nr_cpus; i++)
		action[i] = what == GDB_STEP && i != g->stepping ? GDB_HOLD : what;
	if (r < 0)
		gdb_error(reply, r);
	else
		go(g, action, reply);
}

static void do_continue(struct gdb *g, const char *at, struct str *reply)
{
	resume(g, at, GDB_CONTINUE, reply);
}

static void do_step(struct gdb *g, const char *at, struct str *reply)
{
	resume(g, at, GDB_STEP, reply);
}

/* ";ACTION[:THREAD]" again and again: the first that fits a thread is its. */
static bool take_actions(const struct gdb *g, const char *at, enum gdb_action *action)
{
	bool chosen[VM_CPUS_MAX] = { false };

	while (*at == ';') {
		enum gdb_action what = at[1] == 'c' || at[1] == 'C' ? GDB_CONTINUE : GDB_STEP;
		bool has_signal = at[1] == 'C' || at[1] == 'S';
		unsigned cpu = g->nr_cpus;
		uint64_t signal;

		if (at[1] == '\0' || strchr("cCsS", at[1]) == NULL)
			return false;
		at += 2;
		if ((has_signal && !rsp_number(&at, &signal)) || (*at == ':' && (at++, !take_thread(g, &at, &cpu))))
			return false;
		for (unsigned i = 0; i < g->nr_cpus; i++) {
			if (chosen[i] || (cpu < g->nr_cpus && i != cpu))
				continue;
			chosen[i] = true;
			action[i] = what;
		}
	}
	return *at == '\0';
}

static void do_vcont(struct gdb *g, const char *at, struct str *reply)
{
	enum gdb_action action[VM_CPUS_MAX] = { GDB_HOLD };

	if (*at != ';' || !take_actions(g, at, action))
		gdb_error(reply, -EINVAL);
	else
		go(g, action, reply);
}

static void do_vcont_kinds(struct gdb *g, const char *at, struct str *reply)
{
	(void) g;
	(void) at;
	str_puts(reply, "vCont;c;C;s;S");
}

static void put_stop(const struct gdb *g, unsigned signal, const char *why, struct str *reply)
{
	str_printf(reply, "T%02x%sthread:%x;", signal, why, g->general + 1);
}

static void do_why(struct gdb *g, const char *at, struct str *reply)
{
	(void) at;
	put_stop(g, SIGNAL_TRAP, "", reply);
}

static void do_thread(struct gdb *g, const char *at, struct str *reply)
{
	char which = *at++;

	if ((which != 'g' && which != 'c') || !take_thread(g, &at, which == 'g' ? &g->general : &g->stepping))
		gdb_error(reply, -EINVAL);
	else
		ok(reply);
}

static void do_alive(struct gdb *g, const char *at, struct str *reply)
{
	unsigned cpu = 0;

	if (take_thread(g, &at, &cpu))
		ok(reply);
	else
		gdb_error(reply, -ESRCH);
}

static void do_threads(struct gdb *g, const char *at, struct str *reply)
{
	(void) at;
	for (unsigned i = 0; i < g->nr_cpus; i++)
		str_printf(reply, "%c%x", i == 0 ? 'm' : ',', i + 1);
}

static void do_no_more(struct gdb *g, const char *at, struct str *reply)
{
	(void) g;
	(void) at;
	str_puts(reply, "l");
}

static void do_thread_text(struct gdb *g, const char *at, struct str *reply)
{
	_cleanup_(str_fini) struct str text = { 0 };
	unsigned cpu = 0;

	if (!take_thread(g, &at, &cpu)) {
		gdb_error(reply, -ESRCH);
		return;
	}
	str_printf(&text, "processor %u", cpu);
	rsp_hex(reply, text.p, text.len);
}

static void do_current(struct gdb *g, const char *at, struct str *reply)
{
	if (*at == '\0') /* others begin like this */
		str_printf(reply, "QC%x", g->general + 1);
}

static void do_attached(struct gdb *g, const char *at, struct str *reply)
{
	(void) g;
	(void) at;
	str_puts(reply, "1"); /* it was there before: leave it alone when the debugger ends */
}

static void do_supported(struct gdb *g, const char *at, struct str *reply)
{
	(void) g;
	(void) at;
	str_printf(reply, "PacketSize=%x;qXfer:features:read+;swbreak+;hwbreak+;vContSupported+;QStartNoAckMode+",
		   RSP_PACKET_MAX);
}

static void do_no_ack(struct gdb *g, const char *at, struct str *reply)
{
	(void) at;
	g->no_ack = true;
	ok(reply);
}

/* "target.xml:OFFSET,LENGTH" */
static void do_features(struct gdb *g, const char *at, struct str *reply)
{
	static const char name[] = "target.xml:";
	_cleanup_(str_fini) struct str xml = { 0 };
	uint64_t offset, len;

	(void) g;
	if (strncmp(at, name, sizeof(name) - 1) != 0) {
		gdb_error(reply, -ENOENT);
		return;
	}
	at += sizeof(name) - 1;
	regs_xml(&xml);
	if (!rsp_number(&at, &offset) || *at++ != ',' || !rsp_number(&at, &len) || offset > xml.len || xml.failed) {
		gdb_error(reply, -EINVAL);
		return;
	}
	if (len > RSP_PACKET_MAX / 2)
		len = RSP_PACKET_MAX / 2; /* escaped it may be twice as long */
	if (len > xml.len - offset)
		len = xml.len - offset;
	str_puts(reply, offset + len == xml.len ? "l" : "m");
	str_add(reply, xml.p + offset, len);
}

static void do_kill(struct gdb *g, const char *at, struct str *reply)
{
	(void) at;
	g->ops->kill(g->target);
	ok(reply);
}

/** struct command - @name: how the packet begins; @idle: only while nothing runs */
struct command {
	const char *name;
	void (*run)(struct gdb *g, const char *at, struct str *reply);
	bool idle;
};

/* The longer name comes first where one begins another. */
static const struct command commands[] = {
	{ "?", do_why, true },
	{ "qSupported", do_supported, false },
	{ "QStartNoAckMode", do_no_ack, false },
	{ "qXfer:features:read:", do_features, false },
	{ "qfThreadInfo", do_threads, false },
	{ "qsThreadInfo", do_no_more, false },
	{ "qThreadExtraInfo,", do_thread_text, false },
	{ "qC", do_current, false },
	{ "qAttached", do_attached, false },
	{ "vCont?", do_vcont_kinds, false },
	{ "vCont", do_vcont, true },
	{ "vKill", do_kill, false },
	{ "H", do_thread, false },
	{ "T", do_alive, false },
	{ "g", gdb_regs_read, true },
	{ "G", gdb_regs_write, true },
	{ "p", gdb_reg_read, true },
	{ "P", gdb_reg_write, true },
	{ "m", gdb_memory_read, true },
	{ "M", gdb_memory_write, true },
	{ "X", gdb_memory_write_binary, true },
	{ "Z", gdb_break_add, true },
	{ "z", gdb_break_remove, true },
	{ "c", do_continue, true },
	{ "C", do_continue, true },
	{ "s", do_step, true },
	{ "S", do_step, true },
	{ "k", do_kill, false },
};

static void carry_out(struct gdb *g, struct str *reply)
{
	const char *text = g->rsp.data;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		size_t n = strlen(commands[i].name);

		if (strncmp(text, commands[i].name, n) != 0)
			continue;
		if (commands[i].idle && g->running)
			gdb_error(reply, -EBUSY);
		else
			commands[i].run(g, text + n, reply);
		return;
	}
}

/* Return: 1 the debugger lets go */
static int packet(struct gdb *g, struct str *out)
{
	_cleanup_(str_fini) struct str reply = { 0 };
	bool was_running = g->running, detach = g->rsp.data[0] == 'D';

	if (!g->no_ack)
		str_puts(out, "+");
	if (detach)
		ok(&reply);
	else
		carry_out(g, &reply);
	if (was_running || !g->running) /* who runs is answered when it stops */
		rsp_put(out, reply.p, reply.len);
	if (reply.failed)
		out->failed = true;
	return detach;
}

static void interrupt(struct gdb *g, struct str *out)
{
	_cleanup_(str_fini) struct str reply = { 0 };

	if (!g->running)
		return;
	g->ops->stop(g->target);
	g->running = false;
	put_stop(g, SIGNAL_INT, "", &reply);
	rsp_put(out, reply.p, reply.len);
}

int gdb_input(struct gdb *g, const void *data, size_t len, struct str *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		switch (rsp_byte(&g->rsp, p[i])) {
		case RSP_PACKET:
			if (packet(g, out) > 0)
				return 1;
			break;
		case RSP_INTERRUPT:
			interrupt(g, out);
			break;
		case RSP_DAMAGED:
			str_puts(out, "-");
			break;
		case RSP_TOO_LONG:
			return -EPROTO;
		case RSP_NOTHING:
			break;
		}
	}
	return out->failed ? -EPROTO : 0;
}

static void put_why(const struct gdb *g, const struct accel_exit *e, struct str *why)
{
	static const char *const names[] = { [ACCEL_BREAK_EXECUTE] = "hwbreak", [ACCEL_BREAK_WRITE] = "watch",
					     [ACCEL_BREAK_ACCESS] = "awatch" };

	if (e->stop == ACCEL_STOP_INT3) {
		str_puts(why, "swbreak:;");
	} else if (e->stop == ACCEL_STOP_BREAK && e->which < g->breaks.nr_hw) {
		enum accel_break_kind kind = g->breaks.hw[e->which].kind;

		str_printf(why, "%s:", names[kind]);
		if (kind != ACCEL_BREAK_EXECUTE)
			str_printf(why, "%llx", (unsigned long long) g->breaks.hw[e->which].addr);
		str_puts(why, ";");
	}
}

void gdb_stopped(struct gdb *g, unsigned cpu, const struct accel_exit *e, struct str *out)
{
	_cleanup_(str_fini) struct str reply = { 0 }, why = { 0 };

	if (!g->running)
		return;
	g->running = false;
	g->general = g->stepping = cpu;
	put_why(g, e, &why);
	put_stop(g, SIGNAL_TRAP, why.len > 0 ? why.p : "", &reply);
	rsp_put(out, reply.p, reply.len);
}

void gdb_exited(struct gdb *g, struct str *out)
{
	if (g->running)
		rsp_put(out, "W00", 3);
	g->running = false;
}

void gdb_attach(struct gdb *g, const struct gdb_ops *ops, void *target, unsigned nr_cpus)
{
	*g = (struct gdb) { .ops = ops, .target = target, .nr_cpus = nr_cpus };
}

void gdb_detach(struct gdb *g)
{
	struct accel_debug off = { .on = false };
	bool hold[VM_CPUS_MAX] = { false };

	if (g->running)
		g->ops->stop(g->target);
	while (g->breaks.nr_sw > 0)
		breaks_remove(&g->breaks, 0, g->ops->memory(g->target, g->breaks.sw[0].gpa, 1));
	off.code_changed = g->breaks.changed;
	for (unsigned i = 0; i < g->nr_cpus; i++)
		(void) g->ops->debug(g->target, i, &off); /* it could be turned on */
	g->running = false;
	g->ops->go(g->target, hold);
}
