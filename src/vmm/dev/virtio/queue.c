/* SPDX-License-Identifier: MIT */
#include "vmm/dev/virtio/queue.h"

#include <errno.h>
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"
#include "vmm/dev/virtio/queue_parts.h"

int vq_chain_add(const struct gmem *mem, struct vq_chain *c, uint64_t gpa, uint32_t len, bool write)
{
	void *p = gmem_map(mem, gpa, len);

	if (p == NULL || c->nr_out + c->nr_in == VQ_CHAIN_MAX || (!write && c->nr_in > 0))
		return -EPROTO;
	if (len == 0)
		return 0;
	c->iov[c->nr_out + c->nr_in] = (struct iovec) { .iov_base = p, .iov_len = len };
	if (write) {
		c->nr_in++;
		c->in_len += len;
	} else {
		c->nr_out++;
		c->out_len += len;
	}
	return 0;
}

int vq_chain_indirect(const struct gmem *mem, struct vq_chain *c, uint64_t gpa, uint32_t len, bool packed)
{
	uint32_t n = len / VQ_DESC_SIZE, at = 0;
	const uint8_t *table = gmem_map(mem, gpa, len);

	if (table == NULL || n == 0 || n > VQ_SIZE_MAX || len % VQ_DESC_SIZE != 0)
		return -EPROTO;
	for (uint32_t steps = 0; steps < n; steps++) {
		uint8_t d[VQ_DESC_SIZE];
		uint16_t flags;
		int r;

		memcpy(d, table + (size_t) at * VQ_DESC_SIZE, sizeof(d));
		flags = get_le16(d + (packed ? 14 : 12));
		if (flags & VQ_DESC_INDIRECT)
			return -EPROTO;
		r = vq_chain_add(mem, c, get_le64(d), get_le32(d + 8), flags & VQ_DESC_WRITE);
		if (r < 0)
			return r;
		if (!packed && !(flags & VQ_DESC_NEXT))
			return 0;
		at = packed ? at + 1 : get_le16(d + 14);
		if (!packed && at >= n)
			return -EPROTO;
	}
	return packed ? 0 : -EPROTO; /* a loop */
}

static uint64_t driver_size(const struct virtq *vq)
{
	return vq->packed ? 4 : 6 + 2ull * vq->size;
}

static uint64_t device_size(const struct virtq *vq)
{
	return vq->packed ? 4 : 6 + 8ull * vq->size;
}

int vq_start(struct virtq *vq)
{
	if (vq->size == 0 || vq->size > VQ_SIZE_MAX || (!vq->packed && (vq->size & (vq->size - 1)) != 0))
		return -EINVAL;
	if (vq->desc_gpa % 16 != 0 || vq->driver_gpa % (vq->packed ? 4 : 2) != 0 || vq->device_gpa % 4 != 0)
		return -EINVAL;
	vq->desc = gmem_map(vq->mem, vq->desc_gpa, (uint64_t) vq->size * VQ_DESC_SIZE);
	vq->driver = gmem_map(vq->mem, vq->driver_gpa, driver_size(vq));
	vq->device = gmem_map(vq->mem, vq->device_gpa, device_size(vq));
	if (vq->desc == NULL || vq->driver == NULL || vq->device == NULL) {
		vq_stop(vq);
		return -EINVAL;
	}
	vq->next_avail = vq->next_used = 0;
	vq->held = vq->unsignalled = 0;
	vq->avail_wrap = vq->used_wrap = true;
	vq->broken = false;
	return 0;
}

void vq_stop(struct virtq *vq)
{
	vq->desc = vq->driver = vq->device = NULL;
}

/* A guest that offers places which the device still has would make it keep more and more buffers. */
static int hold(struct virtq *vq, const struct vq_chain *chain)
{
	vq->held += chain->slots;
	return vq->held <= vq->size ? 1 : -EPROTO;
}

int vq_pop(struct virtq *vq, struct vq_chain *ret)
{
	int r;

	if (vq->desc == NULL || vq->broken)
		return 0;
	ret->nr_out = ret->nr_in = 0;
	ret->out_len = ret->in_len = 0;
	ret->mem = vq->mem;
	r = vq->packed ? vq_packed_pop(vq, ret) : vq_split_pop(vq, ret);
	if (r > 0)
		r = hold(vq, ret);
	vq->broken = r < 0;
	return r;
}

void vq_unpop(struct virtq *vq, const struct vq_chain *chain)
{
	vq->held -= chain->slots;
	if (vq->packed && vq->next_avail < chain->slots) {
		vq->next_avail = (uint16_t) (vq->next_avail + vq->size);
		vq->avail_wrap = !vq->avail_wrap;
	}
	vq->next_avail = (uint16_t) (vq->next_avail - (vq->packed ? chain->slots : 1));
}

/* vq_chain_write() has told of what it wrote. */
static void tell_written(const struct virtq *vq, const struct vq_chain *chain)
{
	for (unsigned i = 0; i < chain->nr_in; i++)
		gmem_wrote(vq->mem, chain->iov[chain->nr_out + i].iov_base, chain->iov[chain->nr_out + i].iov_len);
}

void vq_push_all(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n)
{
	if (vq->desc == NULL)
		return;
	for (unsigned i = 0; i < n; i++) {
		if (written[i] > 0)
			tell_written(vq, &chain[i]);
		vq->held -= chain[i].slots;
		vq->unsignalled += chain[i].slots;
	}
	if (vq->packed)
		vq_packed_push(vq, chain, written, n);
	else
		vq_split_push(vq, chain, written, n);
}

bool vq_must_signal(struct virtq *vq)
{
	uint32_t n = vq->unsignalled;

	if (vq->desc == NULL || n == 0)
		return false;
	vq->unsignalled = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* what was pushed is seen before its wish is read */
	return vq->packed ? vq_packed_must_signal(vq, n) : vq_split_must_signal(vq, n);
}

bool vq_rearm(struct virtq *vq)
{
	if (vq->desc == NULL || vq->broken)
		return false;
	return vq->packed ? vq_packed_rearm(vq) : vq_split_rearm(vq);
}

struct iovec *vq_chain_in(struct vq_chain *c)
{
	return c->iov + c->nr_out;
}

/* How much of @n bytes the piece has */
static size_t part(const struct iovec *piece, size_t n)
{
	return piece->iov_len < n ? piece->iov_len : n;
}

static void cut(struct iovec *piece, size_t n)
{
	piece->iov_base = (uint8_t *) piece->iov_base + n;
	piece->iov_len -= n;
}

/* Remove pieces from @first on that have become empty; returns how many. */
static unsigned drop_empty(struct vq_chain *c, unsigned first, unsigned nr)
{
	unsigned empty = 0;

	while (empty < nr && c->iov[first + empty].iov_len == 0)
		empty++;
	if (empty > 0)
		memmove(&c->iov[first], &c->iov[first + empty],
			(c->nr_out + c->nr_in - first - empty) * sizeof(c->iov[0]));
	return empty;
}

size_t vq_chain_read(struct vq_chain *c, void *ret, size_t n)
{
	size_t done = 0;

	for (unsigned i = 0; i < c->nr_out && done < n; i++) {
		size_t k = part(&c->iov[i], n - done);

		if (ret != NULL)
			memcpy((uint8_t *) ret + done, c->iov[i].iov_base, k);
		cut(&c->iov[i], k);
		done += k;
	}
	c->nr_out -= drop_empty(c, 0, c->nr_out);
	c->out_len -= done;
	return done;
}

size_t vq_chain_write(struct vq_chain *c, const void *data, size_t n)
{
	struct iovec *in = vq_chain_in(c);
	size_t done = 0;

	for (unsigned i = 0; i < c->nr_in && done < n; i++) {
		size_t k = part(&in[i], n - done);

		memcpy(in[i].iov_base, (const uint8_t *) data + done, k);
		if (c->mem != NULL)
			gmem_wrote(c->mem, in[i].iov_base, k);
		cut(&in[i], k);
		done += k;
	}
	c->nr_in -= drop_empty(c, c->nr_out, c->nr_in);
	c->in_len -= done;
	return done;
}

uint8_t *vq_chain_cut_status(struct vq_chain *c)
{
	struct iovec *last;

	if (c->nr_in == 0)
		return NULL;
	last = &c->iov[c->nr_out + c->nr_in - 1];
	last->iov_len--;
	c->in_len--;
	if (last->iov_len == 0)
		c->nr_in--;
	return (uint8_t *) last->iov_base + last->iov_len;
}
