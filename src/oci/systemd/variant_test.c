/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "oci/systemd/variant.h"

#define MAX 4

static void check(const char *text, const char *want_type, size_t want_n)
{
	struct variant v[MAX];
	char type[3];
	size_t n;

	assert_int_equal(variant_parse(text, type, v, MAX, &n), 0);
	assert_string_equal(type, want_type);
	assert_int_equal(n, want_n);
	variant_free(v, n);
}

static void types(void **state)
{
	(void) state;
	check("'multi-user.target'", "s", 1);
	check("\"a\\\"b\"", "s", 1);
	check("true", "b", 1);
	check("-12", "i", 1);
	check("1.5", "d", 1);
	check("uint64 123456789", "t", 1);
	check("@y 255", "y", 1);
	check("objectpath '/a'", "o", 1);
	check("['a', 'b']", "as", 2);
	check("[uint32 1, 2]", "au", 2);
	check("@as []", "as", 0);
}

static void values(void **state)
{
	struct variant v[MAX];
	char type[3];
	size_t n;

	(void) state;
	assert_int_equal(variant_parse("uint64 18446744073709551615", type, v, MAX, &n), 0);
	assert_true(v[0].t == UINT64_MAX);
	assert_int_equal(variant_parse("2.5", type, v, MAX, &n), 0);
	assert_true(fabs(variant_number(&v[0]) - 2.5) < 1e-9);
	assert_int_equal(variant_parse("true", type, v, MAX, &n), 0);
	assert_true(isnan(variant_number(&v[0])));
}

static void refused(void **state)
{
	static const char *const bad[] = { "", "'a", "['a'", "[]", "['a', 1]", "x", "1 2", "@y 256", "uint32 -1",
					   "int16 40000", "[1,2,3,4,5]", "uint64 'a'", "99999999999" };
	struct variant v[MAX];
	char type[3];
	size_t n;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (variant_parse(bad[i], type, v, MAX, &n) == 0)
			fail_msg("'%s' was accepted", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(values),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
