/* SPDX-License-Identifier: MIT */
#pragma once

/**
 * monitor_run() - own an instance until it ends
 * @argv: FLAGS ID and the words of the clean-up program
 *
 * FLAGS: t the instance has a terminal, i its standard input is open, c a first client is attached.
 * Ends in the clean-up program, whose last argument is the exit status.
 * Return: exit status, only when the instance never started.
 */
int monitor_run(int argc, char **argv);

/**
 * attach_run() - be the foreground of an instance
 * @argv: FLAGS; t: the terminal is put into raw mode, i: standard input is sent
 *
 * Descriptor MON_FD_STARTER is a socket to the monitor; signals that are to be forwarded are blocked.
 * Return: exit status of the instance; 125 without one.
 */
int attach_run(int argc, char **argv);
