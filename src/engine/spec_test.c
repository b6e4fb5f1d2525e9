/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/seccomp_file.h"
#include "engine/spec.h"
#include "oci/spec.h"

/* What the engine writes is what the runtime reads. */
static struct oci_spec *make_for(struct eng_config *c, bool machine)
{
	char dir[] = "/tmp/cleave-spec.XXXXXX";
	struct engine e = { .root = dir, .runroot = dir, .monitor = dir, .root_fd = AT_FDCWD };
	_cleanup_(str_fini) struct str text = { 0 };
	struct oci_spec *spec = NULL;
	struct err err = { 0 };

	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c->workdir = c->workdir != NULL ? c->workdir : "/";
	c->hostname = "box";
	assert_int_equal(eng_words_add(&c->arena, &c->args, "sh"), 0);
	if (eng_spec_make(&e, "0123456789abcdef", c, machine, fd, "/files", &text, &err) < 0 ||
	    oci_spec_parse("config.json", text.p, text.len, &spec, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
	return spec;
}

static struct oci_spec *make(struct eng_config *c)
{
	return make_for(c, false);
}

static const struct oci_mount *find_mount(const struct oci_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->nr_mounts; i++)
		if (strcmp(spec->mounts[i].destination, destination) == 0)
			return &spec->mounts[i];
	return NULL;
}

static bool allows(const struct oci_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->linux.seccomp->nr_rules; i++)
		for (size_t n = 0; n < spec->linux.seccomp->rules[i].names.n; n++)
			if (strcmp(spec->linux.seccomp->rules[i].names.v[n], name) == 0)
				return true;
	return false;
}

static void usual(void **state)
{
	struct eng_config c = { .user = "1000:100" };

	(void) state;
	assert_int_equal(eng_env_set(&c.arena, &c.env, "A=3"), 0);
	_cleanup_(oci_spec_freep) struct oci_spec *spec = make(&c);
	assert_string_equal(spec->process.env.v[0], "A=3");
	assert_int_equal(spec->process.uid, 1000);
	assert_int_equal(spec->process.nr_additional_gids, 1);
	assert_int_equal(spec->process.umask.v, 022);
	assert_int_equal(__builtin_popcountll(spec->process.caps->bounding), 14);
	assert_int_equal(spec->process.caps->effective, 0);
	assert_int_equal(spec->process.caps->inheritable, 0);
	assert_int_equal(spec->process.caps->ambient, 0);
	assert_true(spec->linux.namespaces[OCI_NS_PID].set &&
		    spec->linux.namespaces[OCI_NS_NETWORK].set);
	assert_false(spec->linux.namespaces[OCI_NS_USER].set);
	assert_true(spec->linux.masked_paths.n >= 10);
	assert_true(spec->linux.seccomp->rules[0].names.n > 300);
	assert_true(allows(spec, "chroot"));
	assert_false(allows(spec, "mount"));
	assert_false(spec->linux.resources.memory.limit.set);
	eng_config_fini(&c);
}

static void limits(void **state)
{
	struct eng_config c = { .user = "",
				.read_only = true,
				.memory = 64u << 20,
				.nano_cpus = 1500000000,
				.pids_limit = 7,
				.cpu_shares = 512,
				.oom_score_adj = -5 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct oci_spec *again = NULL;

	(void) state;
	assert_int_equal(eng_words_add(&c.arena, &c.ulimits, "nofile=1:-1"), 0);
	_cleanup_(oci_spec_freep) struct oci_spec *spec = make(&c);
	assert_true(spec->root_readonly);
	assert_int_equal(__builtin_popcountll(spec->process.caps->effective), 14);
	assert_int_equal(spec->linux.resources.memory.limit.v, 64 << 20);
	assert_int_equal(spec->linux.resources.memory.swap.v, 128 << 20);
	assert_int_equal(spec->linux.resources.cpu.quota.v, 150000);
	assert_int_equal(spec->linux.resources.cpu.period.v, 100000);
	assert_int_equal(spec->linux.resources.cpu.shares.v, 512);
	assert_int_equal(spec->linux.resources.pids_limit.v, 7);
	assert_int_equal(spec->process.oom_score_adj.v, -5);
	assert_int_equal(spec->process.rlimits[0].soft, 1);
	assert_true(spec->process.rlimits[0].hard == UINT64_MAX);
	assert_int_equal(eng_spec_limits(&c, &c, &text, NULL), 0);
	assert_int_equal(oci_spec_parse("limits", text.p, text.len, &again, NULL), 0);
	assert_int_equal(again->linux.resources.memory.limit.v, 64 << 20);
	oci_spec_free(again);
	eng_config_fini(&c);
}

static void mounts(void **state)
{
	struct eng_mount list[] = {
		{ .source = "/a \"b\"", .destination = "/mnt/deep", .read_only = true },
		{ .kind = ENG_MOUNT_TMPFS, .destination = "/mnt", .options = "size=1m,defaults" },
		{ .source = "/shm", .destination = "/dev/shm" },
	};
	struct eng_config c = { .mounts = list, .nr_mounts = 3, .privileged = true };
	const struct oci_mount *m;

	(void) state;
	_cleanup_(oci_spec_freep) struct oci_spec *spec = make(&c);
	m = find_mount(spec, "/mnt/deep");
	assert_string_equal(m->source, "/a \"b\"");
	assert_string_equal(m->options.v[1], "rro");
	assert_true(find_mount(spec, "/mnt") < m);
	assert_int_equal(find_mount(spec, "/mnt")->options.n, 2);
	assert_string_equal(find_mount(spec, "/dev/shm")->source, "/shm");
	assert_null(spec->linux.seccomp);
	assert_int_equal(spec->linux.masked_paths.n, 0);
	assert_true(spec->process.caps->effective > 0);
	eng_config_fini(&c);
}

static void systemd(void **state)
{
	static const struct {
		const char *command, *mode;
		bool is;
	} cases[] = {
		{ "/sbin/init", NULL, true },     { "/usr/lib/systemd/systemd", NULL, true },
		{ "/usr/sbin/init", "true", true }, { "systemd", NULL, true },
		{ "/sbin/init", "false", false }, { "sh", "always", true },
		{ "init", NULL, false },          { "/bin/notsystemd", NULL, false },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct eng_config c = { .systemd = cases[i].mode };

		assert_int_equal(eng_words_add(&c.arena, &c.args, cases[i].command), 0);
		assert_int_equal(eng_spec_is_systemd(&c), cases[i].is);
		eng_config_fini(&c);
	}
}

/* The host's cgroups do not matter to it. */
static void systemd_in_machine(void **state)
{
	struct eng_config c = { .systemd = "always" };
	_cleanup_(oci_spec_freep) struct oci_spec *spec = make_for(&c, true);
	const struct oci_mount *m = find_mount(spec, "/sys/fs/cgroup");
	bool writable = false;

	(void) state;
	assert_non_null(m);
	for (size_t i = 0; i < m->options.n; i++)
		writable = writable || strcmp(m->options.v[i], "rw") == 0;
	assert_true(writable);
	assert_null(find_mount(spec, "/sys/fs/cgroup/systemd"));
	assert_null(find_mount(spec, "/sys/fs/cgroup/unified"));
	eng_config_fini(&c);
}

static void profiles(void **state)
{
	static const char *const refused[] = {
		"", "[]", "{}", "{\"defaultAction\":1}", "{\"defaultAction\":\"X\"}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[1]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":1}]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[1]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"includes\":{\"caps\":[1]}}]}",
	};
	_cleanup_(str_fini) struct str out = { 0 };
	const char *good = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
			   "{\"name\":\"mkdir\",\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5},"
			   "{\"names\":[\"rmdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"caps\":[\"CAP_KILL\"]}}]}";

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_true(eng_seccomp_file("f", refused[i], strlen(refused[i]), 0, &out, NULL) < 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(eng_seccomp_file("f", good, strlen(good), 0, &out, NULL), 0);
	assert_string_equal(out.p,
			    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],"
			    "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5}]}");
	out.len = 0;
	assert_int_equal(eng_seccomp_file("f", good, strlen(good), 1u << 5, &out, NULL), 0);
	assert_non_null(strstr(out.p, "rmdir"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual),   cmocka_unit_test(limits),   cmocka_unit_test(mounts),
		cmocka_unit_test(systemd), cmocka_unit_test(systemd_in_machine), cmocka_unit_test(profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
