/* SPDX-License-Identifier: MIT */
/**
 * DOC: machine
 *
 * Built once, in the order in which parts need each other.  A reset goes the same way as power-on:
 * memory is cleared, devices and processors are as new, the kernel is loaded again.
 */
#include "vmm/machine/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/smbios.h"
#include "vmm/core/dev.h"
#include "vmm/core/loop.h"
#include "vmm/dev/legacy/i8042.h"
#include "vmm/dev/legacy/power.h"
#include "vmm/dev/legacy/rtc.h"
#include "vmm/dev/legacy/serial.h"
#include "vmm/dev/pci/hotplug.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/share/share.h"
#include "vmm/dev/virtio/balloon.h"
#include "vmm/dev/virtio/blk_file.h"
#include "vmm/dev/virtio/pmem.h"
#include "vmm/dev/virtio/rng.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/dev/virtio/vsock.h"
#include "vmm/machine/confine.h"
#include "vmm/machine/cpus.h"
#include "vmm/machine/names.h"
#include "vmm/machine/parts.h"

#define SPARE_RINGS 4 /* disks that may come while it runs and are asynchronous */

/** struct machine - @generation: 16 bytes that no copy of the machine has */
struct machine {
	struct vm vm;
	const struct machine_config *conf;
	struct cpus *cpus;
	struct power *power;
	struct pci_bus *pci;
	struct hotplug *hotplug;
	struct balloon *balloon;
	struct fs *fs[MACHINE_FS_MAX];
	struct parts parts;
	uint8_t generation[16];
	struct loop_source cause, signals;
	int signal_fd, signal, failed;
	bool paused, started, host_reset;
	struct err *err, unconfined;
	void (*event)(void *arg, const char *name, const char *data);
	void *event_arg;
};

static void emit(const struct machine *m, const char *name, const char *data)
{
	if (m->event != NULL)
		m->event(m->event_arg, name, data);
}

/* The guest has let go of a device. */
static void device_gone(void *arg, const char *id)
{
	_cleanup_(str_fini) struct str data = { 0 }, path = { 0 };
	struct machine *m = arg;

	parts_device_gone(&m->parts, id);
	str_printf(&path, "/machine/peripheral/%s", id);
	json_open(&data, NULL, '{');
	json_text(&data, "device", id);
	json_text(&data, "path", path.p);
	json_close(&data, '}');
	emit(m, "DEVICE_DELETED", data.failed ? NULL : data.p);
}

static void balloon_changed(void *arg)
{
	const struct machine *m = arg;
	char data[48];

	(void) snprintf(data, sizeof(data), "{\"actual\": %" PRIu64 "}", balloon_actual(m->balloon));
	emit(m, "BALLOON_CHANGE", data);
}

static int add_devices(struct machine *m, struct err *err)
{
	struct vm *vm = &m->vm;
	int r = power_add(vm, &m->power, err);

	if (r == 0)
		r = i8042_add(vm, err);
	if (r == 0)
		r = rtc_add(vm, err);
	if (r == 0)
		r = serial_add(vm, m->conf->serial_in, m->conf->serial_out, err);
	if (r == 0)
		r = pci_bus_add(vm, &m->pci, err);
	if (r == 0 && m->conf->hotplug)
		r = hotplug_add(vm, m->pci, m->power, device_gone, m, &m->hotplug, err);
	return r;
}

static int add_pci_devices(struct machine *m, struct err *err)
{
	const struct machine_config *conf = m->conf;
	struct vm *vm = &m->vm;
	int r = rng_add(vm, m->pci, err);

	for (unsigned i = 0; i < conf->nr_disks && r == 0; i++) {
		r = names_check(vm, conf->disk[i].id, err);
		if (r == 0)
			r = blk_add(vm, m->pci, &conf->disk[i], err);
	}
	for (unsigned i = 0; i < conf->nr_nets && r == 0; i++) {
		r = names_check(vm, conf->net[i].id, err);
		if (r == 0)
			r = net_add(vm, m->pci, &conf->net[i], err);
	}
	for (unsigned i = 0; i < conf->nr_pmems && r == 0; i++)
		r = pmem_add(vm, m->pci, conf->pmem[i].fd, conf->pmem[i].name, conf->pmem[i].readonly, err);
	for (unsigned i = 0; i < conf->nr_fs && r == 0; i++)
		r = fs_add(vm, m->pci, &conf->fs[i], &m->fs[i], err);
	if (r == 0 && conf->nr_consoles > 0)
		r = console_add(vm, m->pci, conf->console, conf->nr_consoles, err);
	if (r == 0 && conf->balloon)
		r = balloon_add(vm, m->pci, balloon_changed, m, &m->balloon, err);
	if (r == 0 && conf->vsock_cid != 0)
		r = vsock_add(vm, m->pci, conf->vsock_cid, conf->vsock_path, conf->vsock_listener, err);
	if (r == 0)
		names_complete(vm);
	return r;
}

static struct acpi_config acpi_of(const struct vm *vm, bool hotplug, const uint8_t *generation)
{
	uint64_t high = pci_window64(vm);

	return (struct acpi_config) { .nr_cpus = vm->nr_cpus, .ecam = PCI_ECAM_BASE, .ecam_len = PCI_ECAM_SIZE,
				      .window = { { PCI_WINDOW_BASE, PCI_WINDOW_LAST },
						  { high, high + PCI_WINDOW64_SIZE - 1 } },
				      .hotplug = hotplug, .generation = generation };
}

int machine_acpi(const struct machine_config *conf, struct str *ret, struct err *err)
{
	static const uint8_t generation[16];
	struct vm vm = { .nr_cpus = conf->accel_config.nr_cpus, .cause_fd = -1 };
	int r = vm_init(&vm, conf->memory, 0, err);

	if (r == 0) {
		struct acpi_config acpi = acpi_of(&vm, conf->hotplug, generation);

		r = acpi_build(&acpi, BOOT_ACPI, ret);
		if (r < 0)
			(void) err_set(err, r, "make ACPI tables");
	}
	vm_fini(&vm);
	return r;
}

static int load(struct machine *m, struct err *err)
{
	struct acpi_config acpi = acpi_of(&m->vm, m->hotplug != NULL, m->generation);
	struct smbios_config smbios = { .text = m->conf->oem, .nr_texts = m->conf->nr_oem, .memory = m->vm.mem.size };
	struct accel_start start;
	struct accel *a = m->vm.accel;
	uint64_t rsdp;
	int r = acpi_write(&acpi, &m->vm.mem, &rsdp, err);

	memcpy(smbios.uuid, m->conf->uuid, sizeof(smbios.uuid));
	if (r == 0)
		r = smbios_write(&smbios, &m->vm.mem, err);
	if (r == 0)
		r = boot_load(&m->vm.mem, &m->conf->boot, rsdp, acpi.ecam, acpi.ecam_len, &start, err);
	return r < 0 ? r : a->ops->vcpu_start(cpus_vcpu(m->cpus, 0), &start, err);
}

/* Processors stand still; let the machine begin anew.  Memory is cleared when nobody writes to it any more. */
static int reset(struct machine *m, struct err *err)
{
	int r;

	dev_reset_all(&m->vm);
	r = m->vm.accel->ops->reset(m->vm.accel, err);
	if (r < 0)
		return r;
	r = gmem_clear(&m->vm.mem);
	return r < 0 ? err_set(err, r, "clear guest memory") : load(m, err);
}

/* What QEMU's clients are told of an end. */
static void emit_end(const struct machine *m, enum vm_cause cause)
{
	static const char *const data[VM_N_CAUSES_] = {
		[VM_CAUSE_POWER_OFF] = "{\"guest\": true, \"reason\": \"guest-shutdown\"}",
		[VM_CAUSE_RESET] = "{\"guest\": true, \"reason\": \"guest-reset\"}",
		[VM_CAUSE_TRIPLE_FAULT] = "{\"guest\": true, \"reason\": \"guest-reset\"}",
		[VM_CAUSE_PANIC] = "{\"guest\": true, \"reason\": \"guest-panic\"}",
		[VM_CAUSE_QUIT] = "{\"guest\": false, \"reason\": \"host-qmp-quit\"}",
		[VM_CAUSE_SIGNAL] = "{\"guest\": false, \"reason\": \"host-signal\"}",
		[VM_CAUSE_FAILED] = "{\"guest\": false, \"reason\": \"host-error\"}",
	};

	if (cause == VM_CAUSE_PANIC)
		emit(m, "GUEST_PANICKED", "{\"action\": \"poweroff\"}");
	emit(m, "SHUTDOWN", data[cause]);
}

static void start_over(struct machine *m)
{
	cpus_pause(m->cpus);
	m->failed = reset(m, m->err);
	if (m->failed < 0) {
		loop_stop(m->vm.loop);
		return;
	}
	emit(m, "RESET", m->host_reset ? "{\"guest\": false, \"reason\": \"host-qmp-system-reset\"}" :
					 "{\"guest\": true, \"reason\": \"guest-reset\"}");
	m->host_reset = false;
	vm_request_done(&m->vm);
	if (!m->paused)
		cpus_resume(m->cpus);
}

static void cause_ready(void *arg, uint32_t events)
{
	struct machine *m = arg;
	enum vm_cause cause = vm_cause(&m->vm);

	(void) events;
	if (cause == VM_CAUSE_RESET && (m->host_reset || !m->conf->no_reboot)) {
		start_over(m);
		return;
	}
	emit_end(m, cause);
	loop_stop(m->vm.loop);
}

static void signals_ready(void *arg, uint32_t events)
{
	struct machine *m = arg;
	struct signalfd_siginfo s;

	(void) events;
	if (read(m->signal_fd, &s, sizeof(s)) != sizeof(s))
		return;
	if (s.ssi_signo == SIGWINCH) {
		for (const struct dev *d = m->vm.devs; d != NULL; d = d->next)
			console_resized(vio_of(d));
		return;
	}
	m->signal = (int) s.ssi_signo;
	vm_request(&m->vm, VM_CAUSE_SIGNAL);
}

/* Signals that end the machine, and that a terminal has another size, come as events. */
static int watch(struct machine *m, struct err *err)
{
	sigset_t set;
	int r;

	(void) sigemptyset(&set);
	(void) sigaddset(&set, SIGTERM);
	(void) sigaddset(&set, SIGINT);
	(void) sigaddset(&set, SIGHUP);
	(void) sigaddset(&set, SIGWINCH);
	(void) sigprocmask(SIG_BLOCK, &set, NULL); /* valid arguments */
	(void) signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write(2) */
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signal_fd < 0)
		return err_set(err, -errno, "make signalfd");
	r = loop_add(m->vm.loop, &m->signals, m->signal_fd, EPOLLIN, signals_ready, m);
	if (r == 0)
		r = loop_add(m->vm.loop, &m->cause, m->vm.cause_fd, EPOLLIN, cause_ready, m);
	return r < 0 ? err_set(err, r, "watch signals") : 0;
}

/* All that has to be there before the process gives up its privileges. */
static int add_all(struct machine *m, struct err *err)
{
	int r;

	vm_lock(&m->vm);
	r = add_devices(m, err);
	if (r == 0)
		r = add_pci_devices(m, err);
	vm_unlock(&m->vm);
	return r;
}

static int confine_files(struct err *err)
{
	return confine_thread(CONFINE_FILES, err);
}

/*
 * Threads that serve files.  Those that may act for all users start before the process gives that up; without
 * the right to, a namespace of users can only be made while there is one thread.
 */
static int start_servers(struct machine *m, struct err *err)
{
	int r = 0;

	vm_lock(&m->vm);
	for (unsigned i = 0; i < m->conf->nr_fs && r == 0; i++)
		r = fs_start(m->fs[i], m->conf->sandbox != CONFINE_OFF ? confine_files : NULL, err);
	vm_unlock(&m->vm);
	return r;
}

/* Does it talk to the host's network by itself? */
static bool has_network(const struct machine *m)
{
	return machine_usernet(m) != NULL;
}

static int build(struct machine *m, struct err *err)
{
	const struct machine_config *conf = m->conf;
	struct confine_config sandbox = { .mode = conf->sandbox, .sockets = conf->vsock_path,
					  .network = has_network(m) };
	bool early = share_is_privileged();
	unsigned flags = (conf->huge_pages ? GMEM_HUGE : 0u) | (conf->accel->shares_memory ? GMEM_SHARED : 0u);
	int r = vm_init(&m->vm, conf->memory, flags, err);

	if (r == 0)
		r = conf->accel->open(&m->vm.mem, &conf->accel_config, &m->vm.accel, err);
	if (r == 0)
		r = watch(m, err);
	if (r == 0)
		r = add_all(m, err);
	if (r == 0 && conf->hotplug && conf->sandbox != CONFINE_OFF && blk_rings_reserve(&m->vm, SPARE_RINGS) < 0)
		r = err_set(err, -ENOMEM, "make room for disks that come later");
	if (r == 0 && early)
		r = start_servers(m, err);
	if (r == 0)
		r = confine(&sandbox, &m->unconfined, err);
	if (r == 0 && !early)
		r = start_servers(m, err);
	if (r == 0)
		r = cpus_new(&m->vm, conf->sandbox != CONFINE_OFF, &m->cpus, err);
	return r;
}

int machine_new(const struct machine_config *conf, struct machine **ret, struct err *err)
{
	struct machine *m = calloc(1, sizeof(*m));
	int r;

	if (m == NULL)
		return err_set(err, -ENOMEM, "make machine");
	m->conf = conf;
	m->signal_fd = -1;
	m->vm.cause_fd = -1;
	m->vm.nr_cpus = conf->accel_config.nr_cpus;
	r = getrandom(m->generation, sizeof(m->generation), 0) < 0 ? err_set(err, -errno, "make random numbers") : 0;
	if (r == 0)
		r = build(m, err);
	if (r < 0) {
		machine_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

/* What the accelerator said.  Whether the host is to blame can only be found out outside of the sandbox. */
static int explain(const struct machine *m, struct err *err)
{
	return err_msg(err, -EIO, "%s (can this host run ordinary guests? 'cleave-vmm --probe' tells)", m->vm.failure);
}

int machine_run(struct machine *m, int *ret_signal, struct err *err)
{
	int r = m->conf->sandbox != CONFINE_OFF ? confine_thread(has_network(m) ? CONFINE_LOOP_NETWORK : CONFINE_LOOP, err) : 0;

	if (r == 0)
		r = load(m, err);
	if (r < 0)
		return r;
	m->err = err;
	m->paused = m->conf->paused;
	m->started = !m->paused;
	vm_lock(&m->vm);
	if (!m->paused)
		cpus_resume(m->cpus);
	vm_unlock(&m->vm);
	r = loop_run(m->vm.loop);
	if (r < 0)
		return err_set(err, r, "wait for events");
	if (m->failed < 0)
		return m->failed;
	*ret_signal = m->signal;
	r = (int) vm_cause(&m->vm);
	return r == VM_CAUSE_FAILED ? explain(m, err) : r;
}

const char *machine_unconfined(const struct machine *m)
{
	return m->unconfined.text;
}

struct vm *machine_vm(struct machine *m)
{
	return &m->vm;
}

const struct machine_config *machine_conf(const struct machine *m)
{
	return m->conf;
}

const char *machine_accel_name(const struct machine *m)
{
	return m->conf->accel->name;
}

struct cpus *machine_cpus(struct machine *m)
{
	return m->cpus;
}

int machine_cpu_thread(const struct machine *m, unsigned index)
{
	return cpus_thread(m->cpus, index);
}

void machine_on_event(struct machine *m, void (*event)(void *arg, const char *name, const char *data), void *arg)
{
	m->event = event;
	m->event_arg = arg;
}

bool machine_is_running(const struct machine *m)
{
	return !m->paused;
}

const char *machine_state(const struct machine *m)
{
	return !m->paused ? "running" : m->started ? "paused" : "prelaunch";
}

void machine_pause(struct machine *m)
{
	if (m->paused)
		return;
	m->paused = true;
	cpus_pause(m->cpus);
	emit(m, "STOP", NULL);
}

void machine_resume(struct machine *m)
{
	if (!m->paused)
		return;
	m->paused = false;
	m->started = true;
	if (vm_cause(&m->vm) == VM_CAUSE_NONE)
		cpus_resume(m->cpus);
	emit(m, "RESUME", NULL);
}

void machine_power_button(struct machine *m)
{
	power_event(m->power, POWER_EVENT_BUTTON);
	emit(m, "POWERDOWN", NULL);
}

void machine_reset(struct machine *m)
{
	m->host_reset = true;
	vm_request(&m->vm, VM_CAUSE_RESET);
}

int machine_may_open(const struct machine *m, struct err *err)
{
	if (m->conf->sandbox == CONFINE_OFF)
		return 0;
	return err_msg(err, -EPERM, "the machine has given up the right to open files: send a descriptor (add-fd, getfd)");
}

const struct usernet_config *machine_usernet(const struct machine *m)
{
	for (unsigned i = 0; i < m->conf->nr_nets; i++)
		if (m->conf->net[i].user != NULL)
			return m->conf->net[i].user;
	return NULL;
}

struct parts *machine_parts(struct machine *m)
{
	return &m->parts;
}

/* What follows the failure or success of adding a device that is now the newest. */
static int added(struct machine *m, int r)
{
	if (r == 0)
		hotplug_came(m->hotplug, m->vm.devs);
	return r;
}

int machine_add_disk(struct machine *m, const struct blk_config *conf, struct err *err)
{
	return added(m, blk_add(&m->vm, m->pci, conf, err));
}

int machine_add_net(struct machine *m, const struct net_config *conf, struct err *err)
{
	return added(m, net_add(&m->vm, m->pci, conf, err));
}

int machine_remove(struct machine *m, const char *id)
{
	const struct dev *d = dev_find(&m->vm, id);
	const struct vio_dev *v = d != NULL ? vio_of(d) : NULL;

	if (v == NULL)
		return -ENODEV;
	return v->ops->removable ? hotplug_remove(m->hotplug, d) : -ENOTSUP;
}

const struct pci_bus *machine_pci(const struct machine *m)
{
	return m->pci;
}

static void put_uuid(const uint8_t u[16], char ret[37])
{
	(void) snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
			u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

void machine_uuid(const struct machine *m, char ret[37])
{
	put_uuid(m->conf->uuid, ret);
}

/* The first three groups of the number are little-endian in memory. */
void machine_generation(const struct machine *m, char ret[37])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t u[16];

	for (unsigned i = 0; i < sizeof(u); i++)
		u[i] = m->generation[order[i]];
	put_uuid(u, ret);
}

struct balloon *machine_balloon(const struct machine *m)
{
	return m->balloon;
}

void machine_free(struct machine *m)
{
	if (m == NULL)
		return;
	cpus_free(m->cpus);
	if (m->vm.loop != NULL) {
		vm_lock(&m->vm);
		loop_remove(m->vm.loop, &m->signals);
		loop_remove(m->vm.loop, &m->cause);
		while (m->vm.devs != NULL)
			dev_free(&m->vm, m->vm.devs);
		vm_unlock(&m->vm);
	}
	blk_rings_free(&m->vm);
	if (m->vm.accel != NULL)
		m->vm.accel->ops->close(m->vm.accel);
	m->vm.accel = NULL;
	if (m->signal_fd >= 0)
		(void) close(m->signal_fd); /* nothing was written to it */
	vm_fini(&m->vm);
	parts_fini(&m->parts);
	free(m);
}
