/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * struct cli_output - where a verb writes an archive
 * @path: NULL for standard output
 * @temporary: what is renamed to @path in the end, "" when @path is written to directly
 */
struct cli_output {
	const char *path;
	int fd;
	char temporary[4096];
};

/**
 * cli_output_open() - standard output, or a file that appears when it is complete
 * @path: borrows; NULL for standard output
 * Return: 0; -EINVAL it is a terminal; -errno; with a message.
 */
int cli_output_open(const char *path, struct cli_output *ret, struct err *err);

/**
 * cli_output_close() - give the file its name, or remove it
 * @r: what writing it returned
 * Return: @r; -errno with a message when @r is 0 and the file cannot be kept.
 */
int cli_output_close(struct cli_output *o, int r, struct err *err);
