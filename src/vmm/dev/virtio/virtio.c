/* SPDX-License-Identifier: MIT */
#include "vmm/dev/virtio/virtio.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/trace.h"
#include "vmm/core/vm.h"

static void kick_ready(void *arg, uint32_t events)
{
	struct vio_queue *q = arg;
	uint64_t value;

	(void) events;
	if (read(q->kick, &value, sizeof(value)) == sizeof(value))
		vio_notify(q->dev, (unsigned) (q - q->dev->queue));
}

static void signal_now(void *arg)
{
	struct vio_queue *q = arg;

	vio_signal(q->dev, (unsigned) (q - q->dev->queue));
}

int vio_init(struct vio_dev *d, struct vm *vm, const struct vio_ops *ops, uint64_t features,
	     unsigned nr_queues, struct err *err)
{
	d->vm = vm;
	d->ops = ops;
	d->offered = features | VIO_F_VERSION_1 | VIO_F_INDIRECT | VIO_F_EVENT_IDX | VIO_F_PACKED;
	d->nr_queues = nr_queues;
	for (unsigned i = 0; i < VIO_QUEUES_MAX; i++)
		d->queue[i] = (struct vio_queue) { .dev = d, .kick = -1, .source.fd = -1, .vq.mem = &vm->mem,
						   .vq.size = VQ_SIZE_MAX };
	for (unsigned i = 0; i < nr_queues; i++) {
		struct vio_queue *q = &d->queue[i];
		int r;

		q->later = (struct loop_later) { .run = signal_now, .arg = q };
		q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->kick < 0)
			return err_set(err, -errno, "%s: make eventfd", ops->name);
		r = loop_add(vm->loop, &q->source, q->kick, EPOLLIN, kick_ready, q);
		if (r < 0)
			return err_set(err, r, "%s: watch eventfd", ops->name);
	}
	return 0;
}

void vio_fini(struct vio_dev *d)
{
	for (unsigned i = 0; i < d->nr_queues; i++) {
		loop_remove(d->vm->loop, &d->queue[i].source);
		loop_not_later(d->vm->loop, &d->queue[i].later);
		if (d->queue[i].kick >= 0)
			(void) close(d->queue[i].kick); /* what was not read does not matter */
	}
}

static void stop(struct vio_dev *d)
{
	if (d->started && d->ops->stop != NULL)
		d->ops->stop(d);
	d->started = false;
	for (unsigned i = 0; i < d->nr_queues; i++)
		vq_stop(&d->queue[i].vq);
}

static void reset(struct vio_dev *d)
{
	stop(d);
	d->status = 0;
	d->features = 0;
	for (unsigned i = 0; i < d->nr_queues; i++) {
		struct virtq *vq = &d->queue[i].vq;

		*vq = (struct virtq) { .mem = vq->mem, .size = VQ_SIZE_MAX };
		d->queue[i].vector = UINT16_MAX;
	}
}

static int start_queues(struct vio_dev *d)
{
	for (unsigned i = 0; i < d->nr_queues; i++) {
		struct virtq *vq = &d->queue[i].vq;
		int r;

		if (!vq->enabled)
			continue;
		vq->packed = d->features & VIO_F_PACKED;
		vq->event_idx = d->features & VIO_F_EVENT_IDX;
		r = vq_start(vq);
		if (r < 0)
			return r;
	}
	return 0;
}

static void start(struct vio_dev *d)
{
	int r = start_queues(d);

	d->started = true;
	if (r == 0 && d->ops->start != NULL)
		r = d->ops->start(d);
	if (r < 0) {
		vio_broken(d);
		return;
	}
	for (unsigned i = 0; i < d->nr_queues && !(d->status & VIO_STATUS_NEEDS_RESET); i++)
		vio_again(d, i); /* what came before the driver was ready */
}

void vio_set_status(struct vio_dev *d, uint8_t status)
{
	uint8_t before = d->status;

	TRACE(TRACE_VIRTIO_STATUS, "%s: %#x after %#x, features %#" PRIx64, d->ops->name, status, before, d->features);
	if (status == 0) {
		reset(d);
		return;
	}
	if ((status & VIO_STATUS_FEATURES_OK) && !(before & VIO_STATUS_FEATURES_OK) &&
	    ((d->features & ~d->offered) != 0 || !(d->features & VIO_F_VERSION_1)))
		status &= (uint8_t) ~VIO_STATUS_FEATURES_OK; /* the driver sees that we do not agree */
	d->status = status | (before & VIO_STATUS_NEEDS_RESET);
	if ((status & VIO_STATUS_DRIVER_OK) && (status & VIO_STATUS_FEATURES_OK) && !d->started)
		start(d);
}

void vio_notify(struct vio_dev *d, unsigned q)
{
	if (q >= d->nr_queues || !d->started || d->queue[q].vq.desc == NULL || d->queue[q].vq.broken)
		return;
	d->queue[q].notified++;
	TRACE(TRACE_VIRTIO_NOTIFY, "%s: queue %u", d->ops->name, q);
	if (d->ops->notify(d, q) < 0)
		vio_broken(d);
}

void vio_broken(struct vio_dev *d)
{
	if (d->status & VIO_STATUS_NEEDS_RESET)
		return;
	TRACE(TRACE_VIRTIO_STATUS, "%s: needs a reset", d->ops->name);
	d->status |= VIO_STATUS_NEEDS_RESET;
	for (unsigned i = 0; i < d->nr_queues; i++)
		d->queue[i].vq.broken = true;
	vio_config_changed(d);
}

void vio_signal(struct vio_dev *d, unsigned q)
{
	if (!vq_must_signal(&d->queue[q].vq))
		return;
	d->queue[q].signalled++;
	TRACE(TRACE_VIRTIO_SIGNAL, "%s: queue %u, vector %u", d->ops->name, q, d->queue[q].vector);
	d->transport->interrupt(d->transport_arg, d->queue[q].vector);
}

void vio_config_changed(struct vio_dev *d)
{
	if (d->status & VIO_STATUS_DRIVER_OK)
		d->transport->config_changed(d->transport_arg);
}

void vio_again(struct vio_dev *d, unsigned q)
{
	uint64_t one = 1;

	(void) !write(d->queue[q].kick, &one, sizeof(one)); /* full means that it will be read */
}

int vio_pop(struct vio_dev *d, unsigned q, struct vq_chain *ret)
{
	int r = vq_pop(&d->queue[q].vq, ret);

	if (r < 0)
		vio_broken(d);
	return r;
}

void vio_push_all(struct vio_dev *d, unsigned q, const struct vq_chain *chain, const uint32_t *written, unsigned n)
{
	d->queue[q].returned += n;
	vq_push_all(&d->queue[q].vq, chain, written, n);
}

void vio_signal_later(struct vio_dev *d, unsigned q)
{
	if (d->queue[q].vq.unsignalled > 0)
		loop_later(d->vm->loop, &d->queue[q].later);
}

int vio_take(struct vio_dev *d, unsigned q, int (*one)(struct vio_dev *d, unsigned q, struct vq_chain *chain))
{
	struct virtq *vq = &d->queue[q].vq;
	struct vq_chain chain;
	unsigned left = VIO_BUDGET;
	int r;

	do {
		while ((r = vq_pop(vq, &chain)) > 0) {
			r = one(d, q, &chain);
			if (r < 0)
				return r;
			if (--left == 0) {
				vio_again(d, q);
				return 0;
			}
		}
		if (r < 0)
			return r;
	} while (vq_rearm(vq));
	return 0;
}

int vio_each(struct vio_dev *d, unsigned q, int (*one)(struct vio_dev *d, unsigned q, struct vq_chain *chain))
{
	int r = vio_take(d, q, one);

	if (r == 0)
		vio_signal(d, q);
	return r;
}
