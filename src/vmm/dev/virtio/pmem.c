/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio persistent memory
 *
 * The file's pages are mapped into the guest; the only request is to make what was written last.
 * Spec: virtio 1.2, 5.19.
 */
#include "vmm/dev/virtio/pmem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/blk_file.h"
#include "vmm/dev/virtio/virtio.h"

#define REQUEST_FLUSH 0

struct pmem {
	struct vio_dev vio;
	struct blk_file *file;
	void *host;
	uint64_t size;
};

static void flushed(void *arg, void *request, int64_t result)
{
	struct pmem *p = arg;
	struct vq_chain *chain = request;
	uint8_t answer[4];

	put_le32(answer, result < 0);
	vio_push(&p->vio, 0, chain, (uint32_t) vq_chain_write(chain, answer, sizeof(answer)));
	free(chain);
}

static void settled(void *arg)
{
	struct pmem *p = arg;

	vio_signal(&p->vio, 0);
}

static const struct blk_file_ops file_ops = { .done = flushed, .settled = settled };

static int flush(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct pmem *p = (struct pmem *) d;
	struct vq_chain *kept = malloc(sizeof(*kept));
	uint8_t type[4];

	(void) q;
	if (kept == NULL)
		return -ENOMEM;
	*kept = *chain;
	if (vq_chain_read(kept, type, sizeof(type)) != sizeof(type) || get_le32(type) != REQUEST_FLUSH)
		flushed(p, kept, -EINVAL);
	else
		blk_file_add(p->file, BLK_OP_FLUSH, NULL, 0, 0, 0, kept);
	return 0;
}

static int pmem_notify(struct vio_dev *d, unsigned q)
{
	int r = vio_each(d, q, flush);

	blk_file_submit(((struct pmem *) d)->file);
	return r;
}

static void pmem_stop(struct vio_dev *d)
{
	blk_file_drain(((struct pmem *) d)->file);
}

static void pmem_free(struct vio_dev *d)
{
	struct pmem *p = (struct pmem *) d;

	blk_file_free(p->file);
	if (p->host != NULL)
		(void) munmap(p->host, p->size); /* the accelerator may still know it: nothing executes any more */
	free(p);
}

static const struct vio_ops pmem_ops = { .name = "virtio-pmem", .nick = "pmem", .id = 27, .class = 0x00FF00, .notify = pmem_notify,
					 .stop = pmem_stop, .free = pmem_free };

static int map(struct pmem *p, struct pci_bus *bus, int fd, const char *name, bool readonly, struct err *err)
{
	struct accel *a = p->vio.vm->accel;
	struct stat st;
	uint64_t gpa;
	void *host;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "pmem '%s': find its size", name);
	if (st.st_size <= 0 || (uint64_t) st.st_size % GMEM_ALIGN != 0)
		return err_msg(err, -EINVAL, "pmem '%s' has %lld bytes, not a multiple of 2 MiB", name,
			       (long long) st.st_size);
	host = mmap(NULL, (size_t) st.st_size, PROT_READ | (readonly ? 0 : PROT_WRITE), MAP_SHARED, fd, 0);
	if (host == MAP_FAILED)
		return err_set(err, -errno, "pmem '%s': map it", name);
	p->host = host;
	p->size = (uint64_t) st.st_size;
	r = pci_window64_take(bus, p->size, &gpa);
	if (r == 0)
		r = a->ops->map(a, gpa, host, p->size, fd, readonly);
	if (r < 0)
		return err_set(err, r, "pmem '%s': give it to the guest", name);
	put_le64(p->vio.config, gpa);
	put_le64(p->vio.config + 8, p->size);
	p->vio.config_len = 16;
	return blk_file_new(p->vio.vm, fd, &file_ops, p, &p->file, err);
}

int pmem_add(struct vm *vm, struct pci_bus *bus, int fd, const char *name, bool readonly, struct err *err)
{
	struct pmem *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return err_set(err, -ENOMEM, "make virtio-pmem");
	r = vio_init(&p->vio, vm, &pmem_ops, 0, 1, err);
	if (r == 0)
		r = map(p, bus, fd, name, readonly, err);
	if (r < 0) {
		vio_fini(&p->vio);
		pmem_free(&p->vio);
		return r;
	}
	return vio_pci_add(vm, bus, &p->vio, err);
}
