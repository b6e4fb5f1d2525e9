/* SPDX-License-Identifier: MIT */
/**
 * DOC: guest memory
 *
 * One memfd, so that another process (a device, a software processor) can map the same memory.  The
 * mapping starts at a multiple of 2 MiB, as the regions do for the guest: both page tables can then
 * use large pages, which saves most page faults of a boot.
 */
#include "vmm/core/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

static void unmap(void *p, size_t n)
{
	if (n > 0)
		(void) munmap(p, n); /* of a mapping that exists: cannot fail */
}

/* Map @size bytes of @fd at a multiple of GMEM_ALIGN. */
static uint8_t *map_aligned(int fd, uint64_t size)
{
	uint8_t *space = mmap(NULL, size + GMEM_ALIGN, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *at;

	if (space == MAP_FAILED)
		return NULL;
	at = (uint8_t *) (((uintptr_t) space + GMEM_ALIGN - 1) & ~(uintptr_t) (GMEM_ALIGN - 1));
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) ==
	    MAP_FAILED) {
		int saved = errno;

		unmap(space, size + GMEM_ALIGN);
		errno = saved;
		return NULL;
	}
	unmap(space, (size_t) (at - space));
	unmap(at + size, (size_t) (space + GMEM_ALIGN - at));
	return at;
}

int gmem_init(struct gmem *ret, uint64_t size, bool huge, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t low = size < GMEM_LOW_MAX ? size : GMEM_LOW_MAX;
	uint8_t *host;

	if (size < GMEM_SIZE_MIN || size > GMEM_SIZE_MAX || size % GMEM_ALIGN != 0)
		return err_msg(err, -EINVAL,
			       "memory of %llu bytes: it must be %llu MiB to %llu GiB, in steps of 2 MiB",
			       (unsigned long long) size, GMEM_SIZE_MIN >> 20, GMEM_SIZE_MAX >> 30);
	fd = memfd_create("guest-memory", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
	if (fd < 0)
		return err_set(err, -errno, "make guest memory%s", huge ? " of huge pages" : "");
	if (ftruncate(fd, (off_t) size) < 0)
		return err_set(err, -errno, "make guest memory of %llu MiB",
			       (unsigned long long) size >> 20);
	host = map_aligned(fd, size);
	if (host == NULL)
		return err_set(err, -errno, "map guest memory of %llu MiB",
			       (unsigned long long) size >> 20);
	if (!huge)
		(void) madvise(host, size, MADV_HUGEPAGE); /* where the host allows it for shared memory */
	(void) madvise(host, size, MADV_DONTDUMP); /* a core file of the VMM is small without it */
	*ret = (struct gmem) { .fd = take_fd(fd), .size = size, .nr_regions = 1 };
	ret->region[0] = (struct gmem_region) { .gpa = 0, .size = low, .host = host };
	if (size > low) {
		ret->region[1] = (struct gmem_region) { .gpa = GMEM_HIGH_BASE, .size = size - low,
							.host = host + low };
		ret->nr_regions = 2;
	}
	return 0;
}

void gmem_fini(struct gmem *m)
{
	if (m->size == 0)
		return;
	unmap(m->region[0].host, m->size);
	(void) close(m->fd); /* nothing was written through it */
	*m = (struct gmem) { .fd = -EBADF };
}

int gmem_clear(struct gmem *m)
{
	if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t) m->size) < 0)
		return -errno;
	return 0;
}

void *gmem_map(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	for (unsigned i = 0; i < m->nr_regions; i++) {
		const struct gmem_region *r = &m->region[i];

		if (gpa >= r->gpa && gpa - r->gpa <= r->size && len <= r->size - (gpa - r->gpa))
			return r->host + (gpa - r->gpa);
	}
	return NULL;
}

int gmem_read(const struct gmem *m, uint64_t gpa, void *ret, uint64_t len)
{
	const void *p = gmem_map(m, gpa, len);

	if (p == NULL)
		return -EFAULT;
	memcpy(ret, p, len);
	return 0;
}

int gmem_write(const struct gmem *m, uint64_t gpa, const void *data, uint64_t len)
{
	void *p = gmem_map(m, gpa, len);

	if (p == NULL)
		return -EFAULT;
	memcpy(p, data, len);
	return 0;
}

uint64_t gmem_low_end(const struct gmem *m)
{
	return m->region[0].size;
}

uint64_t gmem_end(const struct gmem *m)
{
	const struct gmem_region *last = &m->region[m->nr_regions - 1];

	return last->gpa + last->size;
}
