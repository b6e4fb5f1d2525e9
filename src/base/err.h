/* SPDX-License-Identifier: MIT */
#pragma once

#define ERR_TEXT_MAX 1024 /* bytes, longer texts are cut */

/**
 * struct err - what went wrong, for a person
 * @code: -errno of the failure, 0 while nothing failed
 * @text: one line without full stop; lower case, verb first
 *
 * Lives on the caller's stack; never allocates.  Every function that takes one accepts NULL.
 */
struct err {
	int code;
	char text[ERR_TEXT_MAX];
};

/**
 * err_set() - record a failure that an errno explains
 * @err: may be NULL
 * @code: -errno
 * @fmt: what was tried; ": <strerror>" is appended
 *
 * Return: @code, so that a failing line reads `return err_set(...)`.
 */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_msg() - record a failure that explains itself, nothing is appended
 * @err: may be NULL
 * @code: -errno
 * @fmt: the whole message
 *
 * Return: @code.
 */
int err_msg(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_wrap() - put context in front of a recorded failure
 * @err: may be NULL
 * @code: -errno as returned by the callee
 * @fmt: context; ": <old text>" follows
 *
 * Return: @code.
 */
int err_wrap(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
