/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory: in one piece, mapped once, seen by the guest below the device window and, what
 * does not fit there, from 4 GiB on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define GMEM_SIZE_MIN (32ull << 20) /* bytes: less does not hold a stock kernel and its initramfs */
#define GMEM_SIZE_MAX (1ull << 40) /* bytes: the window for devices follows, see pci_window */
#define GMEM_LOW_MAX 0xB0000000ull /* guest address where the window of devices begins */
#define GMEM_HIGH_BASE 0x100000000ull /* guest address of the memory that does not fit below */
#define GMEM_REGIONS_MAX 2
#define GMEM_ALIGN (2ull << 20) /* bytes: so that host and guest can both use huge pages */

/**
 * struct gmem_region - memory that is contiguous for the guest
 * @gpa: guest address
 * @size: bytes
 * @host: where it is mapped
 */
struct gmem_region {
	uint64_t gpa, size;
	uint8_t *host;
};

/**
 * struct gmem - the guest's memory
 * @fd: the memfd; -EBADF for memory of this process alone
 * @size: bytes of all regions
 * @huge: of reserved pages, which stay: given back once, somebody else may have them when they are needed
 * @region: @nr_regions of them, by rising address
 * @wrote: told of what devices have written, before the guest is, with @wrote_arg; any thread.  NULL: nobody cares
 */
struct gmem {
	void (*wrote)(void *arg, uint64_t gpa, uint64_t len);
	void *wrote_arg;
	int fd;
	uint64_t size;
	bool huge;
	unsigned nr_regions;
	struct gmem_region region[GMEM_REGIONS_MAX];
};

/** enum gmem_flags - GMEM_SHARED: other processes map it too; GMEM_HUGE: of the host's reserved huge pages */
enum gmem_flags { GMEM_SHARED = 1, GMEM_HUGE = 2 };

/**
 * gmem_init() - make memory that reads as zero
 * @size: bytes, GMEM_SIZE_MIN to GMEM_SIZE_MAX, a multiple of GMEM_ALIGN
 * @flags: of enum gmem_flags
 * Return: 0; -EINVAL @size; -ENOMEM not so many huge pages are free; -errno, with a message.
 */
int gmem_init(struct gmem *ret, uint64_t size, unsigned flags, struct err *err);

/** gmem_fini() - release */
void gmem_fini(struct gmem *m);

/**
 * gmem_clear() - make all of it read as zero again; its pages go back to the host, but huge ones
 * Return: 0; -errno.
 */
int gmem_clear(struct gmem *m);

/** gmem_discard() - pages go back to the host and read as zero; a range that is not whole pages of memory is ignored, as huge ones are */
void gmem_discard(const struct gmem *m, uint64_t gpa, uint64_t len);

/**
 * gmem_map() - host address of @len bytes of guest memory
 * @gpa: any number that the guest chose
 * Context: the guest may change what is there at any moment: copy, then check the copy.
 * Return: borrowed; NULL when they are not all inside one region.
 */
void *gmem_map(const struct gmem *m, uint64_t gpa, uint64_t len);

/** gmem_address() - guest address of what gmem_map() returned */
uint64_t gmem_address(const struct gmem *m, const void *host);

/** gmem_wrote() - a device has written @len bytes at @host, which gmem_map() returned, and is about to tell the guest */
void gmem_wrote(const struct gmem *m, const void *host, uint64_t len);

/** gmem_read() - copy from the guest; 0 or -EFAULT (then nothing is copied) */
int gmem_read(const struct gmem *m, uint64_t gpa, void *ret, uint64_t len);

/** gmem_write() - copy to the guest; 0 or -EFAULT (then nothing is copied) */
int gmem_write(const struct gmem *m, uint64_t gpa, const void *data, uint64_t len);

/** gmem_low_end() - guest address behind the memory that is below the window of devices */
uint64_t gmem_low_end(const struct gmem *m);

/** gmem_end() - guest address behind all memory */
uint64_t gmem_end(const struct gmem *m);
