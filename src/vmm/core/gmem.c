/* SPDX-License-Identifier: MIT */
/**
 * DOC: guest memory
 *
 * A memfd, which another process can map too.  Most hosts are set up not to use large pages for those,
 * so memory that nobody shares is anonymous there: a boot then has 40 page faults instead of 28,000, and takes
 * 568 ms of emulated time instead of 707.  For the same reason the mapping starts at a multiple of 2 MiB, as
 * the regions do for the guest.
 */
#include "vmm/core/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#define PAGE 4096u

static void unmap(void *p, size_t n)
{
	if (n > 0)
		(void) munmap(p, n); /* of a mapping that exists: cannot fail */
}

/* Does the host use large pages for memfds when asked to? */
static bool memfds_have_large_pages(void)
{
	_cleanup_(str_fini) struct str s = { 0 };

	if (file_read(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/shmem_enabled", 256, &s) < 0 || s.len == 0)
		return false;
	return strstr(s.p, "[never]") == NULL && strstr(s.p, "[deny]") == NULL;
}

/* Map @size bytes of @fd, or of nothing, at a multiple of GMEM_ALIGN; @flags of mmap() beside those. */
static uint8_t *map_aligned(int fd, uint64_t size, int flags)
{
	uint8_t *space = mmap(NULL, size + GMEM_ALIGN, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int kind = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	uint8_t *at;

	if (space == MAP_FAILED)
		return NULL;
	at = (uint8_t *) (((uintptr_t) space + GMEM_ALIGN - 1) & ~(uintptr_t) (GMEM_ALIGN - 1));
	if (mmap(at, size, PROT_READ | PROT_WRITE, kind | MAP_FIXED | flags, fd, 0) ==
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

static int make_memfd(uint64_t size, bool huge, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("guest-memory", MFD_CLOEXEC | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));

	if (fd < 0)
		return err_set(err, -errno, "make guest memory%s", huge ? " of huge pages" : "");
	if (ftruncate(fd, (off_t) size) < 0)
		return err_set(err, -errno, "make guest memory of %llu MiB", (unsigned long long) size >> 20);
	return take_fd(fd);
}

int gmem_init(struct gmem *ret, uint64_t size, unsigned flags, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t low = size < GMEM_LOW_MAX ? size : GMEM_LOW_MAX;
	bool huge = flags & GMEM_HUGE;
	uint8_t *host;

	if (size < GMEM_SIZE_MIN || size > GMEM_SIZE_MAX || size % GMEM_ALIGN != 0)
		return err_msg(err, -EINVAL,
			       "memory of %llu bytes: it must be %llu MiB to %llu GiB, in steps of 2 MiB",
			       (unsigned long long) size, GMEM_SIZE_MIN >> 20, GMEM_SIZE_MAX >> 30);
	if (flags != 0 || memfds_have_large_pages()) {
		fd = make_memfd(size, huge, err);
		if (fd < 0)
			return fd;
	}
	host = map_aligned(fd, size, huge ? 0 : MAP_NORESERVE);
	if (host == NULL && huge && errno == ENOMEM)
		return err_msg(err, -ENOMEM,
			       "guest memory of %llu MiB: the host has not that much in free huge pages: reserve %llu more (sysctl vm.nr_hugepages)",
			       (unsigned long long) size >> 20, (unsigned long long) (size / GMEM_ALIGN));
	if (host == NULL)
		return err_set(err, -errno, "map guest memory of %llu MiB",
			       (unsigned long long) size >> 20);
	if (!huge)
		(void) madvise(host, size, MADV_HUGEPAGE); /* where the host allows it */
	(void) madvise(host, size, MADV_DONTDUMP); /* a core file of the VMM is small without it */
	*ret = (struct gmem) { .fd = take_fd(fd), .size = size, .huge = huge, .nr_regions = 1 };
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
	if (m->fd >= 0)
		(void) close(m->fd); /* nothing was written through it */
	*m = (struct gmem) { .fd = -EBADF };
}

static int discard(const struct gmem *m, uint8_t *p, uint64_t len)
{
	return madvise(p, len, m->fd >= 0 ? MADV_REMOVE : MADV_DONTNEED) < 0 ? -errno : 0;
}

int gmem_clear(struct gmem *m)
{
	if (!m->huge)
		return discard(m, m->region[0].host, m->size);
	memset(m->region[0].host, 0, m->size);
	return 0;
}

void gmem_discard(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	uint8_t *p = gmem_map(m, gpa, len);

	if (p != NULL && !m->huge && len > 0 && gpa % PAGE == 0 && len % PAGE == 0)
		(void) discard(m, p, len); /* the host may keep it */
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

uint64_t gmem_address(const struct gmem *m, const void *host)
{
	uint64_t at = (uint64_t) ((const uint8_t *) host - m->region[0].host);

	return at < m->region[0].size ? at : at - m->region[0].size + GMEM_HIGH_BASE;
}

void gmem_wrote(const struct gmem *m, const void *host, uint64_t len)
{
	if (m->wrote != NULL && len > 0)
		m->wrote(m->wrote_arg, gmem_address(m, host), len);
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
