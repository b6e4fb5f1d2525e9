/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct err;
struct pci_bus;
struct vm;

#define VSOCK_CID_MIN 3 /* smaller ones mean hosts */

/**
 * vsock_add() - stream sockets between guest and host
 * @cid: address of the guest, from VSOCK_CID_MIN on
 * @path: a unix socket that is made there: a program on the host that connects and sends "CONNECT PORT\n" is
 *        connected to that port of the guest and told "OK PORT\n".  What the guest connects to on port
 *        N of the host is the unix socket PATH_N
 * @listener: listening at @path; borrowed
 * Return: 0; -errno with a message.
 */
int vsock_add(struct vm *vm, struct pci_bus *bus, uint32_t cid, const char *path, int listener, struct err *err);
