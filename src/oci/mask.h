/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_spec;

/**
 * oci_mask_paths() - hide linux.maskedPaths
 * @null_mnt: of oci_device_clone_null(); taken over
 *
 * Files get the null device, directories one empty read-only tmpfs that all of them share.  Paths
 * that do not exist are ignored, as are repetitions.
 * Context: child, inside the root.
 * Return: 0; -errno with a message naming the path.
 */
int oci_mask_paths(const struct oci_spec *spec, int null_mnt, struct err *err);

/**
 * oci_mask_readonly() - make linux.readonlyPaths read-only, not what is mounted below them
 * Context: as oci_mask_paths().
 * Return: as oci_mask_paths().
 */
int oci_mask_readonly(const struct oci_spec *spec, struct err *err);
