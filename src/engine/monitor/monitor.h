/* SPDX-License-Identifier: MIT */
#pragma once

/**
 * monitor_run() - own an instance until it ends
 * @argv: FLAGS LOG and the words of the clean-up program
 *
 * FLAGS: t the instance has a terminal; i its standard input is open; c a first client is attached, whose
 * end of input closes that of an instance without a terminal; x it is a command inside another instance: there
 * are no MON_FD_LISTEN, MON_FD_DIR, MON_FD_LOCK, MON_FD_PROGRAM and nothing is left to clean up.
 * LOG: as of log_open().
 * Ends in the clean-up program, whose last argument is the exit status.
 * Return: exit status, only when the instance never started, or with flag x.
 */
int monitor_run(int argc, char **argv);

/**
 * attach_run() - be the foreground of an instance
 * @argv: FLAGS KEYS
 *
 * FLAGS: t the instance has a terminal, which follows the size of ours; i standard input is sent, with t from a
 * terminal in raw mode; o and e its standard output and error are shown; s signals are forwarded; r the
 * terminal's recent output is replayed first and the program made to repaint.
 * KEYS: two hexadecimal digits each; who types them in a terminal leaves and the instance goes on; "" none.
 * Descriptor MON_FD_STARTER is a socket to the monitor; signals that are to be forwarded are blocked.
 * Return: exit status of the instance; 0 after the keys; 125 when the connection is lost.
 */
int attach_run(int argc, char **argv);
