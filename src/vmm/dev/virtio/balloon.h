/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#define BALLOON_NEWS_MS 1000

struct balloon;
struct err;
struct pci_bus;
struct vm;

#define BALLOON_N_STATS_ 10 /* numbers that a guest tells of its memory; virtio 1.2, 5.5.6.4 */

/**
 * balloon_add() - memory goes back to the host: what the guest is asked for, and what it reports as free
 * @changed: told that the guest has another part of its memory, at most once in BALLOON_NEWS_MS; with the lock
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int balloon_add(struct vm *vm, struct pci_bus *bus, void (*changed)(void *arg), void *arg, struct balloon **ret,
		struct err *err);

/** balloon_interval() - how often somebody wants to ask what the guest says, in seconds; @set: what it is from now on, NULL: as it is */
uint64_t balloon_interval(struct balloon *b, const uint64_t *set);

/** balloon_actual() - bytes that the guest has left */
uint64_t balloon_actual(const struct balloon *b);

/** balloon_request() - ask the guest to go on with @bytes of its memory; it does what it can */
void balloon_request(struct balloon *b, uint64_t bytes);

/**
 * balloon_stats() - what the guest said last of its memory, in the order of the specification; it is asked for newer
 * numbers
 * @when: returns when it did, in seconds since 1970, 0 for never; may be NULL
 * Return: a bit for each that is known.
 */
unsigned balloon_stats(struct balloon *b, uint64_t ret[BALLOON_N_STATS_], int64_t *when);
