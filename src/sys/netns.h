/* SPDX-License-Identifier: MIT */
#pragma once

/**
 * netns_call() - call a function in another network namespace
 * @netns: descriptor; -EBADF: it is called here
 * @fn: may do everything that does not need a way back to this namespace, such as opening descriptors
 *
 * A process of its own calls it, with our memory and our descriptors, while this one waits: a user who enters a
 * namespace of his has no right to come back.
 *
 * Context: single-threaded process; @fn must not end the process.
 * Return: what @fn returns; -errno.
 */
int netns_call(int netns, int (*fn)(void *arg), void *arg);
