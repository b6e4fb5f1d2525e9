/* SPDX-License-Identifier: MIT */
/*
 * What is known of an instance's health: a file of the instance, in the form of Docker's State.Health.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define HEALTH_OUTPUT_MAX 4096 /* bytes kept of what a check prints */
#define HEALTH_RESULTS 5 /* kept */

/**
 * struct health_result - one check
 * @start, @end: RFC 3339
 * @code: exit status; -1 when it took too long
 * @output: @len bytes, terminated
 */
struct health_result {
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
	int64_t code;
	char output[HEALTH_OUTPUT_MAX + 1];
	size_t len;
};

/**
 * struct health_record - the last checks
 * @status: "starting", "healthy" or "unhealthy"
 * @failures: in a row
 * @results: @n of them, oldest first
 */
struct health_record {
	const char *status;
	uint64_t failures;
	size_t n;
	struct health_result results[HEALTH_RESULTS];
};

/**
 * health_record_read() - read the file in an instance's directory
 * One that is not there or damaged is that of an instance that has just been started.
 */
void health_record_read(int dir, struct health_record *ret);

/** health_record_add() - append a result; the oldest makes room */
void health_record_add(struct health_record *r, const struct health_result *result);

/** health_record_write() - replace the file; a failure is not told: the instance's row has the status, too */
void health_record_write(int dir, const struct health_record *r);
