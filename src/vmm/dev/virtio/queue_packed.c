/* SPDX-License-Identifier: MIT */
/**
 * DOC: packed rings
 *
 * One ring of descriptors that both sides write; two bits of each say whose it is, and change their
 * meaning with every round (wrap counters).  The other areas say who wants to be told of what.
 */
#include <errno.h>
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/dev/virtio/queue.h"
#include "vmm/dev/virtio/queue_parts.h"

#define AVAIL 0x80u
#define USED 0x8000u
#define EVENT_ENABLE 0u
#define EVENT_DISABLE 1u
#define EVENT_DESC 2u

static uint16_t load16(const uint8_t *p)
{
	return __atomic_load_n((const uint16_t *) (const void *) p, __ATOMIC_ACQUIRE);
}

static void store16(uint8_t *p, uint16_t v)
{
	__atomic_store_n((uint16_t *) (void *) p, v, __ATOMIC_RELEASE);
}

static uint8_t *desc_at(const struct virtq *vq, unsigned i)
{
	return vq->desc + (size_t) i * VQ_DESC_SIZE;
}

/* Is the next descriptor the device's? */
static bool is_ready(const struct virtq *vq)
{
	uint16_t flags = load16(desc_at(vq, vq->next_avail) + 14);

	return !!(flags & AVAIL) == vq->avail_wrap && !!(flags & USED) != vq->avail_wrap;
}

static int collect(struct virtq *vq, struct vq_chain *ret)
{
	unsigned at = vq->next_avail;

	for (uint16_t steps = 1; steps <= vq->size; steps++) {
		uint8_t d[VQ_DESC_SIZE];
		uint16_t flags;
		int r;

		memcpy(d, desc_at(vq, at), sizeof(d));
		flags = get_le16(d + 14);
		ret->id = get_le16(d + 12);
		ret->slots = steps;
		if (flags & VQ_DESC_INDIRECT)
			return flags & VQ_DESC_NEXT || steps > 1 ? -EPROTO :
				vq_chain_indirect(vq->mem, ret, get_le64(d), get_le32(d + 8), true);
		r = vq_chain_add(vq->mem, ret, get_le64(d), get_le32(d + 8), flags & VQ_DESC_WRITE);
		if (r < 0 || !(flags & VQ_DESC_NEXT))
			return r;
		at = at + 1 == vq->size ? 0 : at + 1;
	}
	return -EPROTO; /* longer than the ring */
}

/* Advance a position by @n; true when it went over the end. */
static bool advance(const struct virtq *vq, uint16_t *at, uint16_t n)
{
	unsigned next = *at + (unsigned) n;
	bool over = next >= vq->size;

	*at = (uint16_t) (over ? next - vq->size : next);
	return over;
}

int vq_packed_pop(struct virtq *vq, struct vq_chain *ret)
{
	int r;

	if (!is_ready(vq))
		return 0;
	r = collect(vq, ret);
	if (r < 0)
		return r;
	if (advance(vq, &vq->next_avail, ret->slots))
		vq->avail_wrap = !vq->avail_wrap;
	return 1;
}

void vq_packed_push(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n)
{
	uint8_t *first = desc_at(vq, vq->next_used);
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *d = desc_at(vq, vq->next_used);
		uint16_t flags = (uint16_t) ((vq->used_wrap ? AVAIL | USED : 0) |
					     (written[i] > 0 ? VQ_DESC_WRITE : 0));

		put_le32(d + 8, written[i]);
		put_le16(d + 12, chain[i].id);
		if (i == 0)
			first_flags = flags;
		else
			store16(d + 14, flags);
		if (advance(vq, &vq->next_used, chain[i].slots))
			vq->used_wrap = !vq->used_wrap;
	}
	store16(first + 14, first_flags); /* until then the driver looks at no other */
}

bool vq_packed_must_signal(const struct virtq *vq, uint32_t n)
{
	uint16_t flags = load16(vq->driver + 2) & 3, event = load16(vq->driver);
	int at = event & 0x7FFF;

	if (flags != EVENT_DESC)
		return flags != EVENT_DISABLE;
	if ((event >> 15) != vq->used_wrap)
		at -= vq->size;
	return (uint16_t) (vq->next_used - at - 1) < n;
}

bool vq_packed_rearm(struct virtq *vq)
{
	if (vq->event_idx) {
		store16(vq->device, (uint16_t) (vq->next_avail | (vq->avail_wrap ? 0x8000 : 0)));
		store16(vq->device + 2, EVENT_DESC);
	} else {
		store16(vq->device + 2, EVENT_ENABLE);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the wish is seen before the ring is looked at */
	return is_ready(vq);
}
