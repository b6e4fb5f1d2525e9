/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio memory balloon
 *
 * Pages that the guest puts into the balloon, and those that it reports as free, are given back to the
 * host's kernel; they read as zeroes when the guest takes them again.
 * Spec: virtio 1.2, 5.5.
 */
#include "vmm/dev/virtio/balloon.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/virtio.h"

#define F_DEFLATE_ON_OOM (1ull << 2)
#define F_REPORTING (1ull << 5)

#define PAGE 4096ull
#define PAGES_MAX 4096 /* of one request; drivers give 256 */
#define QUEUES 3 /* inflate, deflate, report: there are no statistics and hints, whose rings would come between */

struct balloon {
	struct vio_dev vio;
};

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
	static int (*const one[])(struct vio_dev *, unsigned, struct vq_chain *) = { inflate, deflate, report };

	return vio_each(d, q, one[q]);
}

static void balloon_free(struct vio_dev *d)
{
	free(d);
}

static const struct vio_ops balloon_ops = { .name = "virtio-balloon", .id = 5, .class = 0x00FF00,
					    .notify = balloon_notify, .free = balloon_free };

int balloon_add(struct vm *vm, struct pci_bus *bus, struct balloon **ret, struct err *err)
{
	struct balloon *b = calloc(1, sizeof(*b));
	int r;

	if (b == NULL)
		return err_set(err, -ENOMEM, "make virtio-balloon");
	r = vio_init(&b->vio, vm, &balloon_ops, F_DEFLATE_ON_OOM | F_REPORTING, QUEUES, err);
	if (r < 0) {
		vio_fini(&b->vio);
		free(b);
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

void balloon_request(struct balloon *b, uint64_t bytes)
{
	uint64_t all = b->vio.vm->mem.size;

	put_le32(b->vio.config, (uint32_t) (bytes < all ? (all - bytes) / PAGE : 0));
	vio_config_changed(&b->vio);
}
