/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_spec;

#define OCI_NOTIFY_PATH "/run/notify/notify.sock" /* inside the container, as other runtimes have it */

/**
 * oci_notify_pass() - let the program tell the caller's service manager that it is ready
 * @socket: $NOTIFY_SOCKET of the caller; NULL or "" for none
 *
 * Adds a bind mount of the socket and the variable NOTIFY_SOCKET to the configuration.  What the program
 * sends goes to the service manager directly; that decides by its NotifyAccess= whom it believes.  A
 * socket without a path, which another network namespace cannot reach, is left out.
 * Return: 0; -EINVAL with a message when there is no such socket; -ENOMEM.
 * Spec: sd_notify(3).
 */
int oci_notify_pass(struct oci_spec *spec, const char *socket, struct err *err);
