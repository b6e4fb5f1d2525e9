/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct img_tree_opts;

/** img_tree_id() - an owner as @opts->id_start and id_size say; others stay */
uint32_t img_tree_id(const struct img_tree_opts *opts, uint32_t id);

/**
 * img_tree_xattr_ids() - the same for the owners inside of an extended attribute
 * @value: @len bytes, changed in place
 * Return: new length, never more than @len.
 * Spec: linux/capability.h, linux/posix_acl_xattr.h.
 */
size_t img_tree_xattr_ids(const struct img_tree_opts *opts, const char *name, void *value,
			  size_t len);
