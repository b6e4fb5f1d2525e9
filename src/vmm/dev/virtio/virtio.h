/* SPDX-License-Identifier: MIT */
/*
 * A virtio device, whatever bus it is on.
 * Spec: virtio 1.2, chapters 2 and 3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/loop.h"
#include "vmm/dev/virtio/queue.h"

struct dev;
struct err;
struct pci_bus;
struct vm;

#define VIO_QUEUES_MAX 34 /* rings of one device */
#define VIO_CONFIG_MAX 512 /* bytes of configuration */
#define VIO_BUDGET 256 /* buffers that are taken in one go, so that no guest keeps the event loop */

#define VIO_F_INDIRECT (1ull << 28)
#define VIO_F_EVENT_IDX (1ull << 29)
#define VIO_F_VERSION_1 (1ull << 32)
#define VIO_F_PACKED (1ull << 34)

struct vio_dev;

/**
 * struct vio_ops - what a kind of device does; all with the machine's lock held
 * @name: for people; @nick: what a device is called, a number follows
 * @removable: it may go while the machine runs
 * @id: number of the kind
 * @class: PCI class
 * @config_read: about to be read; may be NULL
 * @config_written: @size bytes of config at @offset were written; may be NULL
 * @start: features are negotiated, rings are ready; may be NULL.  -errno: the device needs a reset
 * @stop: after a reset nothing of the guest is touched any more; requests under way are waited for.
 *        May be NULL
 * @notify: the guest put something into ring @q; on the event loop's thread.  -errno: it broke it
 * @free: release; stopped before
 */
struct vio_ops {
	const char *name, *nick;
	bool removable;
	uint16_t id;
	uint32_t class;
	void (*config_read)(struct vio_dev *d);
	void (*config_written)(struct vio_dev *d, unsigned offset, unsigned size);
	int (*start)(struct vio_dev *d);
	void (*stop)(struct vio_dev *d);
	int (*notify)(struct vio_dev *d, unsigned q);
	void (*free)(struct vio_dev *d);
};

/**
 * struct vio_queue - a ring and who is told of it
 * @kick: eventfd that the guest's notifications come to
 * @later: see vio_signal_later()
 * @notified, @returned, @signalled: how often the guest told us, buffers that it got back, how often it was told
 */
struct vio_queue {
	struct virtq vq;
	struct vio_dev *dev;
	struct loop_source source;
	struct loop_later later;
	int kick;
	uint16_t vector;
	uint64_t notified, returned, signalled;
};

/** struct vio_transport - how a device reaches its guest */
struct vio_transport {
	void (*interrupt)(void *arg, uint16_t vector);
	void (*config_changed)(void *arg);
};

/**
 * struct vio_dev - a device; first member of each
 * @offered, @features: features that there are, and that were negotiated
 * @config: its configuration, @config_len bytes; the guest may write @config_writable_len bytes from
 *          @config_writable_at on
 * @status: what the guest's driver says of itself
 * @started: the driver is ready
 */
struct vio_dev {
	const struct vio_ops *ops;
	struct vm *vm;
	uint64_t offered, features;
	uint8_t config[VIO_CONFIG_MAX];
	unsigned config_len, config_writable_at, config_writable_len;
	unsigned nr_queues;
	struct vio_queue queue[VIO_QUEUES_MAX];
	uint8_t status;
	bool started;
	const struct vio_transport *transport;
	void *transport_arg;
};

#define VIO_STATUS_ACKNOWLEDGE 1u
#define VIO_STATUS_DRIVER 2u
#define VIO_STATUS_DRIVER_OK 4u
#define VIO_STATUS_FEATURES_OK 8u
#define VIO_STATUS_NEEDS_RESET 0x40u
#define VIO_STATUS_FAILED 0x80u

/**
 * vio_init() - make the part that all devices have
 * @d: zero-initialised; release with vio_fini(), also after a failure
 * @features: of this kind of device; those of rings are added
 * Return: 0; -errno with a message.
 */
int vio_init(struct vio_dev *d, struct vm *vm, const struct vio_ops *ops, uint64_t features,
	     unsigned nr_queues, struct err *err);

/** vio_fini() - release that part */
void vio_fini(struct vio_dev *d);

/** vio_set_status() - the driver writes its status; 0 resets */
void vio_set_status(struct vio_dev *d, uint8_t status);

/** vio_notify() - the driver says that there is something in ring @q */
void vio_notify(struct vio_dev *d, unsigned q);

/** vio_broken() - the guest did something that cannot be: the device waits for a reset */
void vio_broken(struct vio_dev *d);

/** vio_signal() - tell the guest of buffers that were returned, if it wants to be told */
void vio_signal(struct vio_dev *d, unsigned q);

/** vio_config_changed() - tell the guest that the configuration is another */
void vio_config_changed(struct vio_dev *d);

/** vio_again() - let notify be called again soon: there was more than VIO_BUDGET */
void vio_again(struct vio_dev *d, unsigned q);

/** vio_pop() - vq_pop() of ring @q; after -EPROTO the device needs a reset, too */
int vio_pop(struct vio_dev *d, unsigned q, struct vq_chain *ret);

/** vio_push_all() - vq_push_all() of ring @q */
void vio_push_all(struct vio_dev *d, unsigned q, const struct vq_chain *chain, const uint32_t *written, unsigned n);

/** vio_push() - vq_push() of ring @q */
static inline void vio_push(struct vio_dev *d, unsigned q, const struct vq_chain *chain, uint32_t written)
{
	vio_push_all(d, q, chain, &written, 1);
}

/**
 * vio_each() - take all buffers of ring @q that are there
 * @one: called for each, which it returns with vio_push(), now or later; -errno breaks the ring
 *
 * Asks to be told of more, comes back by itself after VIO_BUDGET of them, and tells the guest.
 * Return: 0; -errno of the ring or of @one.
 */
int vio_each(struct vio_dev *d, unsigned q, int (*one)(struct vio_dev *d, unsigned q, struct vq_chain *chain));

/** vio_take() - the same, but who calls it tells the guest */
int vio_take(struct vio_dev *d, unsigned q, int (*one)(struct vio_dev *d, unsigned q, struct vq_chain *chain));

/**
 * vio_signal_later() - the same as vio_signal(), but up to LOOP_LATER_MS later
 * A driver that has looked by then by itself needs no interrupt.
 */
void vio_signal_later(struct vio_dev *d, unsigned q);

/** vio_of() - the virtio device that a device is; NULL it is something else, or NULL */
struct vio_dev *vio_of(const struct dev *d);

/**
 * vio_pci_add() - put a device on the PCI bus
 * @d: takes it, also after a failure: freed by vio_ops.free
 * Return: 0; -errno with a message.
 */
int vio_pci_add(struct vm *vm, struct pci_bus *bus, struct vio_dev *d, struct err *err);
