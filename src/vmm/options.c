/* SPDX-License-Identifier: MIT */
#include "vmm/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/smbios.h"
#include "vmm/core/trace.h"
#include "vmm/device_options.h"
#include "vmm/machine/machine.h"

#define MEMORY_DEFAULT (256ull << 20)

/* What a stock kernel is told when nothing else is said: little output, none of its known waits. */
#define APPEND_DEFAULT "console=ttyS0 quiet cryptomgr.notests reboot=k panic=-1"

static const struct opt table[] = {
	{ "kernel", 'k', OPT_STRING, offsetof(struct vmm_options, kernel), "FILE", "bzImage, or ELF with a PVH entry" },
	{ "initrd", 'i', OPT_STRING, offsetof(struct vmm_options, initrd), "FILE", "initramfs" },
	{ "append", 'a', OPT_STRING, offsetof(struct vmm_options, append), "TEXT",
	  "the kernel's command line (" APPEND_DEFAULT ")" },
	{ "memory", 'm', OPT_STRING, offsetof(struct vmm_options, memory), "SIZE",
	  "bytes, or with K, M, G behind (256M); ',huge' takes reserved huge pages" },
	{ "cpus", 'c', OPT_U64, offsetof(struct vmm_options, cpus), "N", "processors (1)" },
	{ "cpu", 0, OPT_STRING, offsetof(struct vmm_options, cpu), "MODEL[,+FEATURE,-FEATURE]",
	  "what processors can do: host, x86-64-v1, x86-64-v2, x86-64-v3, x86-64-v4 (host)" },
	{ "accel", 0, OPT_STRING, offsetof(struct vmm_options, accel), "NAME", "who executes: auto, kvm, soft (auto)" },
	{ "soft", 0, OPT_STRING, offsetof(struct vmm_options, soft), "HOW[,threads][,cache=SIZE]",
	  "how processors in software work: tlb, interp, verify (tlb); threads: not in a process each; cache: of translated code (64M)" },
	{ "serial", 0, OPT_STRING, offsetof(struct vmm_options, serial), "WHERE",
	  "first serial port: stdio (at a terminal Control-A X ends the machine), none or a file to append to, at most 4 MiB (stdio)" },
	{ "disk", 'd', OPT_STRINGS, offsetof(struct vmm_options, disks), "FILE[,OPTION...]",
	  "a disk (virtio-blk), raw: ro, id=NAME, serial=TEXT, queues=N, rings=split; QEMU's file=FILE, format=raw, readonly=on|off, "
	  "if=virtio are understood too" },
	{ "pmem", 0, OPT_STRINGS, offsetof(struct vmm_options, pmems), "FILE[,ro]",
	  "a file that the guest sees as memory (virtio-pmem), a multiple of 2M" },
	{ "net", 'n', OPT_STRINGS, offsetof(struct vmm_options, nets), "tap=NAME|fd=N[:N...]|user[,OPTION...]",
	  "a network interface (virtio-net): on a tap device, one whose queues are open as descriptors, or 10.0.2.0/24 made of this user's sockets; "
	  "id=NAME, mac=XX:XX:XX:XX:XX:XX, rings=split; with tap queues=N; with user hostfwd=tcp|udp:[ADDRESS]:PORT-:PORT, loopback "
	  "(10.0.2.2 is the host)" },
	{ "fs", 0, OPT_STRINGS, offsetof(struct vmm_options, fs), "DIR,tag=NAME[,ro|layer|scratch]",
	  "a directory that the guest mounts by that name (virtio-fs)" },
	{ "console", 0, OPT_STRINGS, offsetof(struct vmm_options, consoles), "WHERE[,name=NAME]",
	  "a console (hvc0, ...) or named port (virtio-console): stdio, unix:PATH or a file to append to" },
	{ "vsock", 0, OPT_STRING, offsetof(struct vmm_options, vsock), "CID[,path=PATH]",
	  "sockets between guest and host (virtio-vsock), by unix sockets PATH and PATH_PORT; who connects to PATH says "
	  "'CONNECT PORT' first (PATH: cleave-vsock-CID/guest in XDG_RUNTIME_DIR or, for root, /run)" },
	{ "balloon", 0, OPT_BOOL, offsetof(struct vmm_options, balloon), NULL,
	  "give memory that the guest does not use back (virtio-balloon)" },
	{ "uuid", 0, OPT_STRING, offsetof(struct vmm_options, uuid), "UUID", "who the machine is (random)" },
	{ "oem", 0, OPT_STRINGS, offsetof(struct vmm_options, oems), "TEXT", "text that the guest finds in SMBIOS" },
	{ "qmp", 0, OPT_STRING, offsetof(struct vmm_options, qmp), "PATH",
	  "control socket, made there; speaks QEMU's machine protocol" },
	{ "gdb", 0, OPT_STRING, offsetof(struct vmm_options, gdb), "WHERE",
	  "let a debugger connect (gdb's 'target remote'): tcp:ADDRESS:PORT or unix:PATH" },
	{ "gdb-default", 's', OPT_BOOL, offsetof(struct vmm_options, gdb_default), NULL, "--gdb tcp:127.0.0.1:1234" },
	{ "paused", 'S', OPT_BOOL, offsetof(struct vmm_options, paused), NULL,
	  "execute nothing until a debugger or the control socket says so" },
	{ "sandbox", 0, OPT_STRING, offsetof(struct vmm_options, sandbox), "HOW",
	  "what the process may do once the guest runs: auto (as little as this host can enforce), full, off (auto)" },
	{ "stats", 0, OPT_BOOL, offsetof(struct vmm_options, stats), NULL,
	  "say at the end what was counted of processors and devices" },
	{ "trace", 0, OPT_STRING, offsetof(struct vmm_options, trace), "PATTERN[,PATTERN...]",
	  "tell on standard error of what happens inside: port, register, line, message, power, virtio-status, "
	  "virtio-notify, virtio-signal, processor, control; * for all" },
	{ "no-reboot", 0, OPT_BOOL, offsetof(struct vmm_options, no_reboot), NULL, "a reset ends the machine" },
	{ "probe", 0, OPT_BOOL, offsetof(struct vmm_options, probe), NULL,
	  "say whether this host can run an ordinary guest, and why not" },
	{ "dump-acpi", 0, OPT_STRING, offsetof(struct vmm_options, dump_acpi), "FILE",
	  "write the ACPI tables that the machine would have, as acpidump does (for acpixtract, iasl); -: to standard output" },
	{ "version", 'v', OPT_BOOL, offsetof(struct vmm_options, version), NULL, "print the version" },
	{ 0 },
};

const struct opt *vmm_options_table(void)
{
	return table;
}

/* "512M", "1G", "268435456" */
static int parse_size(const char *text, size_t n, uint64_t *ret)
{
	static const char units[] = "KMG";
	_cleanup_free_ char *copy = strndup(text, n);
	const char *unit;
	uint64_t v;
	int shift = 0;

	if (copy == NULL)
		return -ENOMEM;
	unit = n > 0 ? strchr(units, copy[n - 1] & ~0x20) : NULL;
	if (unit != NULL && copy[n - 1] > '9') {
		shift = 10 * (int) (unit - units + 1);
		copy[n - 1] = '\0';
	}
	if (str_to_u64(copy, &v) < 0 || v > UINT64_MAX >> shift)
		return -EINVAL;
	*ret = v << shift;
	return 0;
}

static int parse_memory(const char *text, struct machine_config *c, struct err *err)
{
	size_t n = strcspn(text, ",");
	uint64_t mebibytes;

	if (text[n] == ',' && strcmp(text + n, ",huge") != 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not 'huge'", text + n + 1);
	c->huge_pages = text[n] == ',';
	if (parse_size(text, n, &c->memory) < 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not a size", text);
	if (c->memory < GMEM_SIZE_MIN && str_to_u64(text, &mebibytes) == 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is a number of bytes; for MiB say %sM", text, text);
	if (c->memory < GMEM_SIZE_MIN || c->memory > GMEM_SIZE_MAX || c->memory % GMEM_ALIGN != 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not from %lluM to %lluG in steps of 2M", text,
			       GMEM_SIZE_MIN >> 20, GMEM_SIZE_MAX >> 30);
	return 0;
}

/* KVM if it runs guests, which is tried; else what works anywhere. */
static const struct accel_ops *best_accel(void)
{
	const struct accel_ops *kvm = accel_find("kvm");
	struct err err = { 0 };

	if (kvm != NULL && kvm->probe(false, &err) == 0)
		return kvm;
	(void) fprintf(stderr, "cleave-vmm: warning: processors are software, which is slower: %s\n", err.text);
	return accel_find("soft");
}

static bool is_word(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && strncmp(text, word, n) == 0;
}

static int parse_cache(const char *text, size_t n, uint64_t *ret, struct err *err)
{
	if (parse_size(text, n, ret) == 0 && *ret >= ACCEL_SOFT_CACHE_MIN && *ret <= ACCEL_SOFT_CACHE_MAX)
		return 0;
	return err_msg(err, -EINVAL, "option --soft: cache '%.*s' is not from %lluK to %lluM", (int) n, text,
		       ACCEL_SOFT_CACHE_MIN >> 10, ACCEL_SOFT_CACHE_MAX >> 20);
}

/* "tlb", "interp" or "verify", which compares both; then where it runs, ",threads", and ",cache=SIZE" */
static int parse_soft(const char *how, uint64_t *cache, struct err *err)
{
	size_t n = how != NULL ? strcspn(how, ",") : 0;
	int r = 0;

	if (how == NULL)
		return 0;
	if (!is_word(how, n, "tlb") && !is_word(how, n, "interp") && !is_word(how, n, "verify"))
		return err_msg(err, -EINVAL, "option --soft: '%.*s' is none of tlb, interp, verify", (int) n, how);
	while (how[n] != '\0' && r == 0) {
		how += n + 1;
		n = strcspn(how, ",");
		if (strncmp(how, "cache=", strlen("cache=")) == 0)
			r = parse_cache(how + strlen("cache="), n - strlen("cache="), cache, err);
		else if (!is_word(how, n, "threads"))
			r = err_msg(err, -EINVAL, "option --soft: '%.*s' is neither threads nor cache=SIZE", (int) n, how);
	}
	return r;
}

static int choose_accel(const char *name, struct machine_config *c, struct err *err)
{
	c->accel = name == NULL || strcmp(name, "auto") == 0 ? best_accel() : accel_find(name);
	return c->accel != NULL ? 0 : err_msg(err, -EINVAL, "option --accel: '%s' is none of auto, kvm, soft", name);
}

static int parse_uuid(const char *text, uint8_t ret[16], struct err *err)
{
	unsigned n = 0;

	if (text == NULL && getrandom(ret, 16, 0) != 16)
		return err_set(err, -errno, "make a random number");
	if (text == NULL) {
		ret[6] = (uint8_t) (0x40 | (ret[6] & 0x0F)); /* random numbers say so */
		ret[8] = (uint8_t) (0x80 | (ret[8] & 0x3F));
		return 0;
	}
	for (const char *p = text; *p != '\0'; p++) {
		if (n == 16 || (*p == '-' && (p - text != 8 && p - text != 13 && p - text != 18 && p - text != 23)) ||
		    (*p != '-' && sscanf(p, "%2hhx", &ret[n]) != 1) || (*p != '-' && p[1] == '-'))
			return err_msg(err, -EINVAL, "option --uuid: '%s' is not a UUID", text);
		if (*p != '-') {
			n++;
			p++;
		}
	}
	return n == 16 ? 0 : err_msg(err, -EINVAL, "option --uuid: '%s' is not a UUID", text);
}

static int choose_sandbox(const char *how, struct machine_config *c, struct err *err)
{
	static const char *const modes[] = { [CONFINE_AUTO] = "auto", [CONFINE_FULL] = "full", [CONFINE_OFF] = "off" };

	for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
		if (how == NULL || strcmp(how, modes[i]) == 0) {
			c->sandbox = (enum confine_mode) i;
			return 0;
		}
	return err_msg(err, -EINVAL, "option --sandbox: '%s' is neither auto, full nor off", how);
}

static int open_file(const char *option, const char *path, int *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, -errno, "option --%s: open '%s'", option, path);
	*ret = fd;
	return 0;
}

static int open_serial(const char *where, struct machine_config *c, struct err *err)
{
	if (where == NULL || strcmp(where, "stdio") == 0) {
		c->serial_in = STDIN_FILENO;
		c->serial_out = STDOUT_FILENO;
		return 0;
	}
	if (strcmp(where, "none") == 0)
		return 0;
	c->serial_out = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return c->serial_out < 0 ? err_set(err, -errno, "option --serial: open '%s'", where) : 0;
}

/* Words of main(), which it may change. */
static char *word(const char *value)
{
	return (char *) (uintptr_t) value;
}

static int open_each(const struct opt_strings *values, int (*one)(char *, struct machine_config *, struct err *),
		     struct machine_config *ret, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < values->n && r == 0; i++)
		r = one(word(values->v[i]), ret, err);
	return r;
}

/* A console that takes the terminal leaves none for the serial port. */
static bool uses_stdio(const struct opt_strings *consoles)
{
	for (size_t i = 0; i < consoles->n; i++)
		if (strcmp(consoles->v[i], "stdio") == 0)
			return true;
	return false;
}

int vmm_options_size(const struct vmm_options *o, struct machine_config *ret, struct err *err)
{
	*ret = (struct machine_config) {
		.memory = MEMORY_DEFAULT,
		.accel_config = { .nr_cpus = (unsigned) o->cpus, .soft = o->soft },
		.no_reboot = o->no_reboot,
		.paused = o->paused,
		.serial_in = -1,
		.serial_out = -1,
		.vsock_listener = -1,
		.balloon = o->balloon,
		.hotplug = o->qmp != NULL,
		.oem = o->oems.v,
		.nr_oem = (unsigned) o->oems.n,
		.boot = { .kernel = -1,
			  .initrd = -1,
			  .kernel_name = o->kernel,
			  .initrd_name = o->initrd,
			  .cmdline = o->append != NULL ? o->append : APPEND_DEFAULT },
	};
	if (o->cpus == 0 || o->cpus > VM_CPUS_MAX)
		return err_msg(err, -EINVAL, "option --cpus: %llu is not from 1 to %d", (unsigned long long) o->cpus,
			       VM_CPUS_MAX);
	return o->memory != NULL ? parse_memory(o->memory, ret, err) : 0;
}

int vmm_options_open(const struct vmm_options *o, struct machine_config *ret, struct err *err)
{
	int r = vmm_options_size(o, ret, err);

	if (o->kernel == NULL)
		return err_msg(err, -EINVAL, "no kernel given: use --kernel FILE");
	if (r == 0)
		r = o->trace != NULL ? trace_choose(o->trace, err) : 0;
	if (r == 0)
		r = parse_soft(o->soft, &ret->accel_config.soft_cache, err);
	if (r == 0 && o->cpu != NULL) {
		r = cpu_model_parse(o->cpu, &ret->model, err);
		ret->accel_config.model = &ret->model;
	}
	if (r == 0)
		r = parse_uuid(o->uuid, ret->uuid, err);
	if (r == 0 && o->oems.n > SMBIOS_TEXTS_MAX)
		r = err_msg(err, -EINVAL, "option --oem: more than %d texts", SMBIOS_TEXTS_MAX);
	if (r == 0)
		r = choose_sandbox(o->sandbox, ret, err);
	if (r == 0)
		r = open_file("kernel", o->kernel, &ret->boot.kernel, err);
	if (r == 0 && o->initrd != NULL)
		r = open_file("initrd", o->initrd, &ret->boot.initrd, err);
	if (r == 0)
		r = open_serial(o->serial == NULL && uses_stdio(&o->consoles) ? "none" : o->serial, ret, err);
	if (r == 0)
		r = open_each(&o->disks, device_option_disk, ret, err);
	if (r == 0)
		r = open_each(&o->nets, device_option_net, ret, err);
	if (r == 0)
		r = open_each(&o->pmems, device_option_pmem, ret, err);
	if (r == 0)
		r = open_each(&o->fs, device_option_fs, ret, err);
	if (r == 0)
		r = open_each(&o->consoles, device_option_console, ret, err);
	if (r == 0 && o->vsock != NULL)
		r = device_option_vsock(word(o->vsock), ret, err);
	if (r == 0)
		r = choose_accel(o->accel, ret, err);
	return r;
}

static void close_fd(int fd)
{
	if (fd > STDERR_FILENO)
		(void) close(fd); /* what was written is with the kernel */
}

static void close_net(const struct net_config *n)
{
	for (unsigned k = 0; k < n->pairs && n->user == NULL; k++)
		close_fd(n->tap[k]);
	for (unsigned k = 0; n->user != NULL && k < n->user->nr_forwards; k++)
		close_fd(n->user->forward[k].fd);
}

void vmm_options_close(struct machine_config *c)
{
	close_fd(c->boot.kernel);
	close_fd(c->boot.initrd);
	close_fd(c->serial_out);
	for (unsigned i = 0; i < c->nr_disks; i++)
		close_fd(c->disk[i].fd);
	for (unsigned i = 0; i < c->nr_pmems; i++)
		close_fd(c->pmem[i].fd);
	for (unsigned i = 0; i < c->nr_nets; i++)
		close_net(&c->net[i]);
	for (unsigned i = 0; i < c->nr_fs; i++) {
		close_fd(c->fs[i].dir);
		close_fd(c->fs[i].proc);
	}
	for (unsigned i = 0; i < c->nr_consoles; i++) {
		close_fd(c->console[i].out);
		close_fd(c->console[i].listener);
	}
	close_fd(c->vsock_listener);
}
