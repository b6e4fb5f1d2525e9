/* SPDX-License-Identifier: MIT */
/**
 * DOC: the process of one processor
 *
 * It belongs to the guest: guest memory, the shared world and the processor are all that is in it.  A byte
 * that comes is a command in the world's slot, a byte that goes is its answer; no more bytes, and it ends.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "vmm/accel/soft/vcpu/confine.h"
#include "vmm/accel/soft/vcpu/vcpu.h"

#define STATUS_FAILED 1
#define OWN_MEMORY (1ull << 30) /* bytes; a tenth of it is used */
#define OWN_MEMORY_PAGE 64 /* bytes for a page of the guest; a third of it is used */

static int map_world(struct world **ret)
{
	void *p = mmap(NULL, sizeof(struct world), PROT_READ | PROT_WRITE, MAP_SHARED, VCPU_FD_WORLD, 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

static int map_pages(const struct world *w, struct cpu_page **ret)
{
	void *p = mmap(NULL, w->nr_pages * sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, VCPU_FD_PAGES, 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

static int map_memory(const struct world *w, struct cpu_ram *ret)
{
	for (unsigned i = 0; i < w->nr_regions; i++) {
		const struct world_region *r = &w->region[i];
		void *p = mmap(NULL, r->size, PROT_READ | (r->readonly ? 0 : PROT_WRITE), MAP_SHARED | MAP_NORESERVE,
			       r->fd, (off_t) r->offset);

		if (p == MAP_FAILED)
			return -errno;
		ret->region[i].gpa = r->gpa;
		ret->region[i].size = r->size;
		ret->region[i].host = p;
		ret->region[i].readonly = r->readonly;
	}
	ret->nr = w->nr_regions;
	return 0;
}

/* Bytes that it needs: what is remembered of each page of the guest, and of code. */
static uint64_t own_memory(const struct cpu_ram *ram)
{
	uint64_t n = OWN_MEMORY;

	for (unsigned i = 0; i < ram->nr; i++)
		n += ram->region[i].size / 4096 * OWN_MEMORY_PAGE;
	return n;
}

static int prepare(unsigned index, struct cpu_ram *ram, struct world **w, struct vcpu **ret)
{
	struct cpu_page *pages = NULL;
	int r = map_world(w);

	if (r == 0)
		r = map_pages(*w, &pages);
	if (r == 0)
		r = map_memory(*w, ram);
	if (r == 0)
		r = vcpu_new(*w, ram, pages, index, ret);
	if (r == 0)
		r = vcpu_adopt(*ret);
	if (r == 0)
		r = vcpu_confine(own_memory(ram));
	if (*w != NULL)
		(*w)->slot[index].result = r;
	return r;
}

static int tell(void)
{
	return write(VCPU_FD_ANSWER, "", 1) == 1 ? 0 : -EPIPE;
}

/* A timer's signal may come while nothing is commanded. */
static bool commanded(void)
{
	char byte;
	ssize_t n;

	do
		n = read(VCPU_FD_COMMAND, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

int vcpu_main(int argc, char **argv)
{
	struct cpu_ram ram = { 0 };
	struct world *w = NULL;
	struct vcpu *v = NULL;
	uint64_t index;
	int r;

	if (argc < 2 || str_to_u64(argv[1], &index) < 0 || index >= VM_CPUS_MAX)
		return STATUS_FAILED;
	r = prepare((unsigned) index, &ram, &w, &v);
	while (tell() == 0 && r == 0 && commanded())
		w->slot[index].result = vcpu_do(v);
	return r < 0 ? STATUS_FAILED : 0;
}
