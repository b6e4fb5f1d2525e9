/* SPDX-License-Identifier: MIT */
/*
 * The layers of an image as one read-only file system, for machines that use its pages in place.  It lies in the directory
 * of the layer that is on top, and goes when that goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_config;
struct engine;
struct err;

/**
 * vm_image_open() - the file system of some layers, if it was made
 * @chain: chain ids, lowest first, separated by spaces
 * @memory: bytes of the machine: one that is small cannot show much
 * Return: descriptor; -ENOENT it was not made yet; -EFBIG it is not for this machine; -errno.
 */
int vm_image_open(struct engine *e, const char *chain, uint64_t memory);

/** vm_image_is_for() - can an instance that is written use such a file system? */
bool vm_image_is_for(const struct engine *e, const struct eng_config *config);

/**
 * vm_image_make_later() - have it made by a process of its own, if it is not there
 * Somebody else may be making it.  What goes wrong is tried again the next time.
 */
void vm_image_make_later(struct engine *e, const char *chain);
