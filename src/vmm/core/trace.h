/* SPDX-License-Identifier: MIT */
/*
 * Trace points: lines on standard error about what happens inside, for those that somebody asked for.
 *
 * One that nobody asked for costs a test of a bit.
 */
#pragma once

#include <stdint.h>

struct err;
struct str;

/** enum trace_point - trace.c has their names */
enum trace_point {
	TRACE_PORT,
	TRACE_REGISTER,
	TRACE_LINE,
	TRACE_MESSAGE,
	TRACE_POWER,
	TRACE_VIRTIO_STATUS,
	TRACE_VIRTIO_NOTIFY,
	TRACE_VIRTIO_SIGNAL,
	TRACE_PROCESSOR,
	TRACE_CONTROL,
	TRACE_N_
};

/* Bits of enum trace_point that are written; set before there are threads. */
extern uint32_t trace_mask;

/* TRACE(POINT, FORMAT, ARGUMENT...): a line without its end */
#define TRACE(point, ...)                                                       \
	do {                                                                    \
		if (__builtin_expect(trace_mask & 1u << (point), 0))            \
			trace_write(point, __VA_ARGS__);                        \
	} while (0)

/**
 * trace_choose() - from now on these points are written
 * @patterns: names, with * and ?, separated by commas
 * Return: 0; -EINVAL with a message: one of them fits no point.
 */
int trace_choose(const char *patterns, struct err *err);

/** trace_names() - append all names, separated by commas */
void trace_names(struct str *ret);

/** trace_write() - write a line with the time and the point's name; any thread */
void trace_write(enum trace_point point, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
