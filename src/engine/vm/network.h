/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/device.h"
#include "net/link.h"

struct eng_net;
struct eng_usage;
struct engine;
struct err;

#define VM_NETS_MAX 8 /* network devices of a machine */
#define VM_QUEUES_MAX 8 /* of one */

/**
 * struct vm_net - a network device
 * @leg: its place in a network
 * @device: whose place it takes, in the process' network namespace: its addresses and routes; NULL: what @leg says
 * @fds, @queues: descriptors of the tap device on the host
 */
struct vm_net {
	struct net_leg leg;
	const struct net_device *device;
	int fds[VM_QUEUES_MAX];
	unsigned queues;
};

/**
 * vm_network_open() - make the devices of a machine that is being started
 * @net: what it was leased; NULL: nothing
 * @dir: of the instance in the run root, where their names are noted
 * @cpus: of the machine: each has a queue
 * @ret: VM_NETS_MAX
 * Return: 0; -E2BIG more than VM_NETS_MAX; -errno with a message; what was made then ends with this process.
 */
int vm_network_open(const struct eng_net *net, int dir, uint64_t cpus, struct vm_net *ret, size_t *ret_n, struct err *err);

/** vm_network_note() - note the device of a running machine that came; 0 or -errno with a message */
int vm_network_note(const struct engine *e, const char *id, const struct net_leg *leg, struct err *err);

/** vm_network_cut() - end the host's side of device @inside of a running machine; 0 also when there is none; -errno with a message */
int vm_network_cut(const struct engine *e, const char *id, const char *inside, struct err *err);

/** vm_network_usage() - add what the devices of a running machine have passed on */
void vm_network_usage(const struct engine *e, const char *id, struct eng_usage *ret);
