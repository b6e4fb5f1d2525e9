/* SPDX-License-Identifier: MIT */
#include "guest/proto/proto.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t buf[256];

/* What was made, as fields of a reader. */
static struct guest_in made(struct guest_out *o, struct guest_head *head)
{
	assert_int_equal(guest_end(o), 0);
	assert_int_equal(guest_head_get(o->p, GUEST_REPLY_MAX, head), 0);
	assert_int_equal(head->len + GUEST_HEADER, o->len);
	return (struct guest_in) { o->p + GUEST_HEADER, head->len };
}

static void test_round_trip(void **state)
{
	struct guest_out o = { .p = buf, .room = sizeof(buf) };
	struct guest_head head;
	struct guest_field f;
	struct guest_in in;
	uint64_t v;

	(void) state;
	guest_begin(&o, GUEST_EXEC);
	guest_put(&o, GUEST_ARG, "true", 5);
	guest_put_number(&o, GUEST_UID, 0x123456789abcdef0u);
	guest_put(&o, GUEST_ENTROPY, NULL, 0);
	in = made(&o, &head);
	assert_int_equal(head.type, GUEST_EXEC);
	assert_int_equal(head.version, GUEST_VERSION);
	assert_int_equal(guest_next(&in, &f), 1);
	assert_int_equal(f.tag, GUEST_ARG);
	assert_string_equal(guest_text(&f), "true");
	assert_int_equal(guest_number(&f, &v), -EPROTO);
	assert_int_equal(guest_next(&in, &f), 1);
	assert_int_equal(guest_number(&f, &v), 0);
	assert_true(v == 0x123456789abcdef0u);
	assert_int_equal(guest_next(&in, &f), 1);
	assert_int_equal(f.len, 0);
	assert_null(guest_text(&f));
	assert_int_equal(guest_next(&in, &f), 0);
}

static void test_cut_off(void **state)
{
	struct guest_out o = { .p = buf, .room = sizeof(buf) };
	struct guest_head head;
	struct guest_field f;
	struct guest_in in, cut;

	(void) state;
	guest_begin(&o, GUEST_SIGNAL);
	guest_put_number(&o, GUEST_SIGNAL_OF, 15);
	in = made(&o, &head);
	for (size_t n = 1; n < in.len; n++) {
		cut = (struct guest_in) { in.p, n };
		assert_int_equal(guest_next(&cut, &f), -EPROTO);
	}
	buf[GUEST_HEADER + 4] = GUEST_TAG_N_;
	assert_int_equal(guest_next(&in, &f), -EPROTO);
	buf[3] = 1; /* 16 MiB */
	assert_int_equal(guest_head_get(buf, GUEST_BODY_MAX, &head), -EMSGSIZE);
}

static void test_texts(void **state)
{
	const struct guest_field f = { GUEST_SYSCTL, 8, (const uint8_t *) "12ab\0cd" };
	const struct guest_field open = { GUEST_SYSCTL, 7, f.p };
	const char *text[3];

	(void) state;
	assert_int_equal(guest_texts(&f, 2, text, 2), 0);
	assert_string_equal(text[0], "ab");
	assert_string_equal(text[1], "cd");
	assert_int_equal(guest_texts(&f, 2, text, 1), -EPROTO);
	assert_int_equal(guest_texts(&f, 2, text, 3), -EPROTO);
	assert_int_equal(guest_texts(&open, 2, text, 2), -EPROTO);
	assert_int_equal(guest_texts(&f, 9, text, 1), -EPROTO);
}

static void test_full(void **state)
{
	struct guest_out o = { .p = buf, .room = GUEST_HEADER + GUEST_FIELD + 3 };
	struct guest_out none = { .p = buf, .room = GUEST_HEADER - 1 };

	(void) state;
	guest_begin(&o, GUEST_RUN);
	guest_put(&o, GUEST_ARG, "ab", 3);
	assert_int_equal(guest_end(&o), 0);
	guest_put(&o, GUEST_ARG, "", 1);
	assert_int_equal(guest_end(&o), -EMSGSIZE);
	guest_begin(&none, GUEST_RUN);
	assert_int_equal(guest_end(&none), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
