/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_process;
struct oci_spec;
struct str;
struct vm_net;

/** struct vm_size - of a terminal; 0 is not known */
struct vm_size {
	uint16_t rows, columns;
};

/**
 * struct vm_how - @number: of the program, for its streams; @input: it gets standard input; @size: of its terminal;
 *                 @image: the root directory is not the shared one; @ours: it is the host's, not the instance's
 */
struct vm_how {
	uint64_t number;
	bool input, image, ours;
	struct vm_size size;
};

/** vm_message_number() - a number that no other program of the machine has */
uint64_t vm_message_number(void);

/**
 * vm_message_run() - append the message that starts an instance's program
 * @spec: mounts of directories and files are not looked at: the host has made them
 * @nets: network devices, @nr_nets of them
 * Return: 0; -E2BIG it is over a limit of the protocol; -errno; with a message.
 */
int vm_message_run(const struct oci_spec *spec, const struct vm_how *how, const struct vm_net *nets, size_t nr_nets,
		   struct str *ret, struct err *err);

/** vm_message_connect() - the message of a network device that came while the machine runs */
int vm_message_connect(const struct vm_net *net, struct str *ret, struct err *err);

/** vm_message_exec() - the same for a further program, which has @spec's filter */
int vm_message_exec(const struct oci_spec *spec, const struct oci_process *p, const struct vm_how *how, struct str *ret,
		    struct err *err);
