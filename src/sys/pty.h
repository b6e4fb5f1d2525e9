/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

/** pty_resize() - set the size of a terminal; 0 or -errno */
int pty_resize(int fd, uint16_t rows, uint16_t columns);

/** pty_copy_size() - give terminal @to the size of terminal @from; 0 or -errno */
int pty_copy_size(int from, int to);

/**
 * pty_raw() - put a terminal into raw mode, but for its output
 * @ret_old: what to give to pty_restore()
 * Return: 0; -ENOTTY; -errno.
 */
int pty_raw(int fd, struct termios *ret_old);

/**
 * pty_plain_newline() - let a terminal pass "\n" on as it is
 * For a terminal whose output is copied to another one (which adds the carriage return) or to a file.
 * Return: 0; -errno.
 */
int pty_plain_newline(int master);

/** pty_restore() - undo pty_raw() */
void pty_restore(int fd, const struct termios *old);
