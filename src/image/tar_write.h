/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct img_sink;
struct img_tar_entry;

/**
 * img_tar_put() - write the headers of a member; @e->size bytes of content must follow
 * @e: as img_tar_next() gives it; hard links have mode 0; times are cut to seconds, as Docker does
 * What does not fit in a header (long names, big numbers, attributes) goes to a pax record.
 * Return: 0; -errno with a message.
 * Spec: POSIX.1-2017 pax.
 */
int img_tar_put(struct img_sink *s, const struct img_tar_entry *e, struct err *err);

/** img_tar_put_data() - a regular member of @n bytes with this content */
int img_tar_put_data(struct img_sink *s, const char *path, const void *data, size_t n,
		     struct err *err);

/** img_tar_pad() - after @size bytes of content; 0 or -errno with a message */
int img_tar_pad(struct img_sink *s, uint64_t size, struct err *err);

/** img_tar_end() - the archive is complete; 0 or -errno with a message */
int img_tar_end(struct img_sink *s, struct err *err);
