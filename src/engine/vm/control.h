/* SPDX-License-Identifier: MIT */
/*
 * Commands to a machine that runs, in QEMU's machine protocol.  What comes from there is hostile, as the machine may
 * be its guest's by now.
 */
#pragma once

struct engine;
struct err;

#define VM_CONTROL "control" /* in the instance's directory of the run root; the machine makes it */

/** vm_control_open() - connect to the machine of an instance; descriptor; -ENOENT it has no such socket; -errno; with a message */
int vm_control_open(const struct engine *e, const char *id, struct err *err);

/**
 * vm_control_run() - have a command carried out
 * @json: the command
 * @fd: sent along; -EBADF for none
 * Context: blocks, for 30 s at most.
 * Return: 0; -EIO with the machine's message; -errno with a message.
 */
int vm_control_run(int sock, const char *json, int fd, struct err *err);
