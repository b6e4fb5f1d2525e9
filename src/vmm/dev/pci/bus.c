/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"

#define SLOT_SHIFT 15 /* eight functions of 4 KiB; devices have one */
#define GIB (1ull << 30)

/**
 * struct pci_bus - the root bus
 * @bridge: the host bridge, which other systems expect in slot 0
 * @next64: first free address of the window for large devices
 */
struct pci_bus {
	struct dev dev;
	struct vm *vm;
	struct pci_dev bridge;
	struct pci_dev *slot[PCI_SLOTS];
	uint64_t next64;
};

uint64_t pci_window64(const struct vm *vm)
{
	uint64_t end = gmem_end(&vm->mem);

	return end < GMEM_HIGH_BASE ? GMEM_HIGH_BASE : (end + GIB - 1) & ~(GIB - 1);
}

/* The device that an offset of ECAM belongs to, NULL for none; @offset becomes that in its space. */
static struct pci_dev *device_at(const struct pci_bus *b, uint64_t *offset, unsigned size)
{
	struct pci_dev *d = b->slot[*offset >> SLOT_SHIFT & (PCI_SLOTS - 1)];

	if (size > 4 || (*offset & (size - 1)) != 0 || (*offset >> 12 & 7) != 0)
		return NULL;
	*offset &= 0xFFF;
	return d;
}

static uint64_t ecam_read(void *dev, uint64_t offset, unsigned size)
{
	struct pci_dev *d = device_at(dev, &offset, size);

	return d != NULL ? pci_config_read(d, (unsigned) offset, size) : UINT64_MAX;
}

static void ecam_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_dev *d = device_at(dev, &offset, size);

	if (d != NULL)
		pci_config_write(d, (unsigned) offset, size, (uint32_t) value);
}

static const struct bus_ops ecam_ops = { .read = ecam_read, .write = ecam_write };

/* The first free addresses below 4 GiB: devices that were removed leave gaps.  Behind the window if it is full. */
static uint64_t find_low(const struct pci_bus *b, uint64_t size)
{
	uint64_t at = PCI_WINDOW_BASE;
	bool moved = true;

	while (moved) {
		moved = false;
		for (unsigned i = 0; i < PCI_SLOTS * PCI_BARS; i++) {
			const struct pci_dev *d = b->slot[i / PCI_BARS];
			unsigned k = i % PCI_BARS;
			uint64_t base = d != NULL && d->bar[k].size != 0 ? get_le64(d->initial + 0x10 + k * 4) & ~15ull : 0;

			if (base == 0 || at + size <= base || base + d->bar[k].size <= at)
				continue;
			at = (base + d->bar[k].size + size - 1) & ~(size - 1);
			moved = true;
		}
	}
	return at;
}

/* Addresses for one range: small ones below 4 GiB, where every system finds them. */
static int assign(struct pci_bus *b, struct pci_dev *d, unsigned index)
{
	uint64_t size = d->bar[index].size;
	uint64_t at = size < GIB / 4 ? find_low(b, size) : 0, at64 = (b->next64 + size - 1) & ~(size - 1);

	if (size >= GIB / 4 || at + size > PCI_WINDOW_LAST + 1) {
		if (size > PCI_WINDOW64_SIZE || at64 + size > pci_window64(b->vm) + PCI_WINDOW64_SIZE)
			return -ENOSPC;
		at = at64;
		b->next64 = at + size;
	}
	put_le64(d->config + 0x10 + index * 4, at | (d->config[0x10 + index * 4] & 15));
	return 0;
}

int pci_window64_take(struct pci_bus *bus, uint64_t size, uint64_t *ret)
{
	uint64_t at = (bus->next64 + GMEM_ALIGN - 1) & ~(GMEM_ALIGN - 1);

	if (size > PCI_WINDOW64_SIZE || at + size > pci_window64(bus->vm) + PCI_WINDOW64_SIZE)
		return -ENOSPC;
	bus->next64 = at + size;
	*ret = at;
	return 0;
}

int pci_dev_plug(struct pci_bus *bus, struct pci_dev *d)
{
	int r = 0;

	for (unsigned i = 0; i < PCI_BARS && r == 0; i++)
		if (d->bar[i].size != 0)
			r = assign(bus, d, i);
	for (unsigned i = 0; i < PCI_SLOTS && r == 0; i++)
		if (bus->slot[i] == NULL) {
			bus->slot[i] = d;
			d->bus = bus;
			d->slot = i;
			memcpy(d->initial, d->config, sizeof(d->config));
			return 0;
		}
	return r < 0 ? r : -ENOSPC;
}

int pci_slot_of(const struct pci_bus *bus, const struct dev *owner)
{
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (bus->slot[i] != NULL && bus->slot[i]->owner == owner)
			return (int) i;
	return -ENODEV;
}

const struct pci_dev *pci_dev_at(const struct pci_bus *bus, unsigned slot)
{
	return slot < PCI_SLOTS ? bus->slot[slot] : NULL;
}

struct dev *pci_owner_of(const struct pci_bus *bus, unsigned slot)
{
	const struct pci_dev *d = pci_dev_at(bus, slot);

	return d != NULL ? d->owner : NULL;
}

void pci_dev_unplug(struct pci_dev *d)
{
	if (d->bus == NULL)
		return;
	pci_dev_reset(d);
	d->bus->slot[d->slot] = NULL;
	d->bus = NULL;
}

static void bus_reset(struct dev *dev)
{
	struct pci_bus *b = (struct pci_bus *) dev;

	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (b->slot[i] != NULL)
			pci_dev_reset(b->slot[i]);
}

static void bus_free(struct vm *vm, struct dev *dev)
{
	bus_remove(&vm->mmio, PCI_ECAM_BASE, dev);
	free(dev);
}

static const struct dev_ops bus_dev_ops = { .name = "pci", .reset = bus_reset, .free = bus_free };

int pci_bus_add(struct vm *vm, struct pci_bus **ret, struct err *err)
{
	static const struct pci_id id = { .vendor = 0x8086, .device = 0x29C0, .class = 0x060000 };
	static const struct pci_dev_ops no_ops;
	struct pci_bus *b = calloc(1, sizeof(*b));
	int r;

	if (b == NULL)
		return err_set(err, -ENOMEM, "make PCI bus");
	b->vm = vm;
	b->next64 = pci_window64(vm);
	dev_add(vm, &b->dev, &bus_dev_ops);
	pci_dev_init(&b->bridge, vm, &id, &no_ops, NULL);
	r = pci_dev_plug(b, &b->bridge);
	if (r == 0)
		r = bus_add(&vm->mmio, PCI_ECAM_BASE, PCI_ECAM_SIZE, &ecam_ops, b);
	if (r < 0)
		return err_set(err, r, "give addresses to the PCI bus");
	*ret = b;
	return 0;
}
