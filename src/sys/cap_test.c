/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/cap.h"

static void names_both_ways(void **state)
{
	(void) state;
	for (int i = 0; i <= cap_last(); i++) {
		assert_non_null(cap_name(i));
		assert_int_equal(cap_from_name(cap_name(i)), i);
	}
	assert_int_equal(cap_from_name("CAP_CHOWN"), 0);
	assert_int_equal(cap_from_name("CAP_SYS_ADMIN"), 21);
	assert_int_equal(cap_from_name("CAP_CHECKPOINT_RESTORE"), 40);
}

static void names_refused(void **state)
{
	(void) state;
	assert_int_equal(cap_from_name("CHOWN"), -ENOENT);
	assert_int_equal(cap_from_name("cap_chown"), -ENOENT);
	assert_int_equal(cap_from_name(""), -ENOENT);
	assert_null(cap_name(-1));
	assert_null(cap_name(cap_last() + 1));
}

static void set_what_we_have(void **state)
{
	struct cap_sets sets, again;

	(void) state;
	assert_int_equal(cap_get(&sets), 0);
	assert_int_equal(cap_set(&sets), 0);
	assert_int_equal(cap_get(&again), 0);
	assert_true(sets.effective == again.effective);
	assert_true(sets.permitted == again.permitted);
	assert_true(sets.inheritable == again.inheritable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_both_ways),
		cmocka_unit_test(names_refused),
		cmocka_unit_test(set_what_we_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
