/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pci_bus;
struct vm;

#define BLK_SERIAL_MAX 20 /* bytes */
#define BLK_QUEUES_MAX 16

/**
 * struct blk_config - a disk
 * @fd: file or block device; borrowed
 * @name: for messages
 * @serial: at most BLK_SERIAL_MAX bytes; may be NULL
 * @queues: rings, 1 to BLK_QUEUES_MAX
 * @split: do not offer packed rings
 */
struct blk_config {
	int fd;
	const char *name, *serial;
	bool readonly, split;
	unsigned queues;
};

/**
 * blk_add() - a disk; nobody else may write to its file meanwhile
 * Return: 0; -EBUSY another process uses it; -errno, with a message.
 */
int blk_add(struct vm *vm, struct pci_bus *bus, const struct blk_config *conf, struct err *err);
