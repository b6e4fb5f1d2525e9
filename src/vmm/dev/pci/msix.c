/* SPDX-License-Identifier: MIT */
#include "vmm/dev/pci/msix.h"

#include <string.h>

#include "vmm/accel/accel.h"
#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"

#define CAP_ID 0x11
#define CONTROL 2 /* offset in the capability */
#define CONTROL_ENABLE 0x8000u
#define CONTROL_MASK_ALL 0x4000u
#define ENTRY_MASKED 1u

void msix_init(struct msix *m, struct pci_dev *dev, unsigned nr, unsigned bar, uint32_t table, uint32_t pba)
{
	uint8_t body[10];

	m->dev = dev;
	m->nr = nr;
	put_le16(body, (uint16_t) (nr - 1));
	put_le32(body + 2, table | bar);
	put_le32(body + 6, pba | bar);
	m->cap = pci_dev_cap(dev, CAP_ID, body, sizeof(body));
	put_le16(dev->writable + m->cap + CONTROL, CONTROL_ENABLE | CONTROL_MASK_ALL);
	msix_reset(m);
}

void msix_reset(struct msix *m)
{
	uint8_t *control = m->dev->config + m->cap + CONTROL;

	memset(m->entry, 0, sizeof(m->entry));
	for (unsigned i = 0; i < m->nr; i++)
		m->entry[i].control = ENTRY_MASKED;
	m->pending = 0;
	put_le16(control, get_le16(control) & (uint16_t) ~(CONTROL_ENABLE | CONTROL_MASK_ALL));
}

static uint16_t control_of(const struct msix *m)
{
	return get_le16(m->dev->config + m->cap + CONTROL);
}

bool msix_enabled(const struct msix *m)
{
	return control_of(m) & CONTROL_ENABLE;
}

void msix_notify(struct msix *m, unsigned vector)
{
	const struct msix_entry *e;

	if (vector >= m->nr || !msix_enabled(m))
		return;
	e = &m->entry[vector];
	if ((control_of(m) & CONTROL_MASK_ALL) || (e->control & ENTRY_MASKED)) {
		m->pending |= 1ull << vector;
		return;
	}
	m->pending &= ~(1ull << vector);
	accel_msi(m->dev->vm->accel, e->addr, e->data);
}

static void send_pending(struct msix *m)
{
	for (unsigned i = 0; i < m->nr && m->pending != 0; i++)
		if (m->pending & 1ull << i)
			msix_notify(m, i);
}

void msix_config_written(struct msix *m)
{
	send_pending(m);
}

/* Which 32 bits of the table an offset means, NULL behind its end. */
static const uint32_t *word_of(const struct msix *m, uint64_t offset, uint32_t *buf)
{
	const struct msix_entry *e;

	if (offset / MSIX_ENTRY_SIZE >= m->nr)
		return NULL;
	e = &m->entry[offset / MSIX_ENTRY_SIZE];
	switch (offset % MSIX_ENTRY_SIZE / 4) {
	case 0:
		*buf = (uint32_t) e->addr;
		break;
	case 1:
		*buf = (uint32_t) (e->addr >> 32);
		break;
	case 2:
		*buf = e->data;
		break;
	default:
		*buf = e->control;
		break;
	}
	return buf;
}

uint64_t msix_table_read(const struct msix *m, uint64_t offset, unsigned size)
{
	uint32_t low, high = 0;

	if ((size != 4 && size != 8) || offset % size != 0 || word_of(m, offset, &low) == NULL)
		return UINT64_MAX;
	if (size == 8)
		(void) word_of(m, offset + 4, &high); /* of the same entry */
	return (uint64_t) high << 32 | low;
}

static void write_word(struct msix_entry *e, unsigned word, uint32_t v)
{
	switch (word) {
	case 0:
		e->addr = (e->addr & ~0xFFFFFFFFull) | (v & ~3u);
		break;
	case 1:
		e->addr = (e->addr & 0xFFFFFFFFull) | (uint64_t) v << 32;
		break;
	case 2:
		e->data = v;
		break;
	default:
		e->control = v & ENTRY_MASKED;
		break;
	}
}

void msix_table_write(struct msix *m, uint64_t offset, unsigned size, uint64_t value)
{
	struct msix_entry *e;

	if ((size != 4 && size != 8) || offset % size != 0 || offset / MSIX_ENTRY_SIZE >= m->nr)
		return;
	e = &m->entry[offset / MSIX_ENTRY_SIZE];
	write_word(e, offset % MSIX_ENTRY_SIZE / 4, (uint32_t) value);
	if (size == 8)
		write_word(e, offset % MSIX_ENTRY_SIZE / 4 + 1, (uint32_t) (value >> 32));
	send_pending(m);
}

uint64_t msix_pba_read(const struct msix *m, uint64_t offset, unsigned size)
{
	if (offset >= 8 || offset + size > 8)
		return 0;
	return m->pending >> offset * 8;
}
