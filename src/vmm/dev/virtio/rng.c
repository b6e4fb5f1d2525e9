/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio entropy device
 *
 * Random numbers of the host's kernel, at most REQUEST_MAX bytes per buffer, so that one request
 * does not hold up others.
 * Spec: virtio 1.2, 5.4.
 */
#include "vmm/dev/virtio/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/err.h"
#include "vmm/dev/virtio/virtio.h"

#define REQUEST_MAX 256 /* bytes: getrandom(2) never blocks and never returns less */

static int fill(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	uint8_t buf[REQUEST_MAX];
	ssize_t n = getrandom(buf, sizeof(buf), 0);

	if (n < 0)
		return -errno;
	vio_push(d, q, chain, (uint32_t) vq_chain_write(chain, buf, (size_t) n));
	return 0;
}

static int rng_notify(struct vio_dev *d, unsigned q)
{
	return vio_each(d, q, fill);
}

static void rng_free(struct vio_dev *d)
{
	free(d);
}

static const struct vio_ops rng_ops = { .name = "virtio-rng", .nick = "rng", .id = 4, .class = 0x00FF00,
					.notify = rng_notify, .free = rng_free };

int rng_add(struct vm *vm, struct pci_bus *bus, struct err *err)
{
	struct vio_dev *d = calloc(1, sizeof(*d));
	int r;

	if (d == NULL)
		return err_set(err, -ENOMEM, "make virtio-rng");
	r = vio_init(d, vm, &rng_ops, 0, 1, err);
	if (r < 0) {
		vio_fini(d);
		free(d);
		return r;
	}
	return vio_pci_add(vm, bus, d, err);
}
