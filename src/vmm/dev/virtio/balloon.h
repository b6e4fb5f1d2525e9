/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct balloon;
struct err;
struct pci_bus;
struct vm;

/**
 * balloon_add() - memory goes back to the host: what the guest is asked for, and what it reports as free
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int balloon_add(struct vm *vm, struct pci_bus *bus, struct balloon **ret, struct err *err);

/** balloon_actual() - bytes that the guest has left */
uint64_t balloon_actual(const struct balloon *b);

/** balloon_request() - ask the guest to go on with @bytes of its memory; it does what it can */
void balloon_request(struct balloon *b, uint64_t bytes);
