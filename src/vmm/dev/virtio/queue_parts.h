/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gmem;
struct virtq;
struct vq_chain;

#define VQ_DESC_SIZE 16 /* bytes of a descriptor */
#define VQ_DESC_NEXT 1u
#define VQ_DESC_WRITE 2u
#define VQ_DESC_INDIRECT 4u

/** vq_chain_add() - append a piece; 0, -EPROTO outside of memory, too many, or read after written */
int vq_chain_add(const struct gmem *mem, struct vq_chain *c, uint64_t gpa, uint32_t len, bool write);

/**
 * vq_chain_indirect() - append the pieces of a table
 * @packed: descriptors follow each other; else each names the next
 * Return: 0; -EPROTO.
 */
int vq_chain_indirect(const struct gmem *mem, struct vq_chain *c, uint64_t gpa, uint32_t len, bool packed);

/** vq_split_pop() - vq_pop() of a split ring */
int vq_split_pop(struct virtq *vq, struct vq_chain *ret);

/** vq_split_push() - vq_push_all() of a split ring */
void vq_split_push(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n);

/** vq_split_must_signal() - vq_must_signal() of a split ring; @n: places used since the last time, not 0 */
bool vq_split_must_signal(const struct virtq *vq, uint32_t n);

/** vq_split_rearm() - vq_rearm() of a split ring */
bool vq_split_rearm(struct virtq *vq);

/** vq_packed_pop() - vq_pop() of a packed ring */
int vq_packed_pop(struct virtq *vq, struct vq_chain *ret);

/** vq_packed_push() - vq_push_all() of a packed ring */
void vq_packed_push(struct virtq *vq, const struct vq_chain *chain, const uint32_t *written, unsigned n);

/** vq_packed_must_signal() - vq_must_signal() of a packed ring; @n: places used since the last time, not 0 */
bool vq_packed_must_signal(const struct virtq *vq, uint32_t n);

/** vq_packed_rearm() - vq_rearm() of a packed ring */
bool vq_packed_rearm(struct virtq *vq);
