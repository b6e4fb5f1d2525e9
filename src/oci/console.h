/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct oci_init;

/**
 * oci_console_open() - in the child: make the container's terminal its stdio
 * @init: borrows; console size and owner come from init->process
 * @sock: connected socket the master goes to
 * @bind: bind the slave to /dev/console (first process of a container)
 *
 * The pty is opened in the container's own devpts and verified to be one (CVE-2025-52565).
 * Context: child, inside the container's root, session leader, still with all privileges.
 * Return: 0; -errno with a message.
 */
int oci_console_open(const struct oci_init *init, int sock, bool bind, struct err *err);

/**
 * oci_console_receive() - in the parent: take the master from the child
 * @plain: the terminal passes "\n" on as it is, as the one that is copied to completes it
 * Return: descriptor; -errno with a message.
 */
int oci_console_receive(int sock, bool plain, struct err *err);
