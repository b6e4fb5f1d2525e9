/* SPDX-License-Identifier: MIT */
#pragma once

struct cli;
struct eng_config;
struct err;

/**
 * cli_attach() - become the client of an instance's monitor
 * @config: of the instance
 * @sock: borrows; socket to the monitor
 *
 * The program becomes the small client in cleave-monitor, so that a foreground instance does not keep a large
 * program around.  Signals that it forwards are blocked (oci_foreground_block()) before the instance is
 * started and arrive there.
 * Return: -errno with a message; the instance runs then.
 */
int cli_attach(const struct cli *cli, const struct eng_config *config, int sock, struct err *err);
