/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bpf.h>
#include <stddef.h>

#include "oci/device_rules.h"

struct err;

/** device_bpf_len() - instructions that device_bpf_write() needs at most */
size_t device_bpf_len(const struct device_rules *rules);

/**
 * device_bpf_write() - the rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE
 * @prog: room for device_bpf_len() instructions
 *
 * The program returns 1 to allow and 0 to forbid.
 * Return: instructions written.
 */
size_t device_bpf_write(const struct device_rules *rules, struct bpf_insn *prog);

/**
 * device_bpf_attach() - make the rules hold in a v2 cgroup
 * @cgroup_fd: borrows; open directory
 * @replace: the cgroup may have a program of ours; it is replaced without a moment in between
 *
 * Programs of others (systemd's) stay: all of them have to allow.
 * Context: needs CAP_BPF or CAP_SYS_ADMIN, and CAP_NET_ADMIN, in the initial user namespace.
 * Return: 0; -errno of bpf(2) with a message.
 */
int device_bpf_attach(int cgroup_fd, const struct device_rules *rules, bool replace, struct err *err);
