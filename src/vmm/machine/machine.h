/* SPDX-License-Identifier: MIT */
/*
 * A whole machine: its parts put together, and its life from power-on to power-off.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/accel.h"
#include "vmm/accel/cpu_model.h"
#include "vmm/boot/boot.h"
#include "vmm/core/vm.h"
#include "vmm/dev/usernet/usernet.h"
#include "vmm/dev/virtio/blk.h"
#include "vmm/dev/virtio/console.h"
#include "vmm/dev/virtio/fs.h"
#include "vmm/dev/virtio/net.h"
#include "vmm/machine/confine.h"

struct balloon;
struct cpus;
struct err;
struct dev;
struct machine;
struct parts;
struct str;

#define MACHINE_DISKS_MAX 16
#define MACHINE_PMEMS_MAX 8
#define MACHINE_NETS_MAX 8
#define MACHINE_FS_MAX 8
#define MACHINE_PATH_MAX 1024 /* bytes of a path that we choose */

/** struct machine_pmem - a file for pmem_add() */
struct machine_pmem {
	int fd;
	const char *name;
	bool readonly;
};

/**
 * struct machine_config - what a machine is made of; all of it is borrowed
 * @memory: bytes
 * @accel: who executes; @model: room for @accel_config.model
 * @serial_in, @serial_out: descriptors, -1 for none
 * @no_reboot: a reset ends the machine
 * @paused: it waits for machine_resume() before it executes
 * @hotplug: devices may come and go
 * @uuid: who the machine is; @oem: @nr_oem texts that the guest finds in SMBIOS
 * @disk, @net, @console, @fs: @nr_disks, @nr_nets, @nr_consoles, @nr_fs of them
 * @usernet: those of @net that are made of sockets
 * @vsock_cid: 0 for none; @vsock_path, @vsock_listener: as for vsock_add(); @vsock_socket: @vsock_path, and @vsock_place
 *             the directory that was made for it, where nobody said one
 * @sandbox: how much the process has to give up
 */
struct machine_config {
	uint64_t memory;
	bool huge_pages, no_reboot, hotplug, paused;
	const struct accel_ops *accel;
	struct accel_config accel_config;
	struct cpu_model model;
	int serial_in, serial_out;
	uint8_t uuid[16];
	const char *const *oem;
	unsigned nr_oem;
	struct boot_config boot;
	struct blk_config disk[MACHINE_DISKS_MAX];
	unsigned nr_disks;
	struct net_config net[MACHINE_NETS_MAX];
	struct usernet_config usernet[MACHINE_NETS_MAX];
	unsigned nr_nets;
	struct console_port console[CONSOLE_PORTS_MAX];
	unsigned nr_consoles;
	struct machine_pmem pmem[MACHINE_PMEMS_MAX];
	unsigned nr_pmems;
	struct fs_config fs[MACHINE_FS_MAX];
	unsigned nr_fs;
	bool balloon;
	uint32_t vsock_cid;
	const char *vsock_path;
	char vsock_place[MACHINE_PATH_MAX - 16], vsock_socket[MACHINE_PATH_MAX];
	int vsock_listener;
	enum confine_mode sandbox;
};

/**
 * machine_new() - build it; nothing runs yet.  The process gives up its privileges
 * @conf: borrowed until machine_free()
 * Return: 0; -errno with a message.
 */
int machine_new(const struct machine_config *conf, struct machine **ret, struct err *err);

/**
 * machine_run() - power on, and carry on until it is off
 * @ret_signal: which signal, for VM_CAUSE_SIGNAL
 * Return: enum vm_cause; -errno with a message when it could not start or go on.
 */
int machine_run(struct machine *m, int *ret_signal, struct err *err);

/** machine_unconfined() - what of the sandbox this host does not allow; "" when it is whole */
const char *machine_unconfined(const struct machine *m);

/** machine_free() - release; NULL is fine */
void machine_free(struct machine *m);

/**
 * machine_acpi() - the tables that a machine would have, whose generation is zero
 * @ret: appended to, as acpi_build() does
 * Return: 0; -errno with a message.
 */
int machine_acpi(const struct machine_config *conf, struct str *ret, struct err *err);

/** machine_vm() - its parts */
struct vm *machine_vm(struct machine *m);

/** machine_conf() - what it is made of */
const struct machine_config *machine_conf(const struct machine *m);

/** machine_accel_name() - who executes */
const char *machine_accel_name(const struct machine *m);

/** machine_cpus() - its processors */
struct cpus *machine_cpus(struct machine *m);

/** machine_cpu_thread() - thread id of processor @index */
int machine_cpu_thread(const struct machine *m, unsigned index);

/**
 * machine_on_event() - be told what happens to the machine
 * @event: called with the lock held: @name and @data as in QEMU's protocol, @data may be NULL.  NULL: nobody
 */
void machine_on_event(struct machine *m, void (*event)(void *arg, const char *name, const char *data), void *arg);

/** machine_is_running() - false while it is paused */
bool machine_is_running(const struct machine *m);

/** machine_state() - what it does, as QEMU calls it: "running", "paused", "prelaunch" before it ran the first time */
const char *machine_state(const struct machine *m);

/** machine_pause() - nothing executes until machine_resume(); with the lock, on the loop's thread */
void machine_pause(struct machine *m);

/** machine_resume() - go on; with the lock */
void machine_resume(struct machine *m);

/** machine_power_button() - press it: the guest may turn itself off; with the lock */
void machine_power_button(struct machine *m);

/** machine_reset() - start over; with the lock */
void machine_reset(struct machine *m);

/** machine_may_open() - 0, or -EPERM with a message: what it needs has to be sent */
int machine_may_open(const struct machine *m, struct err *err);

/** machine_usernet() - a network made of sockets that it has from the start; NULL without one */
const struct usernet_config *machine_usernet(const struct machine *m);

/** machine_parts() - what was brought while it runs */
struct parts *machine_parts(struct machine *m);

/** machine_add_disk() - add a disk while the machine runs, with a name; as blk_add() */
int machine_add_disk(struct machine *m, const struct blk_config *conf, struct err *err);

/** machine_add_net() - add a network interface while the machine runs, with a name; as net_add() */
int machine_add_net(struct machine *m, const struct net_config *conf, struct err *err);

/** machine_remove() - ask the guest to let go of a device; DEVICE_DELETED follows; 0; -ENODEV there is none; -ENOTSUP it stays */
int machine_remove(struct machine *m, const char *id);

/** machine_pci() - its bus */
const struct pci_bus *machine_pci(const struct machine *m);

/** machine_uuid() - who it is, as text; 37 bytes */
void machine_uuid(const struct machine *m, char ret[37]);

/** machine_generation() - which copy of the machine it is, as text; 37 bytes */
void machine_generation(const struct machine *m, char ret[37]);

/** machine_balloon() - its balloon; NULL without one */
struct balloon *machine_balloon(const struct machine *m);
