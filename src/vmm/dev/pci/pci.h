/* SPDX-License-Identifier: MIT */
/*
 * PCI Express: one root bus with its configuration space in memory (ECAM), and what all devices on it
 * have in common.
 * Spec: PCI Express Base 6.0, chapter 7; PCI Firmware 3.3, chapter 4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/bus.h"

struct dev;
struct err;
struct vm;

#define PCI_ECAM_BASE 0xB0000000ull
#define PCI_ECAM_SIZE (1ull << 20) /* bytes: bus 0 only */
#define PCI_WINDOW_BASE 0xC0000000ull /* 32-bit addresses for devices */
#define PCI_WINDOW_LAST 0xFEBFFFFFull
#define PCI_WINDOW64_SIZE (256ull << 30) /* bytes behind the memory, from a multiple of 1 GiB */
#define PCI_SLOTS 32
#define PCI_BARS 6
#define PCI_CONFIG_SIZE 256 /* bytes; there are no extended capabilities */

/**
 * struct pci_bar - addresses that a device answers at
 * @size: bytes, a power of two from 4 KiB on; 0 for none
 * @at: where they are now, 0 while the guest has not enabled them
 */
struct pci_bar {
	uint64_t size, at;
	const struct bus_ops *ops;
};

struct pci_dev;

/**
 * struct pci_dev_ops - what a device wants to know; members may be NULL
 * @config_read: before @size bytes at @offset are read
 * @config_written: after they were written
 * @bar_moved: after a range moved: pci_dev.bar[@index].at has the new address, @old the one before
 */
struct pci_dev_ops {
	void (*config_read)(struct pci_dev *d, unsigned offset, unsigned size);
	void (*config_written)(struct pci_dev *d, unsigned offset, unsigned size);
	void (*bar_moved)(struct pci_dev *d, unsigned index, uint64_t old);
};

/**
 * struct pci_dev - a device on the bus; embed it
 * @slot: number on the bus; @owner: the device that it is a part of
 * @config: configuration space; @writable: bits of it that the guest may change; @initial: as it was
 *          plugged
 * @caps: offset of the last capability, 0 without one; @caps_end: first free byte
 * @arg: handed to bar[].ops
 */
struct pci_dev {
	struct vm *vm;
	struct pci_bus *bus;
	const struct pci_dev_ops *ops;
	void *arg;
	struct dev *owner;
	unsigned slot;
	uint8_t config[PCI_CONFIG_SIZE], writable[PCI_CONFIG_SIZE], initial[PCI_CONFIG_SIZE];
	uint8_t caps, caps_end;
	struct pci_bar bar[PCI_BARS];
};

/* Where configuration space says who a device is; the class is 24 bits behind the revision. */
#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_REVISION 0x08
#define PCI_CLASS 0x0A /* base class and sub-class */
#define PCI_SUBSYSTEM_VENDOR 0x2C
#define PCI_SUBSYSTEM 0x2E

/** struct pci_id - who a device is; @class: base class, sub-class, programming interface */
struct pci_id {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class;
	uint8_t revision;
};

/**
 * pci_bus_add() - make the bus and its host bridge
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int pci_bus_add(struct vm *vm, struct pci_bus **ret, struct err *err);

/** pci_window64() - first guest address of the window for large devices */
uint64_t pci_window64(const struct vm *vm);

/**
 * pci_window64_take() - addresses of the window for large devices, for memory that is no PCI range
 * @size: a multiple of 2 MiB
 * Return: 0; -ENOSPC.
 */
int pci_window64_take(struct pci_bus *bus, uint64_t size, uint64_t *ret);

/**
 * pci_dev_init() - fill in configuration space; the device is not on the bus yet
 * @ret: zero-initialised
 */
void pci_dev_init(struct pci_dev *ret, struct vm *vm, const struct pci_id *id,
		  const struct pci_dev_ops *ops, void *arg);

/** pci_dev_bar() - give a device a range of memory addresses, 64-bit: takes @index and the next */
void pci_dev_bar(struct pci_dev *d, unsigned index, uint64_t size, const struct bus_ops *ops);

/**
 * pci_dev_cap() - append a capability
 * @body: @len bytes that follow id and link; read-only for the guest
 * Return: its offset in configuration space.
 */
uint8_t pci_dev_cap(struct pci_dev *d, uint8_t id, const void *body, unsigned len);

/**
 * pci_dev_plug() - put a device on the first free slot, with addresses for its ranges
 * Return: 0; -ENOSPC the bus is full, or no addresses are left.
 */
int pci_dev_plug(struct pci_bus *bus, struct pci_dev *d);

/** pci_slot_of() - slot of a device; -ENODEV it is not on the bus */
int pci_slot_of(const struct pci_bus *bus, const struct dev *owner);

/** pci_dev_at() - what is in a slot, the host bridge too; NULL for nothing.  Borrowed; with the machine's lock */
const struct pci_dev *pci_dev_at(const struct pci_bus *bus, unsigned slot);

/** pci_owner_of() - device in a slot; NULL for none */
struct dev *pci_owner_of(const struct pci_bus *bus, unsigned slot);

/** pci_dev_unplug() - take it off the bus; it answers nothing any more */
void pci_dev_unplug(struct pci_dev *d);

/** pci_dev_reset() - as after power-on: addresses assigned, nothing enabled */
void pci_dev_reset(struct pci_dev *d);

/** pci_config_read() - @size is 1, 2 or 4, @offset a multiple of it; also for what is not there */
uint32_t pci_config_read(struct pci_dev *d, unsigned offset, unsigned size);

/** pci_config_write() - as pci_config_read() */
void pci_config_write(struct pci_dev *d, unsigned offset, unsigned size, uint32_t value);
