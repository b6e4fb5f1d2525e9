/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct pci_bus;
struct vio_dev;
struct vm;

#define CONSOLE_PORTS_MAX 8
#define CONSOLE_NAME_MAX 64 /* bytes */

/**
 * struct console_port - one of its ports; descriptors are borrowed
 * @in, @out: what the guest reads and where it writes; -1 for none
 * @listener: socket where one program at a time connects to the port, instead of @in and @out; -1 for none
 * @name: the guest finds it as /dev/virtio-ports/NAME; NULL: a console (hvcN)
 * @path: of @listener, for whoever removes it
 */
struct console_port {
	int in, out, listener;
	const char *name, *path;
};

/**
 * console_add() - consoles and named ports
 * @port: @nr of them, 1 to CONSOLE_PORTS_MAX; the first should be a console
 * Return: 0; -errno with a message.
 */
int console_add(struct vm *vm, struct pci_bus *bus, const struct console_port *port, unsigned nr, struct err *err);

/** console_resized() - a terminal behind a console has another size: tell the guest; other devices are left alone */
void console_resized(struct vio_dev *d);
