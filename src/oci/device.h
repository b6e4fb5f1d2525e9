/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_init;

/**
 * oci_device_make_all() - fill /dev: devices, links, target of the console
 *
 * Default devices, linux.devices, /dev/fd, stdin, stdout, stderr, ptmx; an empty /dev/console when
 * the process has a terminal.  Nothing is done when a bind mount covers /dev.
 * Context: child; umask 0; the mounts are done, init->rootfs_fd is the root.
 * Return: 0; -errno with a message naming the device.
 * Spec: runtime-spec 1.3 config-linux.md "Devices", "Default Devices"; runtime-linux.md "Dev
 * symbolic links".
 */
int oci_device_make_all(struct oci_init *init, struct err *err);

/**
 * oci_device_clone_null() - detached read-only mount of this mount namespace's null device
 * Context: child, before the host's tree is gone.
 * Return: descriptor, verified to be a character device 1:3; -errno with a message.
 */
int oci_device_clone_null(struct err *err);

/**
 * oci_device_reopen_null() - replace standard streams that are the host's null device
 *
 * They would let the container change the host's device file.
 * Context: child; the container's root is the root.
 * Return: 0; -errno with a message.
 */
int oci_device_reopen_null(struct err *err);
