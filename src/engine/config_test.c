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
		{ "1bi", -EINVAL, 0 },         { "1.5g", 0, 3u << 29 },
		{ "0.5m", 0, 1u << 19 },       { "512 mb", 0, 512u << 20 },
		{ "1.5", 0, 1 },               { "1.", 0, 1 },
		{ ".5m", -EINVAL, 0 },         { "1  m", -EINVAL, 0 },
		{ "8191p", 0, 8191ull << 50 }, { "8192p", -ERANGE, 0 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;

		assert_int_equal(eng_size_parse(cases[i].text, &v), cases[i].code);
		if (cases[i].code == 0)
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

static void durations(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "30s", 0, 30000000000 },
		{ "1h2m3s", 0, 3723000000000 },
		{ "1.5s", 0, 1500000000 },
		{ "500ms", 0, 500000000 },
		{ "7us", 0, 7000 },
		{ "9ns", 0, 9 },
		{ ".5m", 0, 30000000000 },
		{ "", -EINVAL, 0 },
		{ "5", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "5d", -EINVAL, 0 },
		{ "1s ", -EINVAL, 0 },
		{ "99999999999h", -ERANGE, 0 },
		{ "2562047h2562047h", -ERANGE, 0 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;

		assert_int_equal(eng_duration_parse(cases[i].text, &v), cases[i].code);
		if (cases[i].code == 0)
			assert_int_equal(v, cases[i].value);
	}
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
		cmocka_unit_test(durations),
		cmocka_unit_test(config_text),   cmocka_unit_test(config_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
