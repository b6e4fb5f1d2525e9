/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pci_bus;
struct vio_dev;
struct vm;

#define BLK_SERIAL_MAX 20 /* bytes */
#define BLK_QUEUES_MAX 16

/**
 * struct blk_config - a disk
 * @fd: file or block device; borrowed
 * @name: for messages
 * @id: what people call the disk; may be NULL
 * @serial: at most BLK_SERIAL_MAX bytes; may be NULL
 * @queues: rings, 1 to BLK_QUEUES_MAX
 * @split: do not offer packed rings
 */
struct blk_config {
	int fd;
	const char *id, *name, *serial;
	bool readonly, split;
	unsigned queues;
};

/** enum blk_kind - requests that are counted */
enum blk_kind { BLK_READS, BLK_WRITES, BLK_UNMAPS, BLK_FLUSHES, BLK_N_KINDS_ };

/**
 * struct blk_count - requests of a kind
 * @requests, @bytes, @ns: those that were done, of what they were about, how long they took together
 * @failures: those that the file did not do; @invalid: those that could not be meant
 */
struct blk_count {
	uint64_t requests, bytes, ns, failures, invalid;
};

/** struct blk_info - a disk and what was done with it; @highest: end of what was written furthest back */
struct blk_info {
	const char *name;
	bool readonly;
	uint64_t bytes, highest;
	struct blk_count count[BLK_N_KINDS_];
};

/** blk_query() - about a disk; 0 or -ENODEV: NULL, or something else than a disk */
int blk_query(const struct vio_dev *d, struct blk_info *ret);

/**
 * blk_resize() - make a disk larger or smaller, its file too
 * Return: 0; -errno with a message.
 */
int blk_resize(struct vio_dev *d, uint64_t bytes, struct err *err);

/**
 * blk_add() - a disk; nobody else may write to its file meanwhile
 * Return: 0; -EBUSY another process uses it; -errno, with a message.
 */
int blk_add(struct vm *vm, struct pci_bus *bus, const struct blk_config *conf, struct err *err);
