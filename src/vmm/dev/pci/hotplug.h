/* SPDX-License-Identifier: MIT */
/*
 * Devices that come and go while the machine runs, by ACPI: ports that tell the guest's kernel of slots.
 */
#pragma once

#include <stdint.h>

struct dev;
struct err;
struct hotplug;
struct pci_bus;
struct power;
struct vm;

/* Three registers of 32 bits, a bit per slot: came (forgets when read), shall go (likewise), eject (written). */
#define HOTPLUG_PORT 0x620

/**
 * hotplug_add() - make the ports
 * @gone: called with the lock when a device that was asked to go has gone: @id is its name
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int hotplug_add(struct vm *vm, struct pci_bus *bus, struct power *power, void (*gone)(void *arg, const char *id),
		void *arg, struct hotplug **ret, struct err *err);

/** hotplug_came() - tell the guest of a device that was added */
void hotplug_came(struct hotplug *h, const struct dev *d);

/**
 * hotplug_remove() - ask the guest to let go of a device; a reset takes it away in any case
 * Return: 0; -ENODEV it is not on the bus.
 */
int hotplug_remove(struct hotplug *h, const struct dev *d);
