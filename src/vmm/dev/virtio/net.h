/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pci_bus;
struct usernet_config;
struct vm;

#define NET_PAIRS_MAX 8 /* pairs of rings */

/**
 * struct net_config - a network interface
 * @id: what people call it; may be NULL
 * @tap: @pairs descriptors of net_tap_open() or net_tap_take(); borrowed
 * @user: instead of @tap: a network made of sockets, with one pair; borrowed
 * @mac: address of the guest's side
 * @split: do not offer packed rings
 */
struct net_config {
	const char *id;
	int tap[NET_PAIRS_MAX];
	struct usernet_config *user;
	unsigned pairs;
	uint8_t mac[6];
	bool split;
};

/** net_mac_parse() - "52:54:00:12:34:56"; 0, or -EINVAL: no address, or that of a group */
int net_mac_parse(const char *text, uint8_t ret[6]);

/** net_add() - a network interface; 0 or -errno with a message */
int net_add(struct vm *vm, struct pci_bus *bus, const struct net_config *conf, struct err *err);

/**
 * net_tap_open() - open a tap device of the host, making it if it is not there
 * @name: of the device
 * @fds: returns @pairs descriptors
 * Return: 0; -errno with a message (-EPERM: it is not the caller's).
 */
int net_tap_open(const char *name, unsigned pairs, int *fds, struct err *err);

/** net_tap_take() - use a descriptor of a tap device that somebody gave; 0 or -errno with a message */
int net_tap_take(int fd, struct err *err);

/**
 * net_tap_offload() - what the kernel may leave to whoever reads from the device
 * @flags: TUN_F_*
 * Return: 0; -errno.
 */
int net_tap_offload(int fd, unsigned flags);

/** net_tap_attach() - let a queue of the device take part, or not; 0 or -errno */
int net_tap_attach(int fd, bool on);
