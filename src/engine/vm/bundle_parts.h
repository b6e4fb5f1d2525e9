/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_spec;
struct vm_want;

/**
 * vm_bundle_want() - what machine a configuration asks for
 * @ret: borrows from @spec
 * Return: 0; -EINVAL; -EOPNOTSUPP it asks for what no machine can be; with a message.
 */
int vm_bundle_want(const struct oci_spec *spec, struct vm_want *ret, struct err *err);

/**
 * vm_bundle_find_program() - refuse a configuration whose program is surely not there
 * @root: its root directory, with all that the host mounts in it
 * Return: 0; -ENOENT with a message.
 */
int vm_bundle_find_program(const struct oci_spec *spec, int root, struct err *err);

/**
 * vm_bundle_use_terminal() - make a terminal the standard input, output and error of this process
 * Who creates a container with a terminal waits for the end of the pipes that it was created with.
 * Return: 0; -errno with a message.
 */
int vm_bundle_use_terminal(int terminal, struct err *err);

/** vm_bundle_send_terminal() - to a console socket, as runtimes do; 0 or -errno with a message */
int vm_bundle_send_terminal(int sock, int master, struct err *err);
