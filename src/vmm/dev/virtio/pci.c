/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio over PCI, modern interface
 *
 * One range of addresses holds everything: common configuration, interrupt status, the device's own
 * configuration, a word per ring that is written to notify, and the table of MSI-X.
 * Spec: virtio 1.2, 4.1.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/msix.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/virtio.h"

#define BAR 0
#define BAR_SIZE 0x8000u
#define AT_COMMON 0x0000u
#define AT_ISR 0x1000u
#define AT_DEVICE 0x2000u
#define AT_NOTIFY 0x3000u
#define AT_TABLE 0x4000u
#define AT_PENDING 0x5000u
#define PART 0x1000u /* bytes of each */
#define NOTIFY_STEP 4u /* bytes of a ring's word */

#define CAP_VENDOR 9
enum { CFG_COMMON = 1, CFG_NOTIFY, CFG_ISR, CFG_DEVICE, CFG_PCI };

#define ISR_QUEUE 1u
#define ISR_CONFIG 2u
#define NO_VECTOR 0xFFFFu

/* Offsets of the common configuration. */
enum {
	COMMON_DFSELECT = 0x00,
	COMMON_DF = 0x04,
	COMMON_GFSELECT = 0x08,
	COMMON_GF = 0x0C,
	COMMON_MSIX = 0x10,
	COMMON_NUMQ = 0x12,
	COMMON_STATUS = 0x14,
	COMMON_GENERATION = 0x15,
	COMMON_Q_SELECT = 0x16,
	COMMON_Q_SIZE = 0x18,
	COMMON_Q_MSIX = 0x1A,
	COMMON_Q_ENABLE = 0x1C,
	COMMON_Q_NOTIFY = 0x1E,
	COMMON_Q_DESC = 0x20,
	COMMON_Q_DRIVER = 0x28,
	COMMON_Q_DEVICE = 0x30,
	COMMON_Q_DATA = 0x38,
	COMMON_LEN = 0x3C,
};

/**
 * struct vio_pci - a virtio device on the PCI bus
 * @window: offset in configuration space of the capability that reaches the range without mapping it
 */
struct vio_pci {
	struct dev dev;
	struct vm *vm;
	struct pci_dev pci;
	struct msix msix;
	struct vio_dev *vio;
	uint32_t feature_select, driver_select;
	uint16_t config_vector, queue_select;
	uint8_t isr, generation, window;
};

static struct vio_queue *selected(struct vio_pci *p)
{
	return p->queue_select < p->vio->nr_queues ? &p->vio->queue[p->queue_select] : NULL;
}

static void interrupt(void *arg, uint16_t vector)
{
	struct vio_pci *p = arg;

	p->isr |= ISR_QUEUE;
	if (vector != NO_VECTOR)
		msix_notify(&p->msix, vector);
}

static void config_changed(void *arg)
{
	struct vio_pci *p = arg;

	p->generation++;
	p->isr |= ISR_CONFIG;
	if (p->config_vector != NO_VECTOR)
		msix_notify(&p->msix, p->config_vector);
}

static const struct vio_transport pci_transport = { .interrupt = interrupt, .config_changed = config_changed };

static uint64_t queue_read(struct vio_pci *p, unsigned offset)
{
	const struct vio_queue *q = selected(p);

	if (q == NULL)
		return 0;
	switch (offset) {
	case COMMON_Q_SIZE:
		return q->vq.size;
	case COMMON_Q_MSIX:
		return q->vector;
	case COMMON_Q_ENABLE:
		return q->vq.enabled;
	case COMMON_Q_NOTIFY:
	case COMMON_Q_DATA:
		return p->queue_select;
	case COMMON_Q_DESC:
		return q->vq.desc_gpa;
	case COMMON_Q_DRIVER:
		return q->vq.driver_gpa;
	case COMMON_Q_DEVICE:
		return q->vq.device_gpa;
	case COMMON_Q_DESC + 4:
		return q->vq.desc_gpa >> 32;
	case COMMON_Q_DRIVER + 4:
		return q->vq.driver_gpa >> 32;
	case COMMON_Q_DEVICE + 4:
		return q->vq.device_gpa >> 32;
	default:
		return 0;
	}
}

static uint64_t common_read(struct vio_pci *p, unsigned offset)
{
	switch (offset) {
	case COMMON_DFSELECT:
		return p->feature_select;
	case COMMON_DF:
		return p->feature_select < 2 ? p->vio->offered >> p->feature_select * 32 : 0;
	case COMMON_GFSELECT:
		return p->driver_select;
	case COMMON_GF:
		return p->driver_select < 2 ? p->vio->features >> p->driver_select * 32 : 0;
	case COMMON_MSIX:
		return p->config_vector;
	case COMMON_NUMQ:
		return p->vio->nr_queues;
	case COMMON_STATUS:
		return p->vio->status;
	case COMMON_GENERATION:
		return p->generation;
	case COMMON_Q_SELECT:
		return p->queue_select;
	default:
		return queue_read(p, offset);
	}
}

static uint16_t vector_or_none(const struct vio_pci *p, uint64_t value)
{
	return value < p->msix.nr ? (uint16_t) value : NO_VECTOR;
}

/* Half of an address, or all of it. */
static void set_address(uint64_t *field, unsigned half, unsigned size, uint64_t value)
{
	if (size == 8)
		*field = value;
	else if (half == 0)
		*field = (*field & ~0xFFFFFFFFull) | value;
	else
		*field = (*field & 0xFFFFFFFFull) | value << 32;
}

/* A ring cannot be changed once it is enabled. */
static void queue_write(struct vio_pci *p, unsigned offset, unsigned size, uint64_t value)
{
	struct vio_queue *q = selected(p);

	if (q == NULL)
		return;
	if (offset == COMMON_Q_MSIX)
		q->vector = vector_or_none(p, value);
	if (q->vq.enabled)
		return;
	switch (offset) {
	case COMMON_Q_SIZE:
		q->vq.size = (uint16_t) value;
		break;
	case COMMON_Q_ENABLE:
		q->vq.enabled = value == 1 && !p->vio->started;
		break;
	case COMMON_Q_DESC:
	case COMMON_Q_DESC + 4:
		set_address(&q->vq.desc_gpa, offset & 4, size, value);
		break;
	case COMMON_Q_DRIVER:
	case COMMON_Q_DRIVER + 4:
		set_address(&q->vq.driver_gpa, offset & 4, size, value);
		break;
	case COMMON_Q_DEVICE:
	case COMMON_Q_DEVICE + 4:
		set_address(&q->vq.device_gpa, offset & 4, size, value);
		break;
	default:
		break;
	}
}

static void write_features(struct vio_pci *p, uint64_t value)
{
	unsigned shift = p->driver_select * 32;

	if (p->driver_select < 2 && !(p->vio->status & VIO_STATUS_FEATURES_OK) && !p->vio->started)
		p->vio->features = (p->vio->features & ~(0xFFFFFFFFull << shift)) | (value & 0xFFFFFFFF) << shift;
}

static void write_status(struct vio_pci *p, uint8_t value)
{
	vio_set_status(p->vio, value);
	if (value == 0) {
		p->config_vector = NO_VECTOR;
		p->isr = 0;
	}
}

static void common_write(struct vio_pci *p, unsigned offset, unsigned size, uint64_t value)
{
	switch (offset) {
	case COMMON_DFSELECT:
		p->feature_select = (uint32_t) value;
		break;
	case COMMON_GFSELECT:
		p->driver_select = (uint32_t) value;
		break;
	case COMMON_GF:
		write_features(p, value);
		break;
	case COMMON_MSIX:
		p->config_vector = vector_or_none(p, value);
		break;
	case COMMON_STATUS:
		write_status(p, (uint8_t) value);
		break;
	case COMMON_Q_SELECT:
		p->queue_select = (uint16_t) value;
		break;
	default:
		queue_write(p, offset, size, value);
		break;
	}
}

static uint64_t device_read(struct vio_pci *p, unsigned offset, unsigned size)
{
	uint64_t v = 0;

	if (offset >= p->vio->config_len || size > p->vio->config_len - offset)
		return 0;
	if (p->vio->ops->config_read != NULL)
		p->vio->ops->config_read(p->vio);
	memcpy(&v, p->vio->config + offset, size);
	return v;
}

static void device_write(struct vio_pci *p, unsigned offset, unsigned size, uint64_t value)
{
	const struct vio_dev *d = p->vio;

	if (offset < d->config_writable_at || offset + size > d->config_writable_at + d->config_writable_len)
		return;
	memcpy(p->vio->config + offset, &value, size);
	if (d->ops->config_written != NULL)
		d->ops->config_written(p->vio, offset, size);
}

static uint64_t bar_read(void *arg, uint64_t offset, unsigned size)
{
	struct vio_pci *p = arg;
	unsigned at = offset & (PART - 1);
	uint64_t v = 0;

	switch (offset & ~(uint64_t) (PART - 1)) {
	case AT_COMMON:
		return at < COMMON_LEN ? common_read(p, at) : 0;
	case AT_ISR:
		if (at == 0) {
			v = p->isr;
			p->isr = 0;
		}
		return v;
	case AT_DEVICE:
		return device_read(p, at, size);
	case AT_TABLE:
		return msix_table_read(&p->msix, at, size);
	case AT_PENDING:
		return msix_pba_read(&p->msix, at, size);
	default:
		return 0;
	}
}

static void bar_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	struct vio_pci *p = arg;
	unsigned at = offset & (PART - 1);

	switch (offset & ~(uint64_t) (PART - 1)) {
	case AT_COMMON:
		common_write(p, at, size, value);
		break;
	case AT_DEVICE:
		device_write(p, at, size, value);
		break;
	case AT_NOTIFY:
		if (at / NOTIFY_STEP < p->vio->nr_queues)
			vio_again(p->vio, at / NOTIFY_STEP);
		break;
	case AT_TABLE:
		msix_table_write(&p->msix, at, size, value);
		break;
	default:
		break;
	}
}

static const struct bus_ops bar_ops = { .read = bar_read, .write = bar_write };

/* Where the words to notify are, there are no exits: the accelerator writes to eventfds. */
static void bar_moved(struct pci_dev *d, unsigned index, uint64_t old)
{
	struct vio_pci *p = d->arg;
	struct accel *a = p->vm->accel;

	(void) index;
	if (a == NULL)
		return;
	for (unsigned i = 0; i < p->vio->nr_queues; i++) {
		uint64_t at = AT_NOTIFY + i * NOTIFY_STEP;

		if (old != 0)
			a->ops->notify_remove(a, old + at, p->vio->queue[i].kick);
		if (d->bar[BAR].at != 0)
			(void) a->ops->notify_add(a, d->bar[BAR].at + at, p->vio->queue[i].kick); /* else it exits */
	}
}

/* The capability that reaches the range: bar, offset and length are the guest's, data follows. */
static bool window_at(struct vio_pci *p, unsigned offset, unsigned size, uint32_t *at, uint32_t *len)
{
	const uint8_t *cap = p->pci.config + p->window;

	if (offset != p->window + 16u || size > 4)
		return false;
	*at = get_le32(cap + 8);
	*len = get_le32(cap + 12);
	return cap[4] == BAR && (*len == 1 || *len == 2 || *len == 4) && *at % *len == 0 && *at <= BAR_SIZE - *len;
}

static void config_read(struct pci_dev *d, unsigned offset, unsigned size)
{
	struct vio_pci *p = d->arg;
	uint32_t at, len;

	if (window_at(p, offset, size, &at, &len))
		put_le32(d->config + offset, (uint32_t) bar_read(p, at, len));
}

static void config_written(struct pci_dev *d, unsigned offset, unsigned size)
{
	struct vio_pci *p = d->arg;
	uint32_t at, len;

	msix_config_written(&p->msix);
	if (window_at(p, offset, size, &at, &len))
		bar_write(p, at, len, get_le32(d->config + offset) & (len == 4 ? UINT32_MAX : (1u << len * 8) - 1));
}

static const struct pci_dev_ops pci_ops = { .config_read = config_read, .config_written = config_written,
					    .bar_moved = bar_moved };

static uint8_t add_cap(struct vio_pci *p, uint8_t type, uint32_t at, uint32_t len, uint32_t extra, bool has_extra)
{
	uint8_t body[18] = { 0 };
	uint8_t size = has_extra ? 18 : 14;

	body[0] = (uint8_t) (size + 2);
	body[1] = type;
	body[2] = BAR;
	put_le32(body + 6, at);
	put_le32(body + 10, len);
	put_le32(body + 14, extra);
	return pci_dev_cap(&p->pci, CAP_VENDOR, body, size);
}

static void vio_pci_reset(struct dev *dev)
{
	struct vio_pci *p = (struct vio_pci *) dev;

	write_status(p, 0);
	msix_reset(&p->msix);
	p->feature_select = p->driver_select = 0;
	p->queue_select = 0;
}

static void reserve_kicks(const struct vio_pci *p)
{
	struct accel *a = p->vm->accel;

	for (unsigned i = 0; a != NULL && a->ops->notify_reserve != NULL && i < p->vio->nr_queues; i++)
		a->ops->notify_reserve(a, p->vio->queue[i].kick);
}

static void forget_kicks(const struct vio_pci *p)
{
	struct accel *a = p->vm->accel;

	for (unsigned i = 0; a != NULL && a->ops->notify_forget != NULL && i < p->vio->nr_queues; i++)
		a->ops->notify_forget(a, p->vio->queue[i].kick);
}

static void vio_pci_free(struct vm *vm, struct dev *dev)
{
	struct vio_pci *p = (struct vio_pci *) dev;
	struct vio_dev *v = p->vio;

	(void) vm;
	pci_dev_unplug(&p->pci);
	forget_kicks(p);
	vio_set_status(v, 0);
	vio_fini(v);
	v->ops->free(v);
	free(p);
}

static const struct dev_ops vio_pci_dev_ops = { .name = "virtio-pci", .reset = vio_pci_reset,
						.free = vio_pci_free };

struct vio_dev *vio_of(const struct dev *d)
{
	return d != NULL && d->ops == &vio_pci_dev_ops ? ((const struct vio_pci *) d)->vio : NULL;
}

int vio_pci_add(struct vm *vm, struct pci_bus *bus, struct vio_dev *d, struct err *err)
{
	struct pci_id id = { .vendor = 0x1AF4, .device = (uint16_t) (0x1040 + d->ops->id),
			     .subsystem_vendor = 0x1AF4, .subsystem = (uint16_t) (0x40 + d->ops->id),
			     .class = d->ops->class, .revision = 1 };
	struct vio_pci *p = calloc(1, sizeof(*p));
	unsigned vectors = d->nr_queues + 1;
	int r;

	if (p == NULL) {
		vio_fini(d);
		d->ops->free(d);
		return err_set(err, -ENOMEM, "%s: put it on the bus", d->ops->name);
	}
	p->vm = vm;
	p->vio = d;
	p->pci.owner = &p->dev;
	d->transport = &pci_transport;
	d->transport_arg = p;
	pci_dev_init(&p->pci, vm, &id, &pci_ops, p);
	pci_dev_bar(&p->pci, BAR, BAR_SIZE, &bar_ops);
	(void) add_cap(p, CFG_COMMON, AT_COMMON, COMMON_LEN, 0, false);
	(void) add_cap(p, CFG_NOTIFY, AT_NOTIFY, VIO_QUEUES_MAX * NOTIFY_STEP, NOTIFY_STEP, true);
	(void) add_cap(p, CFG_ISR, AT_ISR, 1, 0, false);
	if (d->config_len > 0)
		(void) add_cap(p, CFG_DEVICE, AT_DEVICE, d->config_len, 0, false);
	p->window = add_cap(p, CFG_PCI, 0, 0, 0, true);
	memset(p->pci.writable + p->window + 4, 0xFF, 1);
	memset(p->pci.writable + p->window + 8, 0xFF, 12);
	msix_init(&p->msix, &p->pci, vectors, BAR, AT_TABLE, AT_PENDING);
	reserve_kicks(p);
	dev_add(vm, &p->dev, &vio_pci_dev_ops);
	vio_pci_reset(&p->dev);
	r = pci_dev_plug(bus, &p->pci);
	return r < 0 ? err_set(err, r, "%s: no place on the PCI bus", d->ops->name) : 0;
}
