/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"
#include "vmm/dev/virtio/queue.h"

#define DESC 0x1000ull
#define DRIVER 0x2000ull
#define DEVICE 0x3000ull
#define TABLE 0x4000ull
#define DATA 0x10000ull
#define NEXT 1
#define WRITE 2
#define INDIRECT 4

struct ring {
	struct gmem mem;
	struct virtq vq;
};

static void *at(struct ring *r, uint64_t gpa)
{
	return gmem_map(&r->mem, gpa, 1);
}

static void put(struct ring *r, uint64_t table, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t last)
{
	uint8_t *d = at(r, table + i * 16);

	put_le64(d, addr);
	put_le32(d + 8, len);
	put_le16(d + 12, r->vq.packed ? last : flags);
	put_le16(d + 14, r->vq.packed ? flags : last);
}

static void start(struct ring *r, uint16_t size, bool packed, bool event_idx)
{
	assert_int_equal(gmem_clear(&r->mem), 0);
	r->vq = (struct virtq) { .mem = &r->mem, .size = size, .enabled = true, .packed = packed,
				 .event_idx = event_idx, .desc_gpa = DESC, .driver_gpa = DRIVER,
				 .device_gpa = DEVICE };
	assert_int_equal(vq_start(&r->vq), 0);
}

/* The guest makes descriptor @head available in a split ring. */
static void offer(struct ring *r, uint16_t head)
{
	uint8_t *avail = at(r, DRIVER);
	uint16_t idx = get_le16(avail + 2);

	put_le16(avail + 4 + 2 * (idx % r->vq.size), head);
	put_le16(avail + 2, (uint16_t) (idx + 1));
}

static void test_start(void **state)
{
	struct ring *r = *state;
	struct virtq *vq = &r->vq;

	start(r, 8, false, false);
	vq->size = 0;
	assert_int_equal(vq_start(vq), -EINVAL);
	vq->size = 6;
	assert_int_equal(vq_start(vq), -EINVAL);
	vq->packed = true;
	assert_int_equal(vq_start(vq), 0);
	vq->size = VQ_SIZE_MAX + 1;
	assert_int_equal(vq_start(vq), -EINVAL);
	vq->size = 8;
	vq->desc_gpa = GMEM_SIZE_MIN - 16;
	assert_int_equal(vq_start(vq), -EINVAL);
	assert_null(vq->desc);
	vq->desc_gpa = DESC + 8;
	assert_int_equal(vq_start(vq), -EINVAL);
	vq->desc_gpa = DESC;
	vq->device_gpa = UINT64_MAX - 3;
	assert_int_equal(vq_start(vq), -EINVAL);
}

static void test_split(void **state)
{
	struct ring *r = *state;
	struct vq_chain c;
	uint8_t buf[64] = { 0 };

	start(r, 4, false, false);
	assert_int_equal(vq_pop(&r->vq, &c), 0);
	memcpy(at(r, DATA), "hello", 5);
	put(r, DESC, 3, DATA, 3, NEXT, 1);
	put(r, DESC, 1, DATA + 3, 2, NEXT, 0);
	put(r, DESC, 0, DATA + 100, 10, NEXT | WRITE, 2);
	put(r, DESC, 2, DATA + 200, 1, WRITE, 0);
	offer(r, 3);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(c.id, 3);
	assert_int_equal(c.nr_out, 2);
	assert_int_equal(c.nr_in, 2);
	assert_int_equal(c.out_len, 5);
	assert_int_equal(c.in_len, 11);
	assert_ptr_equal(vq_chain_cut_status(&c), at(r, DATA + 200));
	assert_int_equal(c.nr_in, 1);
	assert_int_equal(vq_chain_read(&c, buf, 4), 4);
	assert_int_equal(vq_chain_read(&c, buf + 4, 60), 1);
	assert_string_equal((char *) buf, "hello");
	assert_int_equal(c.nr_out, 0);
	assert_int_equal(vq_chain_write(&c, "0123456789ab", 12), 10);
	assert_int_equal(c.in_len, 0);
	assert_memory_equal(at(r, DATA + 100), "0123456789\0", 11);
	vq_push(&r->vq, &c, 11);
	assert_int_equal(get_le16((uint8_t *) at(r, DEVICE) + 2), 1);
	assert_int_equal(get_le32((uint8_t *) at(r, DEVICE) + 4), 3);
	assert_int_equal(get_le32((uint8_t *) at(r, DEVICE) + 8), 11);
	assert_true(vq_must_signal(&r->vq));
	assert_false(vq_must_signal(&r->vq));
	offer(r, 3);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	vq_unpop(&r->vq, &c);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	put_le16(at(r, DRIVER), 1); /* no interrupts, please */
	vq_push(&r->vq, &c, 0);
	assert_false(vq_must_signal(&r->vq));
}

static void break_split(struct ring *r, uint16_t head)
{
	struct vq_chain c;

	offer(r, head);
	assert_int_equal(vq_pop(&r->vq, &c), -EPROTO);
	assert_true(r->vq.broken);
	assert_int_equal(vq_pop(&r->vq, &c), 0); /* nothing comes any more */
	start(r, 4, false, false);
}

static void test_split_hostile(void **state)
{
	struct ring *r = *state;

	start(r, 4, false, false);
	break_split(r, 4); /* head outside */
	put(r, DESC, 0, DATA, 1, NEXT, 0);
	break_split(r, 0); /* loop */
	put(r, DESC, 0, DATA, 1, NEXT, 9);
	break_split(r, 0); /* next outside */
	put(r, DESC, 0, GMEM_SIZE_MIN - 1, 2, 0, 0);
	break_split(r, 0); /* data outside */
	put(r, DESC, 0, UINT64_MAX, UINT32_MAX, 0, 0);
	break_split(r, 0);
	put(r, DESC, 0, DATA, 1, NEXT | WRITE, 1);
	put(r, DESC, 1, DATA, 1, 0, 0);
	break_split(r, 0); /* read after written */
	put_le16((uint8_t *) at(r, DRIVER) + 2, 5);
	assert_int_equal(vq_pop(&r->vq, &(struct vq_chain) { 0 }), -EPROTO); /* more than the ring holds */
	start(r, 4, false, false);
	put(r, DESC, 0, TABLE, 32, INDIRECT | NEXT, 1);
	break_split(r, 0);
	put(r, DESC, 0, TABLE, 24, INDIRECT, 0);
	break_split(r, 0); /* not whole descriptors */
	put(r, DESC, 0, TABLE, 16, INDIRECT, 0);
	put(r, TABLE, 0, TABLE, 16, INDIRECT, 0);
	break_split(r, 0); /* table in a table */
	put(r, DESC, 0, TABLE, 32, INDIRECT, 0);
	put(r, TABLE, 0, DATA, 1, NEXT, 1);
	put(r, TABLE, 1, DATA, 1, NEXT, 0);
	break_split(r, 0); /* loop in a table */
	put(r, DESC, 0, TABLE, (VQ_CHAIN_MAX + 1) * 16, INDIRECT, 0);
	for (uint16_t i = 0; i <= VQ_CHAIN_MAX; i++)
		put(r, TABLE, i, DATA, 1, i < VQ_CHAIN_MAX ? NEXT : 0, (uint16_t) (i + 1));
	break_split(r, 0); /* too many pieces */
}

static void test_split_event(void **state)
{
	struct ring *r = *state;
	uint8_t *used_event, *avail_event;
	struct vq_chain c;

	start(r, 4, false, true);
	used_event = at(r, DRIVER + 4 + 2 * 4);
	avail_event = at(r, DEVICE + 4 + 8 * 4);
	for (unsigned i = 0; i < 70000; i++) {
		bool want = i % 3 == 0;

		put(r, DESC, 0, DATA, 1, 0, 0);
		offer(r, 0);
		assert_int_equal(vq_pop(&r->vq, &c), 1);
		assert_false(vq_rearm(&r->vq));
		assert_int_equal(get_le16(avail_event), (uint16_t) (i + 1));
		put_le16(used_event, (uint16_t) (want ? i : i + 100));
		vq_push(&r->vq, &c, 0);
		assert_int_equal(vq_must_signal(&r->vq), want);
	}
}

/* The guest writes a packed descriptor in round @wrap. */
static void put_packed(struct ring *r, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t id, bool wrap)
{
	put(r, DESC, i, addr, len, (uint16_t) (flags | (wrap ? 0x80 : 0x8000)), id);
}

static void test_packed(void **state)
{
	struct ring *r = *state;
	struct vq_chain c;

	start(r, 3, true, false);
	assert_int_equal(vq_pop(&r->vq, &c), 0);
	put_packed(r, 1, DATA + 5, 6, WRITE, 42, true);
	put_packed(r, 0, DATA, 5, NEXT, 7, true);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(c.id, 42);
	assert_int_equal(c.slots, 2);
	assert_int_equal(c.out_len, 5);
	assert_int_equal(c.in_len, 6);
	assert_int_equal(vq_pop(&r->vq, &(struct vq_chain) { 0 }), 0);
	vq_push(&r->vq, &c, 6);
	assert_int_equal(get_le16((uint8_t *) at(r, DESC) + 12), 42);
	assert_int_equal(get_le16((uint8_t *) at(r, DESC) + 14), 0x8082);
	assert_true(vq_must_signal(&r->vq));
	/* over the end of the ring: the second piece is in the next round */
	put_packed(r, 0, DATA, 1, 0, 9, false);
	put_packed(r, 2, DATA, 1, NEXT, 9, true);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(c.slots, 2);
	vq_unpop(&r->vq, &c);
	assert_int_equal(r->vq.next_avail, 2);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(r->vq.next_avail, 1);
	assert_false(r->vq.avail_wrap);
	vq_push(&r->vq, &c, 0);
	assert_int_equal(r->vq.next_used, 1);
	assert_false(r->vq.used_wrap);
	put_le16((uint8_t *) at(r, DRIVER) + 2, 1); /* disabled */
	put_packed(r, 1, TABLE, 32, INDIRECT, 5, false);
	put(r, TABLE, 0, DATA, 8, 0, 0);
	put(r, TABLE, 1, DATA, 8, WRITE, 0);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(c.out_len + c.in_len, 16);
	vq_push(&r->vq, &c, 8);
	assert_false(vq_must_signal(&r->vq));
}

static void test_packed_whole_round(void **state)
{
	struct ring *r = *state;
	struct vq_chain c[4];

	start(r, 4, true, false);
	for (unsigned i = 0; i < 4; i++)
		put_packed(r, i, DATA, 1, 0, (uint16_t) i, true);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(vq_pop(&r->vq, &c[i]), 1);
	for (unsigned i = 0; i < 4; i++)
		vq_push(&r->vq, &c[3 - i], 0);
	assert_true(vq_must_signal(&r->vq)); /* the position is where it was, but much has happened */
}

static void test_packed_event(void **state)
{
	struct ring *r = *state;
	struct vq_chain c;
	bool wrap = true;
	unsigned at_slot = 0;

	start(r, 5, true, true);
	put_le16((uint8_t *) at(r, DRIVER) + 2, 2); /* tell me at the place that I name */
	for (unsigned i = 0; i < 1000; i++) {
		bool want = i % 4 == 0;
		unsigned named = want ? at_slot : (at_slot + 2) % 5;
		bool named_wrap = !want && at_slot + 2 >= 5 ? !wrap : wrap;

		put_packed(r, at_slot, DATA, 1, 0, 1, wrap);
		put_le16(at(r, DRIVER), (uint16_t) (named | (named_wrap ? 0x8000 : 0)));
		assert_int_equal(vq_pop(&r->vq, &c), 1);
		vq_push(&r->vq, &c, 0);
		assert_int_equal(vq_must_signal(&r->vq), want);
		if (++at_slot == 5) {
			at_slot = 0;
			wrap = !wrap;
		}
		assert_false(vq_rearm(&r->vq));
		assert_int_equal(get_le16(at(r, DEVICE)), at_slot | (wrap ? 0x8000 : 0));
	}
}

static void test_packed_hostile(void **state)
{
	struct ring *r = *state;
	struct vq_chain c;

	start(r, 4, true, false);
	for (unsigned i = 0; i < 4; i++)
		put_packed(r, i, DATA, 1, NEXT, 0, true);
	assert_int_equal(vq_pop(&r->vq, &c), -EPROTO); /* no end */
	start(r, 4, true, false);
	put_packed(r, 0, DATA, 1, NEXT, 0, true);
	put_packed(r, 1, TABLE, 16, INDIRECT, 0, true);
	assert_int_equal(vq_pop(&r->vq, &c), -EPROTO); /* a table in the middle */
	start(r, 4, true, false);
	put_packed(r, 0, TABLE, 0, INDIRECT, 0, true);
	assert_int_equal(vq_pop(&r->vq, &c), -EPROTO);
}

/* What the device has not returned cannot be offered again: it never keeps more than the ring has places for. */
#define TOGETHER 4u
#define ROUNDS 400

/* A driver that looks all the time: while @armed, until it sees buffers come back; @seen of them. */
struct driver {
	struct ring *ring;
	bool armed, end;
	unsigned seen;
};

static unsigned used(struct ring *r)
{
	const uint8_t *idx = at(r, DEVICE + 2), *desc = at(r, DESC);
	unsigned n = 0;

	if (!r->vq.packed)
		return __atomic_load_n((const uint16_t *) (const void *) idx, __ATOMIC_ACQUIRE);
	while (n < TOGETHER && __atomic_load_n(desc + 16 * n + 15, __ATOMIC_ACQUIRE) == 0x80)
		n++;
	return n;
}

static void *drive(void *arg)
{
	struct driver *d = arg;

	while (!__atomic_load_n(&d->end, __ATOMIC_ACQUIRE)) {
		if (!__atomic_load_n(&d->armed, __ATOMIC_ACQUIRE)) {
			(void) sched_yield(); /* always succeeds */
			continue;
		}
		while ((d->seen = used(d->ring)) == 0)
			;
		__atomic_store_n(&d->armed, false, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Buffers of one packet are seen together: a driver that misses some drops the packet. */
static void test_push_all(void **state)
{
	const uint32_t written[TOGETHER] = { 0 };
	struct driver d = { .ring = *state };
	struct vq_chain c[TOGETHER];
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, drive, &d), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		start(d.ring, 8, round % 2, false);
		for (unsigned i = 0; i < TOGETHER; i++) {
			put(d.ring, DESC, i, DATA, 1, round % 2 ? 0x80 : 0, 0);
			offer(d.ring, (uint16_t) i);
			assert_int_equal(vq_pop(&d.ring->vq, &c[i]), 1);
		}
		__atomic_store_n(&d.armed, true, __ATOMIC_RELEASE);
		if (round % 4 < 2)
			(void) sched_yield(); /* always succeeds */
		vq_push_all(&d.ring->vq, c, written, TOGETHER);
		while (__atomic_load_n(&d.armed, __ATOMIC_ACQUIRE))
			(void) sched_yield(); /* always succeeds */
		assert_int_equal(d.seen, TOGETHER);
	}
	__atomic_store_n(&d.end, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_held(void **state)
{
	struct ring *r = *state;
	struct vq_chain c;

	start(r, 4, false, false);
	put(r, DESC, 0, DATA, 1, 0, 0);
	for (unsigned i = 0; i < 100; i++) {
		offer(r, 0);
		assert_int_equal(vq_pop(&r->vq, &c), 1);
		if (i % 2 == 0) {
			vq_unpop(&r->vq, &c);
			assert_int_equal(vq_pop(&r->vq, &c), 1);
		}
		vq_push(&r->vq, &c, 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		offer(r, 0);
		assert_int_equal(vq_pop(&r->vq, &c), 1);
	}
	break_split(r, 0);
	start(r, 4, true, false);
	put_packed(r, 0, DATA, 1, NEXT, 0, true);
	put_packed(r, 1, DATA, 1, 0, 0, true);
	put_packed(r, 2, DATA, 1, NEXT, 0, true);
	put_packed(r, 3, DATA, 1, 0, 0, true);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	assert_int_equal(vq_pop(&r->vq, &c), 1);
	put_packed(r, 0, DATA, 1, 0, 0, false);
	assert_int_equal(vq_pop(&r->vq, &c), -EPROTO);
	assert_true(r->vq.broken);
}

static int setup(void **state)
{
	static struct ring r;

	*state = &r;
	return gmem_init(&r.mem, GMEM_SIZE_MIN, 0, NULL);
}

static int teardown(void **state)
{
	gmem_fini(&((struct ring *) *state)->mem);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_whole_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
