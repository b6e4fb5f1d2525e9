/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_init;

/**
 * oci_sysctl_apply() - write linux.sysctl
 *
 * Through init->proc_fd and below it, over no link and no mount, so that nothing the container
 * brings can make a write go elsewhere.
 * Context: child, in its namespaces.
 * Return: 0; -errno with a message naming the parameter.
 */
int oci_sysctl_apply(const struct oci_init *init, struct err *err);
