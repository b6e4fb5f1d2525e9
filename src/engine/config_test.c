/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "oci/spec.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t value;
	} cases[] = {
		{ "4096", 0, 4096 },           { "1b", 0, 1 },
		{ "64k", 0, 65536 },           { "512m", 0, 512u << 20 },
		{ "512M", 0, 512u << 20 },     { "1gb", 0, 1u << 30 },
		{ "1GiB", 0, 1u << 30 },       { "", -EINVAL, 0 },
		{ "m", -EINVAL, 0 },           { "-1", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },          { "1mm", -EINVAL, 0 },
		{ "9999999999g", -ERANGE, 0 }, { "99999999999999999999", -ERANGE, 0 },
		{ "1bi", -EINVAL, 0 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;

		assert_int_equal(eng_size_parse(cases[i].text, &v), cases[i].code);
		assert_int_equal(v, cases[i].value);
	}
}

static void cpus(void **state)
{
	uint64_t v = 0;

	(void) state;
	assert_int_equal(eng_cpus_parse("1.5", &v), 0);
	assert_int_equal(v, 1500000000);
	assert_int_equal(eng_cpus_parse("2", &v), 0);
	assert_int_equal(v, 2000000000);
	assert_int_equal(eng_cpus_parse(".25", &v), 0);
	assert_int_equal(v, 250000000);
	assert_int_equal(eng_cpus_parse("1.5x", &v), -EINVAL);
	assert_int_equal(eng_cpus_parse("", &v), -EINVAL);
	assert_int_equal(eng_cpus_parse(".", &v), -EINVAL);
	assert_int_equal(eng_cpus_parse("-1", &v), -EINVAL);
	assert_int_equal(eng_cpus_parse("99999999999", &v), -ERANGE);
}

static void mounts(void **state)
{
	static const char *const refused[] = { "",
					       "/a",
					       "/a:",
					       "/a:b",
					       "/a:/",
					       "a:/b",
					       "/tmp:/b:nope",
					       "/a:/../b",
					       "/nonexistent-for-sure:/b" };
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_mount m = { 0 };

	(void) state;
	assert_int_equal(eng_mount_parse(&a, "/tmp/../tmp:/mnt:ro,rslave", &m, NULL), 0);
	assert_string_equal(m.source, "/tmp");
	assert_string_equal(m.destination, "/mnt");
	assert_string_equal(m.propagation, "rslave");
	assert_true(m.read_only);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_true(eng_mount_parse(&a, refused[i], &m, NULL) < 0);
}

static void fill(struct eng_config *c)
{
	static struct eng_mount mount = { .source = "/a \"b\"",
					  .destination = "/mnt",
					  .read_only = true };

	*c = (struct eng_config) {
		.image = "a",
		.image_id = "b",
		.chain = "c",
		.workdir = "/w",
		.user = "",
		.hostname = "box",
		.mounts = &mount,
		.nr_mounts = 1,
		.memory = 64u << 20,
		.nano_cpus = 1500000000,
		.pids_limit = 7,
		.read_only = true,
	};
	assert_int_equal(eng_words_add(&c->arena, &c->args, "sh"), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(eng_words_add(&c->arena, &c->args, "x\n\"y\""), 0);
	assert_int_equal(eng_env_set(&c->arena, &c->env, "A=1"), 0);
	assert_int_equal(eng_env_set(&c->arena, &c->env, "AB=2"), 0);
	assert_int_equal(eng_env_set(&c->arena, &c->env, "A=3"), 0);
}

/* What the engine writes is what the runtime reads. */
static void default_spec(void **state)
{
	struct eng_user user = { .uid = 1000, .gid = 100, .groups = { 5, 6 }, .nr_groups = 2 };
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	_cleanup_(str_fini) struct str text = { 0 };
	struct eng_config c;
	struct err err = { 0 };

	(void) state;
	fill(&c);
	eng_spec_format(&c, "0123456789abcdef", &user, "rootfs", "/files", &text);
	if (oci_spec_parse("config.json", text.p, text.len, &spec, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(spec->process.args.n, 21);
	assert_string_equal(spec->process.args.v[20], "x\n\"y\"");
	assert_int_equal(spec->process.env.n, 2);
	assert_string_equal(spec->process.env.v[0], "A=3");
	assert_int_equal(spec->process.uid, 1000);
	assert_int_equal(spec->process.nr_additional_gids, 2);
	assert_int_equal(spec->process.umask.v, 022);
	assert_true(spec->root_readonly);
	assert_int_equal(__builtin_popcountll(spec->process.caps->bounding), 14);
	assert_int_equal(spec->process.caps->inheritable, 0);
	assert_int_equal(spec->process.caps->ambient, 0);
	assert_int_equal(spec->linux.resources.memory.limit.v, 64 << 20);
	assert_int_equal(spec->linux.resources.memory.swap.v, 128 << 20);
	assert_int_equal(spec->linux.resources.cpu.quota.v, 150000);
	assert_int_equal(spec->linux.resources.cpu.period.v, 100000);
	assert_int_equal(spec->linux.resources.pids_limit.v, 7);
	assert_string_equal(spec->mounts[spec->nr_mounts - 1].source, "/a \"b\"");
	assert_true(spec->linux.namespaces[OCI_NS_PID].set &&
		    spec->linux.namespaces[OCI_NS_NETWORK].set);
	assert_false(spec->linux.namespaces[OCI_NS_USER].set);
	assert_true(spec->linux.seccomp != NULL && spec->linux.masked_paths.n >= 10);
	assert_true(spec->linux.seccomp->rules[0].names.n > 300);
	eng_config_fini(&c);
}

/* What is written and read again is the same text; "{...}" changes nothing that was not given. */
static void config_text(void **state)
{
	_cleanup_(str_fini) struct str text = { 0 }, again = { 0 };
	struct eng_mount tmpfs = { .kind = ENG_MOUNT_TMPFS, .destination = "/t", .options = "size=1m" };
	struct eng_config c, copy;
	struct err err = { 0 };

	(void) state;
	fill(&c);
	c.memory_swap = -1;
	c.stop_timeout = -1;
	c.health_retries = UINT64_MAX;
	c.restart = "on-failure";
	assert_int_equal(eng_words_add(&c.arena, &c.labels, "a=b\xc3\xa9"), 0);
	eng_config_json(&c, &text);
	if (eng_config_read("config.json", text.p, text.len, &copy, &err) < 0)
		fail_msg("%s", err.text);
	eng_config_json(&copy, &again);
	assert_string_equal(text.p, again.p);
	assert_string_equal(copy.hostname, "box");
	assert_null(copy.domainname);
	assert_true(copy.mounts[0].read_only);
	assert_string_equal(copy.user, "");
	eng_config_fini(&copy);
	again.len = 0;
	c.mounts = &tmpfs;
	eng_config_json(&c, &again);
	assert_int_equal(eng_config_read("config.json", again.p, again.len, &copy, &err), 0);
	assert_int_equal(copy.mounts[0].kind, ENG_MOUNT_TMPFS);
	assert_string_equal(copy.mounts[0].options, "size=1m");
	eng_config_fini(&copy);
	eng_config_fini(&c);
}

static void config_refused(void **state)
{
	static const char *const texts[][2] = {
		{ "[]", "config.json" },
		{ "{}", "version" },
		{ "{\"version\":2}", "version: 2 is not known" },
		{ "{\"version\":1,\"tty\":1}", "tty" },
		{ "{\"version\":1,\"args\":[1]}", "args[0]" },
		{ "{\"version\":1,\"mounts\":[{\"type\":\"x\",\"destination\":\"/\"}]}", "'x'" },
		{ "{\"version\":1,\"mounts\":[{\"type\":\"bind\"}]}", "destination" },
		{ "{\"version\":1,\"memory\":-1}", "memory" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = { 0 };
		struct eng_config c;

		assert_int_equal(eng_config_read("config.json", texts[i][0], strlen(texts[i][0]), &c,
						 &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, texts[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),       cmocka_unit_test(cpus),
		cmocka_unit_test(mounts),      cmocka_unit_test(default_spec),
		cmocka_unit_test(config_text),   cmocka_unit_test(config_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
