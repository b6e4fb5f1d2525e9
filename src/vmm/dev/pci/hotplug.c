/* SPDX-License-Identifier: MIT */
#include "vmm/dev/pci/hotplug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/legacy/power.h"
#include "vmm/dev/pci/pci.h"

enum { REG_CAME = 0, REG_GO = 4, REG_EJECT = 8, REG_LEN = 12 };

/** struct hotplug - @came, @go: slots that the guest is to be told of; @leaving: that it may eject */
struct hotplug {
	struct dev dev;
	struct vm *vm;
	struct pci_bus *bus;
	struct power *power;
	uint32_t came, go, leaving;
	void (*gone)(void *arg, const char *id);
	void *arg;
};

static uint64_t hotplug_read(void *dev, uint64_t offset, unsigned size)
{
	struct hotplug *h = dev;
	uint32_t *slots = offset == REG_CAME ? &h->came : &h->go, v = *slots;

	if (size != 4 || offset > REG_GO || offset % 4 != 0)
		return 0;
	*slots = 0;
	return v;
}

/* Devices that nobody asked to go stay, whatever the guest writes. */
static void eject(struct hotplug *h, uint32_t slots)
{
	slots &= h->leaving;
	h->leaving &= ~slots;
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		struct dev *d = slots & 1u << i ? pci_owner_of(h->bus, i) : NULL;
		char id[DEV_ID_MAX + 1];

		if (d == NULL)
			continue;
		memcpy(id, d->id, sizeof(id));
		dev_free(h->vm, d);
		h->gone(h->arg, id);
	}
}

static void hotplug_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	if (size == 4 && offset == REG_EJECT)
		eject(dev, (uint32_t) value);
}

static const struct bus_ops hotplug_bus = { .read = hotplug_read, .write = hotplug_write };

static void hotplug_reset(struct dev *dev)
{
	struct hotplug *h = (struct hotplug *) dev;

	h->came = h->go = 0;
	eject(h, UINT32_MAX);
}

static void hotplug_free(struct vm *vm, struct dev *dev)
{
	bus_remove(&vm->pio, HOTPLUG_PORT, dev);
	free(dev);
}

static const struct dev_ops hotplug_ops = { .name = "hotplug", .reset = hotplug_reset, .free = hotplug_free };

int hotplug_add(struct vm *vm, struct pci_bus *bus, struct power *power, void (*gone)(void *arg, const char *id),
		void *arg, struct hotplug **ret, struct err *err)
{
	struct hotplug *h = calloc(1, sizeof(*h));
	int r;

	if (h == NULL)
		return err_set(err, -ENOMEM, "make ports for devices that come and go");
	h->vm = vm;
	h->bus = bus;
	h->power = power;
	h->gone = gone;
	h->arg = arg;
	dev_add(vm, &h->dev, &hotplug_ops);
	r = bus_add(&vm->pio, HOTPLUG_PORT, REG_LEN, &hotplug_bus, h);
	if (r < 0)
		return err_set(err, r, "give ports to devices that come and go");
	*ret = h;
	return 0;
}

void hotplug_came(struct hotplug *h, const struct dev *d)
{
	int slot = pci_slot_of(h->bus, d);

	if (slot < 0)
		return;
	h->came |= 1u << slot;
	power_event(h->power, POWER_EVENT_PCI);
}

int hotplug_remove(struct hotplug *h, const struct dev *d)
{
	int slot = pci_slot_of(h->bus, d);

	if (slot < 0)
		return slot;
	h->go |= 1u << slot;
	h->leaving |= 1u << slot;
	power_event(h->power, POWER_EVENT_PCI);
	return 0;
}
