/* SPDX-License-Identifier: MIT */
/*
 * Rings through which the guest hands buffers to a device, split and packed.
 * Spec: virtio 1.2, 2.7 and 2.8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct gmem;

#define VQ_SIZE_MAX 256 /* descriptors of a ring */
#define VQ_CHAIN_MAX 130 /* pieces of one buffer; drivers are told of 126 for data */

/**
 * struct virtq - a ring
 * @size: descriptors, chosen by the guest: 1 to VQ_SIZE_MAX, a power of two for split rings
 * @desc_gpa, @driver_gpa, @device_gpa: where its parts are, chosen by the guest
 * @enabled: the guest has made it ready
 * @packed, @event_idx: what was negotiated
 * @broken: the guest wrote nonsense into it; nothing is taken any more
 * @desc, @driver, @device: the parts, valid between vq_start() and vq_stop()
 * @next_avail, @next_used: positions (split: counters, packed: indices)
 * @avail_wrap, @used_wrap: wrap counters of packed rings
 * @held: places of buffers that were taken and not returned; a ring has no more than @size
 * @unsignalled: places that were used since vq_must_signal() was asked
 */
struct virtq {
	const struct gmem *mem;
	uint16_t size;
	bool enabled, packed, event_idx, broken;
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint8_t *desc, *driver, *device;
	uint16_t next_avail, next_used;
	bool avail_wrap, used_wrap;
	uint32_t held, unsignalled;
};

/**
 * struct vq_chain - one buffer of the guest, in pieces
 * @id: what the guest calls it
 * @slots: places it takes in a packed ring
 * @nr_out: pieces at the start of @iov that the device reads; @nr_in: pieces that follow, which it writes
 * @out_len, @in_len: their bytes
 * @mem: where they are, NULL if nobody is told of what is written
 *
 * Addresses are checked, the content may change at any moment.
 */
struct vq_chain {
	uint16_t id, slots;
	unsigned nr_out, nr_in;
	size_t out_len, in_len;
	const struct gmem *mem;
	struct iovec iov[VQ_CHAIN_MAX];
};

/**
 * vq_start() - begin to use a ring that the guest has made ready
 * Return: 0; -EINVAL size, alignment or place of its parts.
 */
int vq_start(struct virtq *vq);

/** vq_stop() - its parts are not touched any more */
void vq_stop(struct virtq *vq);

/**
 * vq_pop() - take the next buffer
 * @ret: filled on 1
 * Context: never blocks, never allocates; ends whatever the guest wrote.
 * Return: 1 one buffer; 0 the ring is empty; -EPROTO the guest broke the ring: it is broken from then.
 */
int vq_pop(struct virtq *vq, struct vq_chain *ret);

/** vq_unpop() - give the buffer that was popped last back; the next vq_pop() returns it again */
void vq_unpop(struct virtq *vq, const struct vq_chain *chain);

/**
 * vq_push_all() - return @n buffers together, 1 or more: the driver sees none of them before the last
 * @written: for each, the bytes that the device has written
 * Spec: virtio 1.2, 5.1.6.4.1 (a packet in several buffers)
 */
void vq_push_all(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n);

/** vq_push() - return a buffer of which the device has written @written bytes */
static inline void vq_push(struct virtq *vq, const struct vq_chain *chain, uint32_t written)
{
	vq_push_all(vq, chain, &written, 1);
}

/** vq_must_signal() - the guest wants an interrupt for what was pushed since the last call */
bool vq_must_signal(struct virtq *vq);

/**
 * vq_rearm() - ask to be told of the next buffer
 * Return: true: there is one already.
 */
bool vq_rearm(struct virtq *vq);

/**
 * vq_chain_read() - copy from the front of what the device reads, and cut it off
 * @ret: NULL: cut only
 * Return: bytes copied, fewer than @n when there are no more.
 */
size_t vq_chain_read(struct vq_chain *c, void *ret, size_t n);

/**
 * vq_chain_write() - copy to the front of what the device writes, and cut it off
 * Return: bytes copied, fewer than @n when there is no more room.
 */
size_t vq_chain_write(struct vq_chain *c, const void *data, size_t n);

/** vq_chain_in() - pieces that the device writes */
struct iovec *vq_chain_in(struct vq_chain *c);

/**
 * vq_chain_cut_status() - take the last byte that the device writes away from the rest
 * Return: where it is; NULL there is none.
 */
uint8_t *vq_chain_cut_status(struct vq_chain *c);
