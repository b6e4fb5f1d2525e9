/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_check;
struct engine;
struct err;

/** eng_net_check() - networks and leases, for eng_check(); 0 or -errno with a message */
int eng_net_check(struct engine *e, const struct eng_check *c, struct err *err);
