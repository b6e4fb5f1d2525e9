/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct request;

#define CHILD_TERMINAL (-1) /* its terminal comes along */

/** struct child_report - what a program that is being started says; @step: what failed with @error, or CHILD_TERMINAL */
struct child_report {
	int32_t step, error;
};

/**
 * struct child - a program that is being started
 * @stdio: descriptors 0 to 2 to be; none with a terminal
 * @report: socket for struct child_report, which closes when the program runs
 * @join: descriptor of the process whose namespaces are joined; -1 makes new ones
 * @first: that process
 */
struct child {
	const struct request *r;
	int stdio[3], report, join;
	long first;
};

/** child_start() - begin a program; its pid; -errno */
long child_start(const struct child *c);
