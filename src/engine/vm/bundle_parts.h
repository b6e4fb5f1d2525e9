/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/vm/network.h"
#include "net/device.h"

struct err;
struct oci_spec;
struct vm_want;

/** struct vm_bundle_net - @devices of a network namespace, and the @nets of the machine in their places; @n of each */
struct vm_bundle_net {
	struct net_device devices[NET_DEVICES_MAX];
	struct vm_net nets[NET_DEVICES_MAX];
	size_t n;
};

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

/**
 * vm_bundle_clone() - make the process that stands for the program, in the network namespace of a configuration
 * Context: single-threaded process.
 * Return: its pid; 0 in it; -errno with a message.
 */
int vm_bundle_clone(const struct oci_spec *spec, int *ret_pidfd, struct err *err);

/**
 * vm_bundle_network() - take the places of the devices in this process' network namespace
 * @cpus: of the machine
 * @ret: stays where it is: the nets point to the devices
 * Return: 0; -errno with a message; what was made then ends with this process.
 */
int vm_bundle_network(struct vm_bundle_net *ret, uint64_t cpus, struct err *err);
