/* SPDX-License-Identifier: MIT */
#pragma once

#define OCI_SYSCTL_KEY_MAX 255 /* bytes */

struct err;
struct oci_init;

/**
 * oci_sysctl_key() - write the name of a kernel parameter with one kind of separator
 * @key: its first separator, '.' or '/', decides which of them separates; the other one is part of a name
 *       then, as in sysctl(8): "net.ipv4.conf.eth0/100.x" is net/ipv4/conf/eth0.100/x
 * @separator: '.' or '/', that of @ret
 * Return: 0; -ENAMETOOLONG over OCI_SYSCTL_KEY_MAX.
 */
int oci_sysctl_key(const char *key, char separator, char ret[OCI_SYSCTL_KEY_MAX + 1]);

/**
 * oci_sysctl_apply() - write linux.sysctl
 *
 * Through init->proc_fd and below it, over no link and no mount, so that nothing the container
 * brings can make a write go elsewhere.
 * Context: child, in its namespaces.
 * Return: 0; -errno with a message naming the parameter.
 */
int oci_sysctl_apply(const struct oci_init *init, struct err *err);
