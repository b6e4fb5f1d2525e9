/* SPDX-License-Identifier: MIT */
/*
 * MSI-X: interrupts as writes to memory, with a table of them in a device's range of addresses.
 * Spec: PCI Express Base 6.0, 7.7.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_dev;

#define MSIX_VECTORS_MAX 64
#define MSIX_ENTRY_SIZE 16 /* bytes of a vector in the table */

/** struct msix_entry - where the interrupt goes; @control: bit 0 masks it */
struct msix_entry {
	uint64_t addr;
	uint32_t data, control;
};

/**
 * struct msix - vectors of a device
 * @cap: offset of the capability
 * @pending: bit per vector that came while it was masked
 */
struct msix {
	struct pci_dev *dev;
	uint8_t cap;
	unsigned nr;
	struct msix_entry entry[MSIX_VECTORS_MAX];
	uint64_t pending;
};

/**
 * msix_init() - add the capability
 * @nr: vectors, 1 to MSIX_VECTORS_MAX
 * @bar, @table, @pba: where the table and the pending bits are
 */
void msix_init(struct msix *m, struct pci_dev *dev, unsigned nr, unsigned bar, uint32_t table, uint32_t pba);

/** msix_reset() - as after power-on: everything masked */
void msix_reset(struct msix *m);

/** msix_enabled() - the guest uses these interrupts */
bool msix_enabled(const struct msix *m);

/** msix_notify() - raise a vector; one that does not exist is ignored */
void msix_notify(struct msix *m, unsigned vector);

/** msix_config_written() - configuration space changed: what was masked may go out */
void msix_config_written(struct msix *m);

/** msix_table_read() - of @size bytes at @offset of the table */
uint64_t msix_table_read(const struct msix *m, uint64_t offset, unsigned size);

/** msix_table_write() - likewise */
void msix_table_write(struct msix *m, uint64_t offset, unsigned size, uint64_t value);

/** msix_pba_read() - pending bits */
uint64_t msix_pba_read(const struct msix *m, uint64_t offset, unsigned size);
