/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-vmm`, one virtual machine
 *
 * Options say what the machine is made of; the process is the machine.  How it ended is in the exit
 * status and, unless the guest turned itself off, in one line on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/msg.h"
#include "sys/pty.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/acpi_text.h"
#include "vmm/control/qmp.h"
#include "vmm/core/keys.h"
#include "vmm/core/vm.h"
#include "vmm/debug/socket.h"
#include "vmm/machine/leftovers.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/stats.h"
#include "vmm/options.h"

#define GDB_DEFAULT "tcp:127.0.0.1:1234" /* where QEMU's -s listens */

/* Exit status: 0 the guest turned itself off or --qmp told to quit, CONFINE_STATUS, 128 + N signal N. */
enum { STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_RESET = 10, STATUS_TRIPLE_FAULT = 11, STATUS_PANIC = 12 };

static int status_of(int cause, int sig)
{
	switch (cause) {
	case VM_CAUSE_RESET:
		(void) fprintf(stderr, "cleave-vmm: the guest asked for a reset\n");
		return STATUS_RESET;
	case VM_CAUSE_TRIPLE_FAULT:
		(void) fprintf(stderr, "cleave-vmm: triple fault: a processor of the guest gave up\n");
		return STATUS_TRIPLE_FAULT;
	case VM_CAUSE_PANIC:
		(void) fprintf(stderr, "cleave-vmm: the guest's kernel panicked\n");
		return STATUS_PANIC;
	case VM_CAUSE_SIGNAL:
		(void) fprintf(stderr, "cleave-vmm: ended by signal %d (%s)\n", sig, strsignal(sig));
		return 128 + sig;
	default:
		return 0;
	}
}

static int usage(void)
{
	_cleanup_(str_fini) struct str s = { 0 };

	str_puts(&s, "usage: cleave-vmm --kernel FILE [options]\n\nRuns a virtual machine.\n\n");
	opt_help(vmm_options_table(), &s);
	str_puts(&s, "\nExit status: 0 the guest turned itself off, 1 failure, 2 wrong usage, 10 reset (with\n"
		     "--no-reboot), 11 triple fault, 12 the guest's kernel panicked,\n13 the sandbox stopped the process, 128 + N signal N.\n");
	if (!s.failed)
		fputs(s.p, stdout);
	return 0;
}

static int fail(int status, const struct err *err)
{
	(void) fprintf(stderr, "cleave-vmm: %s\n", err->text);
	return status;
}

static int probe(void)
{
	struct err err = { 0 };
	int status = STATUS_FAILED;

	REGISTRY_FOREACH(it, accels) {
		if ((*it)->probe(true, &err) < 0) {
			printf("%s: no: %s\n", (*it)->name, err.text);
		} else {
			printf("%s: yes\n", (*it)->name);
			status = 0;
		}
	}
	return status;
}

/* Typed characters go to the guest as they are; Control-C too (core/keys.h has what does not). */
static bool make_raw(const struct machine_config *conf, struct termios *old)
{
	bool used = conf->serial_in == STDIN_FILENO;

	for (unsigned i = 0; i < conf->nr_consoles; i++)
		used = used || conf->console[i].in == STDIN_FILENO;
	return used && isatty(STDIN_FILENO) && pty_raw(STDIN_FILENO, old) == 0;
}

static void print_stats(struct machine *m)
{
	_cleanup_(str_fini) struct str s = { 0 };

	stats_text(m, &s);
	if (s.len > 0 && !s.failed)
		fputs(s.p, stderr);
}

/** struct sockets - of people and programs that look after the machine; -1 and NULL for none */
struct sockets {
	int control, gdb;
	const char *control_path, *gdb_path;
};

static int run(const struct machine_config *conf, const struct sockets *sockets, bool stats)
{
	struct machine *m = NULL;
	struct qmp *qmp = NULL;
	struct gdb_socket *gdb = NULL;
	struct err err = { 0 };
	struct termios old;
	bool raw = false;
	int sig = 0, r = machine_new(conf, &m, &err);

	if (r == 0 && sockets->control >= 0)
		r = qmp_new(m, sockets->control, sockets->control_path, &qmp, &err);
	if (r == 0 && sockets->gdb >= 0)
		r = gdb_socket_new(m, sockets->gdb, &gdb, &err);
	if (r == 0) {
		if (*machine_unconfined(m) != '\0')
			(void) fprintf(stderr, "cleave-vmm: warning: %s\n", machine_unconfined(m));
		if (conf->vsock_place[0] != '\0')
			(void) fprintf(stderr, "cleave-vmm: socket of guest %u: %s\n", conf->vsock_cid, conf->vsock_path);
		raw = make_raw(conf, &old);
		if (raw && isatty(STDERR_FILENO))
			(void) fprintf(stderr, "cleave-vmm: " KEYS_HELP "\n");
		r = machine_run(m, &sig, &err);
		if (stats)
			print_stats(m);
	}
	gdb_socket_free(gdb);
	qmp_free(qmp);
	machine_free(m);
	if (raw)
		(void) tcsetattr(STDIN_FILENO, TCSANOW, &old); /* a terminal that went away needs nothing */
	return r < 0 ? fail(STATUS_FAILED, &err) : status_of(r, sig);
}

/* QEMU's users write "unix:PATH,server=on,wait=off", of which only the path can be otherwise. */
static const char *control_path(const char *qmp)
{
	static const char *const tails[] = { ",server=on,wait=off", ",server,wait=off", ",server,nowait" };
	char *path = qmp != NULL && str_starts(qmp, "unix:") ? (char *) (uintptr_t) qmp + strlen("unix:") : NULL;

	for (unsigned i = 0; i < ARRAY_LEN(tails) && path != NULL; i++) {
		char *tail = strstr(path, tails[i]);

		if (tail != NULL && str_eq(tail, tails[i]))
			*tail = '\0'; /* a word of main(), which it may change */
	}
	return path != NULL ? path : qmp;
}

/* Everything of the host is opened before the machine is made, which gives up the right to. */
static int open_all(const struct vmm_options *o, struct machine_config *conf, struct sockets *ret, struct err *err)
{
	const char *gdb = o->gdb == NULL && o->gdb_default ? GDB_DEFAULT : o->gdb, *qmp = control_path(o->qmp);
	int r = vmm_options_open(o, conf, err);

	*ret = (struct sockets) { .control = -1, .gdb = -1 };
	if (r == 0 && qmp != NULL) {
		ret->control = msg_listen(qmp);
		ret->control_path = ret->control >= 0 ? qmp : NULL;
		r = ret->control < 0 ? err_set(err, ret->control, "option --qmp: listen at '%s'", qmp) : 0;
	}
	if (r == 0 && gdb != NULL) {
		ret->gdb = gdb_socket_listen(gdb, &ret->gdb_path, err);
		r = ret->gdb < 0 ? ret->gdb : 0;
	}
	return r;
}

/* All that is to be removed in the end; those of options that were not reached do not exist. */
static int watch_sockets(const struct machine_config *conf, const struct sockets *s, struct leftovers *ret, struct err *err)
{
	bool own_place = conf->vsock_place[0] != '\0';
	const char *paths[CONSOLE_PORTS_MAX + 4] = { s->control_path, s->gdb_path,
						     conf->vsock_listener >= 0 ? conf->vsock_path : NULL,
						     own_place ? conf->vsock_place : NULL };

	for (unsigned i = 0; i < conf->nr_consoles; i++)
		paths[4 + i] = conf->console[i].path;
	return leftovers_start(ret, paths, ARRAY_LEN(paths), err);
}

static int open_and_run(const struct vmm_options *o)
{
	struct machine_config conf;
	struct sockets sockets;
	struct leftovers leftovers;
	struct err err = { 0 };
	int opened = open_all(o, &conf, &sockets, &err);
	int r = watch_sockets(&conf, &sockets, &leftovers, opened == 0 ? &err : NULL);

	if (opened < 0)
		r = fail(opened == -EINVAL ? STATUS_USAGE : STATUS_FAILED, &err);
	else
		r = r < 0 ? fail(STATUS_FAILED, &err) : run(&conf, &sockets, o->stats);
	vmm_options_close(&conf);
	leftovers_remove(&leftovers);
	return r;
}

/* As acpidump writes them. */
static int dump_acpi(const char *path, const struct vmm_options *o)
{
	_cleanup_(str_fini) struct str tables = { 0 }, text = { 0 };
	_cleanup_close_ int opened = -EBADF;
	struct machine_config conf;
	struct err err = { 0 };
	int fd = STDOUT_FILENO, r = vmm_options_size(o, &conf, &err);

	if (r < 0)
		return fail(STATUS_USAGE, &err);
	r = machine_acpi(&conf, &tables, &err);
	if (r < 0)
		return fail(STATUS_FAILED, &err);
	acpi_text(&tables, BOOT_ACPI, &text);
	if (!str_eq(path, "-"))
		fd = opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : text.failed ? -ENOMEM : fd_write_full(fd, text.p, text.len);
	if (r == 0)
		return 0;
	(void) err_set(&err, r, "option --dump-acpi: write '%s'", path);
	return fail(STATUS_FAILED, &err);
}

/* Some accelerators need further processes, which are this program by another name. */
static const struct accel_ops *named_accel(int argc, char **argv)
{
	static const char prefix[] = "cleave-vmm:";
	const struct accel_ops *ops = NULL;

	if (argc > 0 && strncmp(argv[0], prefix, sizeof(prefix) - 1) == 0)
		ops = accel_find(argv[0] + sizeof(prefix) - 1);
	return ops != NULL && ops->again != NULL ? ops : NULL;
}

int main(int argc, char **argv)
{
	const struct accel_ops *again = named_accel(argc, argv);
	struct vmm_options o = { .cpus = 1 };
	struct err err = { 0 };
	int n = argc - 1, r;

	if (again != NULL)
		return again->again(argc, argv);
	r = argc < 1 ? -EINVAL : opt_parse(vmm_options_table(), &o, &n, argv + 1, true, &err);
	if (r == 1)
		return usage();
	if (r == 0 && n > 0)
		r = err_msg(&err, -EINVAL, "unexpected word '%s'", argv[1]);
	if (r < 0)
		return fail(STATUS_USAGE, &err);
	if (o.version) {
		printf("cleave-vmm version %s\n", CLEAVE_VERSION);
		return 0;
	}
	if (o.probe)
		return probe();
	if (o.dump_acpi != NULL)
		return dump_acpi(o.dump_acpi, &o);
	return open_and_run(&o);
}
