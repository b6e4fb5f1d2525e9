/* SPDX-License-Identifier: MIT */
/*
 * A process that does nothing, so that its namespaces stay: `cleave-monitor k`.  A file has its pid and start time.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct err;

/**
 * keeper_make() - start one, and note it
 * @monitor: path of cleave-monitor
 * @flags: CLONE_NEWUSER, CLONE_NEWNET: namespaces that are made for it
 * @prepare: called with its pid before it is noted; NULL for nothing; a failure ends it
 * @note: descriptor of the file
 * Return: 0; -errno with a message.
 */
int keeper_make(const char *monitor, uint64_t flags, int (*prepare)(pid_t pid, struct err *err), int note, struct err *err);

/**
 * keeper_find() - the one that was noted
 * @ret: its pid; may be NULL
 * Return: pidfd; -ESRCH there is none any more; -errno.
 */
int keeper_find(int note, pid_t *ret);

/** keeper_end() - kill it, and forget it; nothing happens when there is none */
void keeper_end(int note);
