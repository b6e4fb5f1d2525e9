/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

static void weights(void **state)
{
	static const struct {
		uint64_t shares, weight;
	} t[] = { { 0, 0 }, { 1, 1 }, { 2, 1 }, { 100, 17 }, { 1024, 100 }, { 3333, 256 }, { 262143, 10000 }, { 262144, 10000 }, { 1 << 30, 10000 } };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(cg_cpu_weight(t[i].shares), t[i].weight);
	for (uint64_t s = 2; s < 262144; s += 97) /* never falls */
		assert_true(cg_cpu_weight(s) <= cg_cpu_weight(s + 97));
	assert_int_equal(cg_io_weight(0), 0);
	assert_int_equal(cg_io_weight(10), 1);
	assert_int_equal(cg_io_weight(750), 7475);
	assert_int_equal(cg_io_weight(1000), 10000);
}

static void swap_limits(void **state)
{
	struct err err = { 0 };
	int64_t v = 7;

	(void) state;
	assert_int_equal(cg_swap_max(0, -1, &v, NULL), 0);
	assert_int_equal(v, -1);
	assert_int_equal(cg_swap_max(300, 100, &v, NULL), 0);
	assert_int_equal(v, 200);
	assert_int_equal(cg_swap_max(300, -1, &v, NULL), 0);
	assert_int_equal(v, 300);
	assert_int_equal(cg_swap_max(-1, 100, &v, NULL), 0);
	assert_int_equal(v, -1);
	assert_int_equal(cg_swap_max(300, 0, &v, &err), -EINVAL);
	assert_int_equal(cg_swap_max(100, 300, &v, &err), -EINVAL);
}

static struct cg_layout layout(bool v1, bool v2)
{
	struct cg_layout l = { 0 };

	if (v1) {
		l.v1[0] = (struct cg_hier){ "cpu,cpuacct", "/cg/cpu,cpuacct", "/", "/own" };
		l.v1[1] = (struct cg_hier){ "memory", "/cg/memory", "/", "/" };
		l.v1[2] = (struct cg_hier){ "name=other", "/cg/other", "/", "/" };
		l.nr_v1 = 3;
	}
	if (v2)
		l.v2 = (struct cg_hier){ "", v1 ? "/cg/unified" : "/cg", "/", "/user/own" };
	return l;
}

/* Path of the container in the hierarchy @i; fails when cg_place() does. */
static void check_place(bool v1, bool v2, const char *path, const struct oci_resources *r, size_t dirs,
			const char *first, const char *last)
{
	struct oci_cgroup cg = { .want = { .id = "id", .path = path, .resources = r } };
	struct cg_layout l = layout(v1, v2);

	assert_int_equal(cg_place(&cg, &l, NULL), 0);
	assert_int_equal(cg.nr_dirs, dirs);
	assert_string_equal(cg.dirs[0].path, first);
	assert_string_equal(cg.dirs[dirs - 1].path, last);
	arena_fini(&cg.arena);
}

static void places(void **state)
{
	struct oci_hugepage_limit huge = { "2MB", 0 };
	struct oci_resources r = { .hugepages = &huge, .nr_hugepages = 1 };
	struct oci_cgroup cg = { .want = { .id = "id", .path = "/../." } };
	struct cg_layout l = layout(true, true);
	struct err err = { 0 };

	(void) state;
	check_place(true, false, NULL, NULL, 2, "/cg/cpu,cpuacct/own/id", "/cg/memory/id");
	check_place(true, false, "", NULL, 2, "/cg/cpu,cpuacct/own/id", "/cg/memory/id");
	check_place(true, false, "/a//b/", NULL, 2, "/cg/cpu,cpuacct/a/b", "/cg/memory/a/b");
	check_place(true, false, "../../a", NULL, 2, "/cg/cpu,cpuacct/own/a", "/cg/memory/a");
	check_place(true, false, "/a/./b/../../../c", NULL, 2, "/cg/cpu,cpuacct/c", "/cg/memory/c");
	check_place(false, true, NULL, NULL, 1, "/cg/user/id", "/cg/user/id");
	check_place(false, true, "/x", NULL, 1, "/cg/x", "/cg/x");
	check_place(true, true, NULL, NULL, 2, "/cg/cpu,cpuacct/own/id", "/cg/memory/id");
	check_place(true, true, NULL, &r, 3, "/cg/cpu,cpuacct/own/id", "/cg/unified/user/id");
	check_place(true, true, "/x", NULL, 3, "/cg/cpu,cpuacct/x", "/cg/unified/x");
	assert_int_equal(cg_place(&cg, &l, &err), -EINVAL);
	assert_non_null(strstr(err.text, "root of the hierarchy"));
	arena_fini(&cg.arena);
}

static void save_and_open(void **state)
{
	struct oci_cgroup cg = { .rootless = true, .unit = { .name = "a-\"b.scope", .slice = "s.slice", .user = true } };
	_cleanup_(str_fini) struct str one = { 0 }, two = { 0 };
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *again = NULL;
	struct oci_cgroup_view view;

	(void) state;
	assert_int_equal(cg_dir_init(&cg, &cg.dirs[0], "cpu,cpuacct", "/nowhere/cpu,cpuacct", "/nowhere/cpu,cpuacct/x"), 0);
	assert_int_equal(cg_dir_init(&cg, &cg.dirs[1], "", "/nowhere/unified", "/nowhere/unified/x"), 0);
	cg.nr_dirs = 2;
	oci_cgroup_save(&cg, &one);
	assert_int_equal(oci_cgroup_open(one.p, &again, NULL), 0);
	oci_cgroup_save(again, &two);
	assert_string_equal(one.p, two.p);
	assert_string_equal(again->unit.name, "a-\"b.scope");
	assert_int_equal(oci_cgroup_clone_fd(again), -EBADF);
	oci_cgroup_view(again, &view);
	assert_int_equal(view.n, 1);
	assert_string_equal(view.v[0].name, "cpu,cpuacct");
	assert_string_equal(view.v[0].links[1], "cpuacct");
	arena_fini(&cg.arena);
}

static void open_refuses(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"dirs\":[[1,2,3]]}", "{\"dirs\":[[\"a\",\"b\"]]}",
		"{\"dirs\":[[\"memory\",\"/m\",\"/other/x\"]]}", "{\"dirs\":[[\"memory\",\"m\",\"m/x\"]]}",
		"{\"dirs\":[[\"memory\",\"/m\",\"/m\"]]}",
	};
	struct oci_cgroup *cg = NULL;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(oci_cgroup_open(bad[i], &cg, NULL), -EINVAL);
	assert_null(cg);
}

/* A life on this host: made, limited, entered, found, frozen, refused to another, killed, removed. */
static void life(void **state)
{
	struct oci_resources r = { .pids_limit = { true, 33 } };
	char id[64];
	struct oci_cgroup_want want = { .id = id, .resources = &r };
	struct oci_cgroup *cg = NULL, *other = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	struct err err = { 0 };
	int status;
	pid_t pid;

	(void) state;
	(void) snprintf(id, sizeof(id), "cleave-test-%d", (int) getpid());
	if (geteuid() != 0)
		skip();
	status = oci_cgroup_create(&want, &cg, &err);
	if (status == -ENOENT || cg_is_forbidden(status))
		skip();
	assert_int_equal(status, 0);
	status = oci_cgroup_apply(cg, &r, false, &err);
	if (cg_v1(cg, "pids") != NULL || cg->unified == false)
		assert_int_equal(status, 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			(void) pause();
	assert_int_equal(oci_cgroup_enter_pid(cg, pid, &err), 0);
	assert_int_equal(oci_cgroup_pids(cg, &pids, &err), 1);
	assert_int_equal(pids[0], pid);
	assert_int_equal(oci_cgroup_frozen(cg), 0);
	if (oci_cgroup_freeze(cg, true, &err) == 0)
		assert_int_equal(oci_cgroup_frozen(cg), 1);
	assert_int_equal(oci_cgroup_create(&want, &other, &err), -EBUSY);
	assert_non_null(strstr(err.text, "container's cgroup is not empty: 1 process(es) found"));
	assert_int_equal(oci_cgroup_kill(cg, 9, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), 9);
	assert_int_equal(oci_cgroup_delete(cg, &err), 0);
	for (size_t i = 0; i < cg->nr_dirs; i++)
		assert_int_equal(access(cg->dirs[i].path, F_OK), -1);
	oci_cgroup_free(cg);
}

/* Refused limits leave nothing behind in the message that a person could not find. */
static void refused_limits(void **state)
{
	char dir[] = "/tmp/cgroup-test-XXXXXX";
	struct oci_resources r = { .cpu = { .shares = { true, 1 } } };
	struct oci_cgroup cg = { .nr_dirs = 1 };
	struct oci_pair pair = { (char *) "memory.high", (char *) "1" };
	struct err err = { 0 };

	(void) state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(cg_dir_init(&cg, &cg.dirs[0], "cpu", "/tmp", dir), 0);
	assert_int_equal(oci_cgroup_apply(&cg, &r, true, &err), -EINVAL);
	assert_string_equal(err.text, "the minimum allowed cpu-shares is 2");
	r.cpu.shares.v = 512; /* not a cgroup file system: there is no cpu.shares */
	assert_int_equal(oci_cgroup_apply(&cg, &r, true, &err), -ENOENT);
	assert_non_null(strstr(err.text, "linux.resources.cpu.shares: cannot set it to '512'"));
	r = (struct oci_resources){ .pids_limit = { true, 1 } };
	assert_int_equal(oci_cgroup_apply(&cg, &r, true, &err), -ENOENT);
	assert_string_equal(err.text, "cannot set pids limit: container could not join or create cgroup");
	r = (struct oci_resources){ .unified = { &pair, 1 } };
	assert_int_equal(oci_cgroup_apply(&cg, &r, true, &err), -EINVAL);
	assert_true(str_starts(err.text, "invalid configuration"));
	arena_fini(&cg.arena);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(swap_limits),
		cmocka_unit_test(places),
		cmocka_unit_test(save_and_open),
		cmocka_unit_test(open_refuses),
		cmocka_unit_test(refused_limits),
		cmocka_unit_test(life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
