/* SPDX-License-Identifier: MIT */
/**
 * DOC: split rings
 *
 * Three areas: descriptors; what the driver makes available (flags, counter, ring of heads, used_event);
 * what the device has used (flags, counter, ring of heads and lengths, avail_event).
 */
#include <errno.h>
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/dev/virtio/queue.h"
#include "vmm/dev/virtio/queue_parts.h"

#define NO_INTERRUPT 1u

static uint16_t load16(const uint8_t *p)
{
	return __atomic_load_n((const uint16_t *) (const void *) p, __ATOMIC_ACQUIRE);
}

static void store16(uint8_t *p, uint16_t v)
{
	__atomic_store_n((uint16_t *) (void *) p, v, __ATOMIC_RELEASE);
}

static uint16_t avail_idx(const struct virtq *vq)
{
	return load16(vq->driver + 2);
}

static int collect(struct virtq *vq, uint16_t head, struct vq_chain *ret)
{
	uint16_t at = head;

	for (unsigned steps = 0; steps < vq->size; steps++) {
		uint8_t d[VQ_DESC_SIZE];
		uint16_t flags;
		int r;

		memcpy(d, vq->desc + (size_t) at * VQ_DESC_SIZE, sizeof(d));
		flags = get_le16(d + 12);
		if (flags & VQ_DESC_INDIRECT)
			return flags & VQ_DESC_NEXT ? -EPROTO :
				vq_chain_indirect(vq->mem, ret, get_le64(d), get_le32(d + 8), false);
		r = vq_chain_add(vq->mem, ret, get_le64(d), get_le32(d + 8), flags & VQ_DESC_WRITE);
		if (r < 0 || !(flags & VQ_DESC_NEXT))
			return r;
		at = get_le16(d + 14);
		if (at >= vq->size)
			return -EPROTO;
	}
	return -EPROTO; /* a loop */
}

int vq_split_pop(struct virtq *vq, struct vq_chain *ret)
{
	uint16_t idx = avail_idx(vq), head;
	int r;

	if (idx == vq->next_avail)
		return 0;
	if ((uint16_t) (idx - vq->next_avail) > vq->size)
		return -EPROTO;
	head = load16(vq->driver + 4 + 2 * (vq->next_avail & (vq->size - 1)));
	if (head >= vq->size)
		return -EPROTO;
	ret->id = head;
	ret->slots = 1;
	r = collect(vq, head, ret);
	if (r < 0)
		return r;
	vq->next_avail++;
	return 1;
}

void vq_split_push(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t *e = vq->device + 4 + 8 * (vq->next_used++ & (vq->size - 1));

		put_le32(e, chain[i].id);
		put_le32(e + 4, written[i]);
	}
	store16(vq->device + 2, vq->next_used);
}

bool vq_split_must_signal(const struct virtq *vq, uint32_t n)
{
	uint16_t event;

	if (!vq->event_idx)
		return !(load16(vq->driver) & NO_INTERRUPT);
	event = load16(vq->driver + 4 + 2 * vq->size);
	return (uint16_t) (vq->next_used - event - 1) < n;
}

bool vq_split_rearm(struct virtq *vq)
{
	if (vq->event_idx)
		store16(vq->device + 4 + 8 * vq->size, vq->next_avail);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the wish is seen before the ring is looked at */
	return avail_idx(vq) != vq->next_avail;
}
