/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_init;
struct oci_spec;

/**
 * oci_sysctl_check() - refuse parameters that would change the host
 * @spec: linux.sysctl against linux.namespaces; a network namespace given by path may still be the
 *        host's, which the caller checks
 * Return: 0; -EINVAL with a message naming the parameter.
 */
int oci_sysctl_check(const struct oci_spec *spec, struct err *err);

/**
 * oci_sysctl_apply() - write linux.sysctl
 *
 * Through init->proc_fd and below it, over no link and no mount, so that nothing the container
 * brings can make a write go elsewhere.
 * Context: child, in its namespaces.
 * Return: 0; -errno with a message naming the parameter.
 */
int oci_sysctl_apply(const struct oci_init *init, struct err *err);
