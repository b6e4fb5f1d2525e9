/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct pci_bus;
struct vm;

/**
 * pmem_add() - a file that the guest sees as memory; it is read without any request, and without a copy in the guest
 * @fd: a file of a multiple of 2 MiB; borrowed
 * @readonly: what the guest writes is lost
 * Return: 0; -EINVAL size; -ENOSPC no addresses; -errno, with a message.
 */
int pmem_add(struct vm *vm, struct pci_bus *bus, int fd, const char *name, bool readonly, struct err *err);
