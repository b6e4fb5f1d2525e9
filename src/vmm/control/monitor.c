/* SPDX-License-Identifier: MIT */
/**
 * DOC: a line of QEMU's monitor for people, by the control socket
 *
 * Clients that drive machines send some of these where they might send a command, and people do who know them.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/balloon.h"
#include "vmm/dev/virtio/blk.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/machine.h"

#define TEXT_MAX 256 /* bytes of a line */

/** struct line - what can be said; @arg: what follows, NULL for nothing; @run: appends its answer */
struct line {
	const char *name, *other, *arg, *help;
	void (*run)(struct machine *m, const char *arg, struct str *ret);
};

static void info_status(struct machine *m, const char *arg, struct str *ret)
{
	const char *state = machine_state(m);

	(void) arg;
	str_printf(ret, "VM status: %s%s\r\n", machine_is_running(m) ? "" : "paused",
		   machine_is_running(m) ? state : str_eq(state, "paused") ? "" : " (prelaunch)");
}

static void info_version(struct machine *m, const char *arg, struct str *ret)
{
	(void) m;
	(void) arg;
	str_puts(ret, "7.2.0cleave-vmm " CLEAVE_VERSION "\r\n");
}

static void info_kvm(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	str_printf(ret, "kvm support: %s\r\n", str_eq(machine_accel_name(m), "kvm") ? "enabled" : "disabled");
}

static void info_uuid(struct machine *m, const char *arg, struct str *ret)
{
	char text[37];

	(void) arg;
	machine_uuid(m, text);
	str_printf(ret, "%s\r\n", text);
}

static void info_cpus(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	for (unsigned i = 0; i < machine_vm(m)->nr_cpus; i++)
		str_printf(ret, "%c CPU #%u: thread_id=%d\r\n", i == 0 ? '*' : ' ', i, machine_cpu_thread(m, i));
}

static void info_block(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	for (const struct dev *d = machine_vm(m)->devs; d != NULL; d = d->next) {
		struct blk_info info;

		if (blk_query(vio_of(d), &info) == 0)
			str_printf(ret, "%s: %s (raw%s)\r\n    Attached to:      " QMP_PERIPHERAL "%s\r\n", d->id, info.name,
				   info.readonly ? ", read-only" : "", d->id);
	}
}

static void info_balloon(struct machine *m, const char *arg, struct str *ret)
{
	struct balloon *b = machine_balloon(m);

	(void) arg;
	if (b == NULL)
		str_puts(ret, "Error: No balloon device has been activated\r\n");
	else
		str_printf(ret, "balloon: actual=%" PRIu64 "\r\n", balloon_actual(b) >> 20);
}

static void run_balloon(struct machine *m, const char *arg, struct str *ret)
{
	struct balloon *b = machine_balloon(m);
	uint64_t mebibytes;

	if (b == NULL)
		str_puts(ret, "Error: No balloon device has been activated\r\n");
	else if (str_to_u64(arg, &mebibytes) < 0 || mebibytes == 0 || mebibytes > UINT64_MAX >> 20)
		str_printf(ret, "balloon: '%s' is not a number of MiB\r\n", arg);
	else
		balloon_request(b, mebibytes << 20);
}

static void run_remove(struct machine *m, const char *arg, struct str *ret)
{
	int r = machine_remove(m, arg);

	if (r < 0)
		str_printf(ret, "Error: Device '%s' %s\r\n", arg, r == -ENOTSUP ? "does not support hotplugging" : "not found");
}

static void run_stop(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	(void) ret;
	machine_pause(m);
}

static void run_cont(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	(void) ret;
	machine_resume(m);
}

static void run_quit(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	(void) ret;
	vm_request(machine_vm(m), VM_CAUSE_QUIT);
}

static void run_powerdown(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	(void) ret;
	machine_power_button(m);
}

static void run_reset(struct machine *m, const char *arg, struct str *ret)
{
	(void) arg;
	(void) ret;
	machine_reset(m);
}

static void run_help(struct machine *m, const char *arg, struct str *ret);

static const struct line lines[] = {
	{ "balloon", NULL, "target", "ask the guest to go on with so many MiB", run_balloon },
	{ "cont", "c", NULL, "go on", run_cont },
	{ "device_del", NULL, "device", "remove a device", run_remove },
	{ "help", "?", NULL, "this", run_help },
	{ "info balloon", NULL, NULL, "memory that the guest has", info_balloon },
	{ "info block", NULL, NULL, "disks", info_block },
	{ "info cpus", NULL, NULL, "processors", info_cpus },
	{ "info kvm", NULL, NULL, "who executes", info_kvm },
	{ "info status", NULL, NULL, "whether it runs", info_status },
	{ "info uuid", NULL, NULL, "who the machine is", info_uuid },
	{ "info version", NULL, NULL, "of this program", info_version },
	{ "quit", "q", NULL, "end the machine", run_quit },
	{ "stop", "s", NULL, "pause", run_stop },
	{ "system_powerdown", NULL, NULL, "press the power button", run_powerdown },
	{ "system_reset", NULL, NULL, "reset the machine", run_reset },
};

static void run_help(struct machine *m, const char *arg, struct str *ret)
{
	(void) m;
	(void) arg;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
		str_printf(ret, "%s%s%s%s%s -- %s\r\n", lines[i].name, lines[i].other != NULL ? "|" : "",
			   lines[i].other != NULL ? lines[i].other : "", lines[i].arg != NULL ? " " : "",
			   lines[i].arg != NULL ? lines[i].arg : "", lines[i].help);
}

/* What follows @name in @text, "" if that is nothing; NULL it is another line */
static const char *rest_of(const char *text, const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;

	if (n == 0 || strncmp(text, name, n) != 0 || (text[n] != '\0' && text[n] != ' '))
		return NULL;
	return text + n + (text[n] == ' ');
}

/* Blanks that mean nothing are left out. */
static void tidy(const char *text, char ret[TEXT_MAX])
{
	size_t n = 0;

	for (; *text != '\0' && n < TEXT_MAX - 1; text++)
		if (*text > ' ')
			ret[n++] = *text;
		else if (n > 0 && ret[n - 1] != ' ')
			ret[n++] = ' ';
	n -= n > 0 && ret[n - 1] == ' ';
	ret[n] = '\0';
}

static void obey(struct machine *m, const char *text, struct str *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];
		const char *rest = rest_of(text, l->name);

		if (rest == NULL)
			rest = rest_of(text, l->other);
		if (rest == NULL)
			continue;
		if ((*rest != '\0') == (l->arg != NULL))
			l->run(m, rest, ret);
		else
			str_printf(ret, "%s: %s\r\n", l->name, l->arg != NULL ? "something is missing behind it" : "extraneous characters at the end of line");
		return;
	}
	if (*text != '\0')
		str_printf(ret, "unknown command: '%s'\r\n", text);
}

static int command(const struct qmp_call *c)
{
	_cleanup_(str_fini) struct str answer = { 0 };
	char line[TEXT_MAX];
	const char *text;
	int r = qmp_need(c, "command-line", &text);

	if (r < 0)
		return r;
	if (strlen(text) >= sizeof(line))
		return err_msg(c->err, -EINVAL, "'command-line' has more than %d bytes", TEXT_MAX - 1);
	tidy(text, line);
	obey(c->m, line, &answer);
	json_text(c->ret, NULL, answer.failed ? NULL : answer.len > 0 ? answer.p : "");
	return 0;
}
QMP_COMMAND(monitor, "human-monitor-command", "command-line *cpu-index", command);
