/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct err;
struct img_config;

/**
 * img_change_all() - apply instructions of a Dockerfile to a configuration
 * @changes: @n of CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR
 *
 * $NAME stands for a value of the image's environment where Docker expands it.  An ENTRYPOINT takes the
 * command away unless one of @changes gives one.
 * Return: 0; -EINVAL with a message naming the instruction; -ENOMEM.
 */
int img_change_all(struct img_config *c, const char *const *changes, size_t n, struct err *err);
