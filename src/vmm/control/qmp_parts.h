/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#define QMP_PERIPHERAL "/machine/peripheral/" /* where devices are in the tree of objects: their names follow */

/* Processors are there; a number for printf(3) follows. */
#define QMP_PROCESSOR "/machine/unattached/device[%u]"

#define QMP_FDSET "/dev/fdset/" /* what files in sets of descriptors are called: the number follows */

struct balloon;
struct str;

/**
 * qmp_balloon_stats() - member "stats": what the guest said of its memory; it is asked for newer numbers, which the next
 * query finds
 * @all: also when that was, and numbers that it did not say
 */
void qmp_balloon_stats(struct balloon *b, struct str *ret, bool all);

/** qmp_place() - member "props" of a processor: where it is */
void qmp_place(struct str *ret, unsigned index);

/* The version of QEMU whose commands clients may expect, and who we are. */
#define QMP_VERSION                                                                                \
	"{\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 0}, \"package\": \"cleave-vmm " CLEAVE_VERSION "\"}"
