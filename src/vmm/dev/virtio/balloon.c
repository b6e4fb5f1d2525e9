/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio memory balloon
 *
 * Pages that the guest puts into the balloon, and those that it reports as free, are given back to the
 * host's kernel; they read as zeroes when the guest takes them again.  What the guest says of its memory comes in
 * a buffer that is kept; it says more when it gets that back.
 * Spec: virtio 1.2, 5.5.
 */
#include "vmm/dev/virtio/balloon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/virtio.h"

#define F_STATS (1ull << 1)
#define F_DEFLATE_ON_OOM (1ull << 2)
#define F_REPORTING (1ull << 5)

#define PAGE 4096ull
#define PAGES_MAX 4096 /* of one request; drivers give 256 */
#define QUEUES 4 /* inflate, deflate, statistics, report; what is not negotiated has no ring, and others move up */

#define STAT_SIZE 10u /* bytes of a number: which one, and its value */
#define STATS_GIVEN_MAX 64 /* in one buffer; drivers give 10 */

enum { Q_INFLATE, Q_DEFLATE, Q_STATS };

/**
 * struct balloon - the device
 * @stat: what the guest said last; @known: a bit for each that it said; @when: seconds since 1970; @interval: of who asks
 * @timer: runs while no news are told; @news: there are some
 * @kept: the guest waits for its buffer @id, of @slots places, before it says more
 */
struct balloon {
	struct vio_dev vio;
	uint64_t stat[BALLOON_N_STATS_];
	unsigned known;
	int64_t when;
	uint64_t interval;
	bool kept, waits, news;
	uint16_t id, slots;
	int timer;
	struct loop_source tick;
	void (*changed)(void *arg);
	void *arg;
};

static void tell(struct balloon *b)
{
	const struct itimerspec t = { .it_value = { BALLOON_NEWS_MS / 1000, BALLOON_NEWS_MS % 1000 * 1000000l } };

	b->waits = true;
	b->news = false;
	(void) timerfd_settime(b->timer, 0, &t, NULL); /* valid arguments */
	b->changed(b->arg);
}

static void tick_ready(void *arg, uint32_t events)
{
	struct balloon *b = arg;
	uint64_t ticks;

	(void) events;
	(void) !read(b->timer, &ticks, sizeof(ticks)); /* it is ready */
	b->waits = false;
	if (b->news)
		tell(b);
}

/* The guest says how much is in it: as often as it likes. */
static void config_written(struct vio_dev *d, unsigned offset, unsigned size)
{
	struct balloon *b = (struct balloon *) d;

	(void) offset;
	(void) size;
	b->news = true;
	if (!b->waits)
		tell(b);
}

static int inflate(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	const struct gmem *m = &d->vm->mem;
	uint64_t start = 0, len = 0;
	uint8_t pfn[4];

	for (unsigned i = 0; i < PAGES_MAX && vq_chain_read(chain, pfn, sizeof(pfn)) == sizeof(pfn); i++) {
		uint64_t at = get_le32(pfn) * PAGE;

		if (len > 0 && at == start + len) {
			len += PAGE;
			continue;
		}
		gmem_discard(m, start, len);
		start = at;
		len = PAGE;
	}
	gmem_discard(m, start, len);
	vio_push(d, q, chain, 0);
	return 0;
}

static int deflate(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	vio_push(d, q, chain, 0); /* pages come back when they are touched */
	return 0;
}

/* Let the guest have its buffer: it fills it again. */
static void ask_for_stats(struct balloon *b, unsigned q)
{
	const struct vq_chain chain = { .id = b->id, .slots = b->slots };

	if (!b->kept)
		return;
	b->kept = false;
	vio_push(&b->vio, q, &chain, 0);
	vio_signal(&b->vio, q);
}

static int take_stats(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct balloon *b = (struct balloon *) d;
	uint8_t s[STAT_SIZE];

	for (unsigned i = 0; i < STATS_GIVEN_MAX && vq_chain_read(chain, s, sizeof(s)) == sizeof(s); i++) {
		unsigned which = get_le16(s);

		if (which >= BALLOON_N_STATS_)
			continue;
		b->stat[which] = get_le64(s + 2);
		b->known |= 1u << which;
	}
	ask_for_stats(b, q); /* a driver has one buffer: with two it waits for the newer */
	b->when = time_now_ns() / 1000000000;
	b->kept = true;
	b->id = chain->id;
	b->slots = chain->slots;
	return 0;
}

/* Free pages are given as buffers: where they are in the guest follows from where they are mapped. */
static int report(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	const struct gmem *m = &d->vm->mem;
	const struct iovec *v = vq_chain_in(chain);

	for (unsigned i = 0; i < chain->nr_in; i++)
		gmem_discard(m, gmem_address(m, v[i].iov_base), v[i].iov_len);
	vio_push(d, q, chain, 0);
	return 0;
}

static int balloon_notify(struct vio_dev *d, unsigned q)
{
	bool stats = q == Q_STATS && (d->features & F_STATS);

	return vio_each(d, q, q == Q_INFLATE ? inflate : q == Q_DEFLATE ? deflate : stats ? take_stats : report);
}

static void balloon_stop(struct vio_dev *d)
{
	struct balloon *b = (struct balloon *) d;

	b->kept = false;
	b->known = 0;
	b->when = 0;
}

static void balloon_free(struct vio_dev *d)
{
	struct balloon *b = (struct balloon *) d;

	loop_remove(d->vm->loop, &b->tick);
	if (b->timer >= 0)
		(void) close(b->timer); /* nothing was written to it */
	free(b);
}

static const struct vio_ops balloon_ops = { .name = "virtio-balloon", .nick = "balloon", .id = 5, .class = 0x00FF00,
					    .config_written = config_written, .stop = balloon_stop, .notify = balloon_notify, .free = balloon_free };

static int watch(struct balloon *b, struct err *err)
{
	int r;

	b->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = b->timer < 0 ? -errno : loop_add(b->vio.vm->loop, &b->tick, b->timer, EPOLLIN, tick_ready, b);
	return r < 0 ? err_set(err, r, "virtio-balloon: make a timer") : 0;
}

int balloon_add(struct vm *vm, struct pci_bus *bus, void (*changed)(void *arg), void *arg, struct balloon **ret,
		struct err *err)
{
	struct balloon *b = calloc(1, sizeof(*b));
	int r;

	if (b == NULL)
		return err_set(err, -ENOMEM, "make virtio-balloon");
	b->changed = changed;
	b->arg = arg;
	b->tick.fd = b->timer = -1;
	r = vio_init(&b->vio, vm, &balloon_ops, F_STATS | F_DEFLATE_ON_OOM | F_REPORTING, QUEUES, err);
	if (r == 0)
		r = watch(b, err);
	if (r < 0) {
		vio_fini(&b->vio);
		balloon_free(&b->vio);
		return r;
	}
	b->vio.config_len = 8;
	b->vio.config_writable_at = 4; /* how much is in it, as the guest says */
	b->vio.config_writable_len = 4;
	r = vio_pci_add(vm, bus, &b->vio, err);
	if (r == 0)
		*ret = b;
	return r;
}

uint64_t balloon_actual(const struct balloon *b)
{
	uint64_t in = get_le32(b->vio.config + 4) * PAGE, all = b->vio.vm->mem.size;

	return in < all ? all - in : 0;
}

uint64_t balloon_interval(struct balloon *b, const uint64_t *set)
{
	if (set != NULL) {
		b->interval = *set;
		ask_for_stats(b, Q_STATS);
	}
	return b->interval;
}

unsigned balloon_stats(struct balloon *b, uint64_t ret[BALLOON_N_STATS_], int64_t *when)
{
	if (when != NULL)
		*when = b->when;
	memcpy(ret, b->stat, sizeof(b->stat));
	ask_for_stats(b, Q_STATS);
	return b->known;
}

void balloon_request(struct balloon *b, uint64_t bytes)
{
	uint64_t all = b->vio.vm->mem.size;

	put_le32(b->vio.config, (uint32_t) (bytes < all ? (all - bytes) / PAGE : 0));
	vio_config_changed(&b->vio);
}
