/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of config.json: a configuration is written as the members that matter, between
 * single quotes for readability, and a smallest valid configuration is put around them.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/spec.h"

/** struct spec_row - a configuration that is refused, and the message */
struct spec_row {
	const char *members, *message;
};

/* Parse a whole text in which ' stands for " */
static inline int spec_try_text(const char *text, struct oci_spec **ret, struct err *err)
{
	_cleanup_free_ char *copy = strdup(text);

	*ret = NULL;
	for (char *p = copy; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	return oci_spec_parse("config.json", copy, strlen(copy), ret, err);
}

/* Put @members between @head and @tail and parse */
static inline int spec_try(const char *head, const char *members, const char *tail,
			   struct oci_spec **ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };

	str_printf(&text, "%s%s%s", head, members, tail);
	return spec_try_text(text.p, ret, err);
}

/* Parse what must be valid */
static inline struct oci_spec *spec_good(const char *head, const char *members, const char *tail)
{
	struct oci_spec *spec = NULL;
	struct err err = { 0 };

	if (spec_try(head, members, tail, &spec, &err) < 0)
		fail_msg("%s: refused: %s", members, err.text);
	return spec;
}

static inline void spec_check_rows(const char *head, const char *tail, const struct spec_row *rows,
				   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct oci_spec *spec = NULL;
		struct err err = { 0 };

		if (spec_try(head, rows[i].members, tail, &spec, &err) == 0)
			fail_msg("%s: accepted", rows[i].members);
		assert_string_equal(err.text, rows[i].message);
		assert_int_equal(err.code, -EINVAL);
		assert_null(spec);
	}
}

#define SPEC_TOP_HEAD "{'ociVersion':'1.0.0','root':{'path':'rootfs'},"
#define SPEC_TOP_TAIL "}"
