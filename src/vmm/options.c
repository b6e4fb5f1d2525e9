/* SPDX-License-Identifier: MIT */
#include "vmm/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
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
	{ "accel", 0, OPT_STRING, offsetof(struct vmm_options, accel), "NAME", "who executes: auto, kvm (auto)" },
	{ "serial", 0, OPT_STRING, offsetof(struct vmm_options, serial), "WHERE",
	  "first serial port: stdio, none or a file to append to (stdio)" },
	{ "disk", 'd', OPT_STRINGS, offsetof(struct vmm_options, disks), "FILE[,OPTION...]",
	  "a disk (virtio-blk): ro, serial=TEXT, queues=N, rings=split" },
	{ "qmp", 0, OPT_STRING, offsetof(struct vmm_options, qmp), "PATH",
	  "control socket, made there; speaks QEMU's machine protocol" },
	{ "no-reboot", 0, OPT_BOOL, offsetof(struct vmm_options, no_reboot), NULL, "a reset ends the machine" },
	{ "probe", 0, OPT_BOOL, offsetof(struct vmm_options, probe), NULL,
	  "say whether this host can run an ordinary guest, and why not" },
	{ "dump-acpi", 0, OPT_STRING, offsetof(struct vmm_options, dump_acpi), "FILE",
	  "write the ACPI tables that the machine would have" },
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

	if (text[n] == ',' && strcmp(text + n, ",huge") != 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not 'huge'", text + n + 1);
	c->huge_pages = text[n] == ',';
	if (parse_size(text, n, &c->memory) < 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not a size", text);
	if (c->memory < GMEM_SIZE_MIN || c->memory > GMEM_SIZE_MAX || c->memory % GMEM_ALIGN != 0)
		return err_msg(err, -EINVAL, "option --memory: '%s' is not from %lluM to %lluG in steps of 2M", text,
			       GMEM_SIZE_MIN >> 20, GMEM_SIZE_MAX >> 30);
	return 0;
}

static int choose_accel(const char *name, struct machine_config *c, struct err *err)
{
	if (name == NULL || strcmp(name, "auto") == 0)
		name = "kvm";
	c->accel = accel_find(name);
	return c->accel != NULL ? 0 : err_msg(err, -EINVAL, "option --accel: '%s' is neither auto nor kvm", name);
}

static int open_file(const char *option, const char *path, int *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, -errno, "option --%s: open '%s'", option, path);
	*ret = fd;
	return 0;
}

/* What follows "KEY=" in an option's value, NULL if it is another key. */
static char *value_of(char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static int parse_queues(const char *option, const char *text, unsigned max, unsigned *ret, struct err *err)
{
	uint64_t n;

	if (str_to_u64(text, &n) < 0 || n == 0 || n > max)
		return err_msg(err, -EINVAL, "option --%s: queues=%s is not a number from 1 to %u", option, text, max);
	*ret = (unsigned) n;
	return 0;
}

static int parse_disk_word(char *word, struct blk_config *d, struct err *err)
{
	char *v;

	if (strcmp(word, "ro") == 0)
		d->readonly = true;
	else if (strcmp(word, "rings=split") == 0)
		d->split = true;
	else if ((v = value_of(word, "queues")) != NULL)
		return parse_queues("disk", v, BLK_QUEUES_MAX, &d->queues, err);
	else if ((v = value_of(word, "serial")) != NULL && strlen(v) <= BLK_SERIAL_MAX)
		d->serial = v;
	else if (v != NULL)
		return err_msg(err, -EINVAL, "option --disk: serial '%s' has more than %d bytes", v, BLK_SERIAL_MAX);
	else
		return err_msg(err, -EINVAL, "option --disk: unknown word '%s'", word);
	return 0;
}

/* @text is taken apart where it is. */
static int open_disk(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *path = strsep(&rest, ",");
	struct blk_config *d = &c->disk[c->nr_disks];
	int r = 0;

	if (c->nr_disks == MACHINE_DISKS_MAX)
		return err_msg(err, -EINVAL, "option --disk: more than %d disks", MACHINE_DISKS_MAX);
	*d = (struct blk_config) { .name = path, .queues = c->nr_cpus < BLK_QUEUES_MAX ? c->nr_cpus : BLK_QUEUES_MAX };
	while (rest != NULL && r == 0)
		r = parse_disk_word(strsep(&rest, ","), d, err);
	if (r < 0)
		return r;
	d->fd = open(path, (d->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (d->fd < 0)
		return err_set(err, -errno, "option --disk: open '%s'", path);
	c->nr_disks++;
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

int vmm_options_open(const struct vmm_options *o, struct machine_config *ret, struct err *err)
{
	int r;

	*ret = (struct machine_config) {
		.memory = MEMORY_DEFAULT,
		.nr_cpus = o->cpus != 0 ? (unsigned) o->cpus : 1,
		.no_reboot = o->no_reboot,
		.serial_in = -1,
		.serial_out = -1,
		.boot = { .kernel = -1,
			  .initrd = -1,
			  .kernel_name = o->kernel,
			  .initrd_name = o->initrd,
			  .cmdline = o->append != NULL ? o->append : APPEND_DEFAULT },
	};
	if (o->kernel == NULL)
		return err_msg(err, -EINVAL, "no kernel given: use --kernel FILE");
	if (o->cpus > VM_CPUS_MAX)
		return err_msg(err, -EINVAL, "option --cpus: %llu is more than %d", (unsigned long long) o->cpus,
			       VM_CPUS_MAX);
	r = choose_accel(o->accel, ret, err);
	if (r == 0 && o->memory != NULL)
		r = parse_memory(o->memory, ret, err);
	if (r == 0)
		r = open_file("kernel", o->kernel, &ret->boot.kernel, err);
	if (r == 0 && o->initrd != NULL)
		r = open_file("initrd", o->initrd, &ret->boot.initrd, err);
	for (size_t i = 0; i < o->disks.n && r == 0; i++)
		r = open_disk((char *) (uintptr_t) o->disks.v[i], ret, err); /* words of main(), which it may change */
	return r < 0 ? r : open_serial(o->serial, ret, err);
}

static void close_fd(int fd)
{
	if (fd > STDERR_FILENO)
		(void) close(fd); /* what was written is with the kernel */
}

void vmm_options_close(struct machine_config *c)
{
	close_fd(c->boot.kernel);
	close_fd(c->boot.initrd);
	close_fd(c->serial_out);
	for (unsigned i = 0; i < c->nr_disks; i++)
		close_fd(c->disk[i].fd);
}
