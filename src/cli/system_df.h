/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_disk;
struct engine;
struct err;

/**
 * df_verbose() - print every image, instance and volume
 * @format: NULL or "table" for tables; "json" or a template for one object
 * Return: 0; -errno with a message.
 */
int df_verbose(struct engine *e, const struct eng_disk *d, const char *format, struct err *err);
