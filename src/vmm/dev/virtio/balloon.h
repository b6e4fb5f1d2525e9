/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct balloon;
struct err;
struct pci_bus;
struct vm;

#define BALLOON_N_STATS_ 10 /* numbers that a guest tells of its memory; virtio 1.2, 5.5.6.4 */

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

/**
 * balloon_stats() - what the guest said last of its memory, in the order of the specification; it is asked for newer
 * numbers
 * Return: a bit for each that is known.
 */
unsigned balloon_stats(struct balloon *b, uint64_t ret[BALLOON_N_STATS_]);
