/* SPDX-License-Identifier: MIT */
#include "oci/features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "oci/spec.h"

struct features {
	struct arena arena;
	struct str text;
	struct json_in in;
};

static int setup(void **state)
{
	static struct features f;

	memset(&f, 0, sizeof(f));
	oci_features(&f.text);
	assert_false(f.text.failed);
	assert_int_equal(json_parse(&f.in, "features", &f.arena, f.text.p, f.text.len, NULL), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct features *f = *state;

	json_fini(&f->in);
	arena_fini(&f->arena);
	str_fini(&f->text);
	return 0;
}

/* Follow a path of names, the last one of them a value of the wanted kind */
static const struct json *at(struct features *f, const char *const *path)
{
	const struct json *node = f->in.root;

	for (; *path != NULL; path++) {
		node = json_get(&f->in, node, *path);
		if (node == NULL)
			fail_msg("%s is missing", *path);
	}
	return node;
}

#define AT(...) at(f, (const char *const[]) { __VA_ARGS__, NULL })

static bool has(struct features *f, const struct json *array, const char *name)
{
	for (const struct json *it = array->first; it != NULL; it = it->next) {
		if (strcmp(json_to_str(&f->in, it), name) == 0)
			return true;
	}
	return false;
}

static void versions(void **state)
{
	struct features *f = *state;

	assert_string_equal(json_get_str(&f->in, f->in.root, "ociVersionMin"), "1.0.0");
	assert_string_equal(json_get_str(&f->in, f->in.root, "ociVersionMax"), OCI_SPEC_VERSION);
	assert_non_null(json_get_str(&f->in, AT("annotations"),
				     "io.github.seccomp.libseccomp.version"));
	assert_int_not_equal(f->text.p[f->text.len - 1], '\n');
}

static void names(void **state)
{
	static const char *const options[] = { "async", "rbind", "rro", "rsymfollow", "tmpcopyup",
					       "idmap", "ridmap", "unbindable", "rprivate" };
	struct features *f = *state;
	const struct json *list;

	assert_int_equal(AT("hooks")->len, 6);
	assert_true(has(f, AT("hooks"), "startContainer"));
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		assert_true(has(f, AT("mountOptions"), options[i]));
	list = AT("linux", "namespaces");
	assert_int_equal(list->len, OCI_NS_N_);
	assert_string_equal(json_to_str(&f->in, list->first), "cgroup");
	assert_true(has(f, list, "time"));
	list = AT("linux", "capabilities");
	assert_int_equal(list->len, 41);
	assert_string_equal(json_to_str(&f->in, list->first), "CAP_CHOWN");
	assert_int_equal(AT("linux", "memoryPolicy", "modes")->len, 7);
	assert_int_equal(AT("linux", "memoryPolicy", "flags")->len, 3);
}

static void switches(void **state)
{
	struct features *f = *state;

	assert_true(AT("linux", "cgroup", "v1")->flag);
	assert_true(AT("linux", "cgroup", "v2")->flag);
	assert_true(AT("linux", "mountExtensions", "idmap", "enabled")->flag);
	assert_true(AT("linux", "netDevices", "enabled")->flag);
	assert_true(AT("linux", "intelRdt", "enabled")->flag);
	assert_true(AT("linux", "apparmor", "enabled")->flag);
	assert_true(AT("linux", "selinux", "enabled")->flag);
}

static void seccomp(void **state)
{
	struct features *f = *state;
	const struct json *known = AT("linux", "seccomp", "knownFlags");
	const struct json *supported = AT("linux", "seccomp", "supportedFlags");

	assert_true(AT("linux", "seccomp", "enabled")->flag);
	assert_true(has(f, AT("linux", "seccomp", "actions"), "SCMP_ACT_NOTIFY"));
	assert_int_equal(AT("linux", "seccomp", "operators")->len, 7);
	assert_true(has(f, AT("linux", "seccomp", "archs"), "SCMP_ARCH_X86_64"));
	assert_int_equal(known->len, 4);
	assert_true(supported->len <= known->len);
	assert_true(has(f, supported, "SECCOMP_FILTER_FLAG_TSYNC"));
	assert_true(has(f, supported, "SECCOMP_FILTER_FLAG_LOG")); /* Linux 4.14 */
	for (const struct json *it = supported->first; it != NULL; it = it->next)
		assert_true(has(f, known, json_to_str(&f->in, it)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(versions, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(switches, setup, teardown),
		cmocka_unit_test_setup_teardown(seccomp, setup, teardown),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
