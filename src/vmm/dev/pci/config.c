/* SPDX-License-Identifier: MIT */
/**
 * DOC: configuration space of a device
 *
 * Bytes with a mask of those bits that the guest may change.  A range of addresses (BAR) answers while
 * memory accesses are enabled and it lies in a window of the bus; a guest that puts it elsewhere, or on
 * top of another, reads ones there.
 */
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"

#define COMMAND 0x04
#define COMMAND_MEMORY 2u
#define COMMAND_BITS 0x0406u /* memory, bus master, interrupt disable */
#define STATUS 0x06
#define STATUS_CAPS 0x10u
#define BAR0 0x10
#define CAPS 0x34
#define CAPS_START 0x40
#define INTERRUPT_LINE 0x3C
#define BAR_64 4u

void pci_dev_init(struct pci_dev *ret, struct vm *vm, const struct pci_id *id,
		  const struct pci_dev_ops *ops, void *arg)
{
	uint8_t *c = ret->config;

	ret->vm = vm;
	ret->ops = ops;
	ret->arg = arg;
	ret->caps_end = CAPS_START;
	put_le16(c + PCI_VENDOR, id->vendor);
	put_le16(c + PCI_DEVICE, id->device);
	put_le32(c + PCI_REVISION, id->class << 8 | id->revision);
	put_le16(c + PCI_SUBSYSTEM_VENDOR, id->subsystem_vendor);
	put_le16(c + PCI_SUBSYSTEM, id->subsystem);
	put_le16(ret->writable + COMMAND, COMMAND_BITS);
	ret->writable[INTERRUPT_LINE] = 0xFF;
}

void pci_dev_bar(struct pci_dev *d, unsigned index, uint64_t size, const struct bus_ops *ops)
{
	d->bar[index] = (struct pci_bar) { .size = size, .ops = ops };
	d->config[BAR0 + index * 4] = BAR_64;
	put_le64(d->writable + BAR0 + index * 4, ~(size - 1));
}

uint8_t pci_dev_cap(struct pci_dev *d, uint8_t id, const void *body, unsigned len)
{
	uint8_t at = (d->caps_end + 3) & 0xFC;

	d->config[at] = id;
	memcpy(d->config + at + 2, body, len);
	d->config[d->caps != 0 ? d->caps + 1 : CAPS] = at;
	put_le16(d->config + STATUS, STATUS_CAPS);
	d->caps = at;
	d->caps_end = (uint8_t) (at + 2 + len);
	return at;
}

static bool in_window(const struct pci_dev *d, uint64_t at, uint64_t size)
{
	uint64_t high = pci_window64(d->vm);

	return (at >= PCI_WINDOW_BASE && at <= PCI_WINDOW_LAST && size <= PCI_WINDOW_LAST + 1 - at) ||
	       (at >= high && at - high < PCI_WINDOW64_SIZE && size <= PCI_WINDOW64_SIZE - (at - high));
}

static void place_bar(struct pci_dev *d, unsigned index, bool enabled)
{
	struct pci_bar *b = &d->bar[index];
	uint64_t at = get_le64(d->config + BAR0 + index * 4) & ~15ull, old = b->at;

	if (!enabled || !in_window(d, at, b->size))
		at = 0;
	if (at == old)
		return;
	if (old != 0)
		bus_remove(&d->vm->mmio, old, d->arg);
	b->at = at != 0 && bus_add(&d->vm->mmio, at, b->size, b->ops, d->arg) == 0 ? at : 0;
	if (d->ops->bar_moved != NULL)
		d->ops->bar_moved(d, index, old);
}

static void place_bars(struct pci_dev *d, bool enabled)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		if (d->bar[i].size != 0)
			place_bar(d, i, enabled);
}

void pci_dev_reset(struct pci_dev *d)
{
	place_bars(d, false);
	memcpy(d->config, d->initial, sizeof(d->config));
}

uint32_t pci_config_read(struct pci_dev *d, unsigned offset, unsigned size)
{
	uint32_t v = 0;

	if (offset + size > PCI_CONFIG_SIZE)
		return 0; /* no extended capabilities */
	if (d->ops->config_read != NULL)
		d->ops->config_read(d, offset, size);
	memcpy(&v, d->config + offset, size);
	return v;
}

void pci_config_write(struct pci_dev *d, unsigned offset, unsigned size, uint32_t value)
{
	if (offset + size > PCI_CONFIG_SIZE)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = d->writable[offset + i], v = (uint8_t) (value >> i * 8);

		d->config[offset + i] = (uint8_t) ((d->config[offset + i] & ~mask) | (v & mask));
	}
	if (offset < BAR0 + PCI_BARS * 4 && offset + size > COMMAND)
		place_bars(d, get_le16(d->config + COMMAND) & COMMAND_MEMORY);
	if (d->ops->config_written != NULL)
		d->ops->config_written(d, offset, size);
}
