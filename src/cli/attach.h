/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct cli;
struct err;
struct opt_strings;

#define CLI_DETACH_KEYS "ctrl-p,ctrl-q" /* unless the user names others */

/**
 * struct cli_client - what the foreground of an instance does
 * @tty: the instance has a terminal
 * @input: our standard input is its; with @tty, our terminal is put into raw mode
 * @show_out, @show_err: its standard output and error are ours
 * @sig_proxy: signals are forwarded, not with @tty
 * @repaint: replay what its terminal showed
 * @detach_keys: as of --detach-keys; "" or NULL: none
 */
struct cli_client {
	bool tty, input, show_out, show_err, sig_proxy, repaint;
	const char *detach_keys;
};

/**
 * cli_client_check() - can @c be done?
 * Before anything is started: wrong keys, input that is no terminal though @tty.
 * Return: 0; -EINVAL, -ENOTTY with a message.
 */
int cli_client_check(const struct cli_client *c, struct err *err);

/**
 * cli_client_streams() - -a stdin, -a stdout, -a stderr
 * Without any, standard output and error are shown, and input is sent if it was so in @c.
 * Return: 0; -EINVAL with a message.
 */
int cli_client_streams(struct cli_client *c, const struct opt_strings *attach, struct err *err);

/**
 * cli_client_become() - become the client of an instance's monitor
 * @sock: borrows; socket to the monitor
 *
 * The program becomes the small client in cleave-monitor, so that a foreground instance does not keep a large
 * program around.  Signals that it forwards are blocked (oci_foreground_block()) before the instance is
 * started and arrive there.
 * Return: -errno with a message; the instance runs then.
 */
int cli_client_become(const struct cli *cli, const struct cli_client *c, int sock,
		      struct err *err);
