/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/proto/proto.h"

struct err;
struct str;
struct vm_size;

/**
 * struct vm_program - a program in a virtual machine, and the process that stands for it on the host
 * @dir: of the instance in the run root
 * @control: connection that started it
 * @stream: connections of its streams; those of a terminal are one
 * @machine: pidfd of the machine, when it ends with the program; -EBADF
 * @signals: descriptor of vm_conduct_signals()
 * @terminal: the slave of the terminal on the host, raw; -EBADF
 * @oom: returns: something was killed for want of memory
 */
struct vm_program {
	int dir, control, machine, signals, terminal;
	int stream[GUEST_STREAM_N_];
	bool input, oom;
};

#define VM_PROGRAM_NONE { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, { -EBADF, -EBADF }, false, false }

/** vm_conduct_signals() - take all signals of this process; descriptor; -errno with a message */
int vm_conduct_signals(struct err *err);

/**
 * vm_conduct_terminal() - open a terminal on the host that passes all on as it is
 * The slave becomes the controlling terminal of this process, so that changes of the size are known.
 * Return: 0; -errno with a message.
 */
int vm_conduct_terminal(int *ret_master, int *ret_slave, struct err *err);

/** vm_conduct_size() - of a terminal */
struct vm_size vm_conduct_size(int fd);

/**
 * vm_conduct_start() - have the guest run a program
 * @p: without @control a connection is made; gets @stream
 * @message: of vm_message_run() or vm_message_exec(), with @number
 * @name: of the program, for messages
 * Return: 0; -errno as of execve(2); with a message.
 */
int vm_conduct_start(struct vm_program *p, const struct str *message, uint64_t number, const char *name, struct err *err);

/**
 * vm_conduct() - copy input and output, forward signals, until the program has ended
 * Standard input, output and error of the program are this process'.
 * Return: exit status of the program; -ECONNRESET the machine has ended before.
 */
int vm_conduct(struct vm_program *p);
