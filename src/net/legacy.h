/* SPDX-License-Identifier: MIT */
/*
 * The same as forward.h on hosts whose rules are those of iptables-legacy, which nftables does not show.
 *
 * The kernel is asked for the table and its policies; the rules are added and removed by the host's own
 * iptables-legacy(8), since who changes such a table has to write all of it, under a lock of that program.
 */
#pragma once

#include <stdbool.h>

struct err;

/** net_legacy_allow() - as net_forward_allow() */
int net_legacy_allow(const char *device, bool names, struct err *err);

/** net_legacy_forget() - as net_forward_forget() */
int net_legacy_forget(const char *device, struct err *err);
