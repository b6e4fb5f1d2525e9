/* SPDX-License-Identifier: MIT */
/*
 * Links: an instance knows another by one more name, in its /etc/hosts (Docker's --link).
 */
#pragma once

struct engine;
struct err;
struct img_words;
struct str;

/**
 * link_add() - append lines for /etc/hosts
 * @instance: id of the one that is being started, which has its leases; @links: as of struct eng_config
 * Return: 0; -ENOENT one of the others is gone; -ENOTCONN it does not run, or not in one of the same networks; -errno; with
 *         a message.
 */
int link_add(struct engine *e, const char *instance, const struct img_words *links, struct str *hosts, struct err *err);
