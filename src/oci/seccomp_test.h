/* SPDX-License-Identifier: MIT */
/* Shared by the tests of seccomp: profiles in a few lines, compiled. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "oci/seccomp.h"
#include "oci/spec.h"

#define NAMES(...)                                                                  \
	{                                                                           \
		.v = (char *[]) { __VA_ARGS__, NULL },                              \
		.n = sizeof((char *[]) { __VA_ARGS__ }) / sizeof(char *),           \
	}

/* What must compile, without a cache */
static inline struct oci_filter compile(const struct oci_seccomp *s)
{
	struct oci_filter f = { 0 };
	struct err err = { 0 };

	if (oci_seccomp_compile(s, -EBADF, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}
