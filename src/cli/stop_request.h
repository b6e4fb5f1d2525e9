/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct err;

/** struct stop_request - arguments of eng_stop_begin() */
struct stop_request {
	int signal;
	int64_t timeout;
};

/** stop_request() - read --signal and --time, NULL when not given; 0 or -EINVAL with a message */
int stop_request(const char *signal, const char *time, struct stop_request *ret, struct err *err);

/** signal_request() - read --signal; number or -EINVAL with a message */
int signal_request(const char *text, struct err *err);
