/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "engine/config.h"
#include "engine/mount_parse.h"

static void short_form(void **state)
{
	static const char *const refused[] = { "",       "/a:",      "/a:b",          "/a:/",
					       ":/b",    "a/b:/c",   "/tmp:/b:nope",  "v:/b:rslave",
					       "/tmp:/b:nocopy", "-v:/b", "v", "/tmp:/..", "v:/b:ro:x" };
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_mount m = { 0 };

	(void) state;
	assert_int_equal(eng_mount_parse(&a, "/tmp/../tmp:/mnt:ro,rslave", &m, NULL), 0);
	assert_string_equal(m.source, "/tmp");
	assert_string_equal(m.destination, "/mnt");
	assert_string_equal(m.propagation, "rslave");
	assert_true(m.read_only && m.kind == ENG_MOUNT_BIND);
	assert_int_equal(eng_mount_parse(&a, "vol:/a/../b/:nocopy,z", &m, NULL), 0);
	assert_string_equal(m.source, "vol");
	assert_string_equal(m.destination, "/b");
	assert_true(m.no_copy && m.kind == ENG_MOUNT_VOLUME && !m.anonymous);
	assert_int_equal(eng_mount_parse(&a, "/only", &m, NULL), 0);
	assert_true(m.anonymous && strlen(m.source) == 64);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_true(eng_mount_parse(&a, refused[i], &m, NULL) < 0);
}

static void long_form(void **state)
{
	static const char *const refused[] = {
		"", "type=bind", "dst=/a,type", "type=bind,src=/tmp,dst=a", "dst=/a,nope=1",
		"dst=/a,ro=maybe", "type=tmpfs,dst=/a,src=/b", "type=tmpfs,dst=/a,tmpfs-size=x",
		"type=tmpfs,dst=/a,tmpfs-mode=888", "type=tmpfs,dst=/a,tmpfs-mode=77777",
		"type=bind,src=/tmp,dst=/a,bind-recursive=x", "\"dst=/a", "type=image,dst=/a",
		"type=volume,dst=/a,bind-propagation=shared", "dst=/", "dst=/a,src=../x",
	};
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_mount m = { 0 };

	(void) state;
	assert_int_equal(eng_mount_parse_long(&a, "type=tmpfs,dst=/t,tmpfs-size=1k,tmpfs-mode=700",
					      &m, NULL),
			 0);
	assert_string_equal(m.options, "noexec,nosuid,nodev,size=1024,mode=0700");
	assert_int_equal(eng_mount_parse_long(&a, "target=/t", &m, NULL), 0);
	assert_true(m.anonymous);
	assert_int_equal(eng_mount_parse_long(&a, "\"dst=/a,\"\"b\",src=v,readonly", &m, NULL), 0);
	assert_string_equal(m.destination, "/a,\"b");
	assert_true(m.read_only);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_true(eng_mount_parse_long(&a, refused[i], &m, NULL) < 0);
}

static void tmpfs(void **state)
{
	static const char *const refused[] = { "", "a", "/", "/a:nope", "/a:size=", "/a:bind" };
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_mount m = { 0 };

	(void) state;
	assert_int_equal(eng_mount_parse_tmpfs(&a, "/a:size=1m,exec", &m, NULL), 0);
	assert_string_equal(m.options, "noexec,nosuid,nodev,size=1m,exec");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_true(eng_mount_parse_tmpfs(&a, refused[i], &m, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_form),
		cmocka_unit_test(long_form),
		cmocka_unit_test(tmpfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
