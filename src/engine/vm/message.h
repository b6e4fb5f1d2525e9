/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct err;
struct oci_process;
struct oci_spec;
struct str;

/** struct vm_size - of a terminal; 0 is not known */
struct vm_size {
	uint16_t rows, columns;
};

/**
 * vm_message_run() - append the message that starts an instance's program
 * @spec: mounts of directories and files are not looked at: the host has made them
 * @input: it gets standard input
 * Return: 0; -E2BIG it is over a limit of the protocol; -errno; with a message.
 */
int vm_message_run(const struct oci_spec *spec, int input, struct vm_size size, struct str *ret, struct err *err);

/** vm_message_exec() - the same for a further program, which has @spec's filter */
int vm_message_exec(const struct oci_spec *spec, const struct oci_process *p, int input, struct vm_size size,
		    struct str *ret, struct err *err);
