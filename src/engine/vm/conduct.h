/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct vm_size;

/**
 * struct vm_program - a program in a virtual machine, and the process that stands for it on the host
 * @dir: of the instance in the run root
 * @control: connection that started it
 * @number: of its streams
 * @machine: pidfd of the machine, when it ends with the program; -EBADF
 * @signals: descriptor of vm_conduct_signals()
 * @terminal: the slave of the terminal on the host, raw; -EBADF
 * @oom: returns: something was killed for want of memory
 */
struct vm_program {
	int dir, control, machine, signals, terminal;
	uint64_t number;
	bool input, oom;
};

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
 * vm_conduct() - copy input and output, forward signals, until the program has ended
 * Standard input, output and error of the program are this process'.
 * Return: exit status of the program; -ECONNRESET the machine has ended before.
 */
int vm_conduct(struct vm_program *p);
