/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

/**
 * struct img_edit - what is different in a new image
 * @changes: @nr_changes instructions for img_change_all()
 * @author, @comment, @created_by: for the history, NULL without
 * @platform: "linux/ARCH" or "linux/ARCH/VARIANT"; NULL: as it was
 * @created: ns since 1970
 */
struct img_edit {
	const char *const *changes;
	size_t nr_changes;
	const char *author, *comment, *created_by, *platform;
	int64_t created;
};

/**
 * img_edit_config() - append the configuration of an image with one more layer
 * @base: @len bytes, the configuration it begins with
 * @diff_id: of the new layer
 * Members of @base that are not understood stay.
 * Return: 0; -EINVAL with a message naming the instruction; -ENOMEM.
 */
int img_edit_config(const char *base, size_t len, const struct img_edit *edit, const char *diff_id,
		    struct str *ret, struct err *err);
