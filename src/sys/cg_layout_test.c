/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "sys/cg_layout.h"

#define V1_MOUNTS                                                                                  \
	"25 30 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"                                           \
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"                      \
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n" \
	"33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"               \
	"34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"

static void v1_and_names(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	assert_int_equal(cg_layout_parse(V1_MOUNTS,
					 "5:memory:/user:1\n4:cpu,cpuacct:/\n3:pids:/x\n1:name=systemd:/init\n", &l), 0);
	assert_int_equal(l.nr_v1, 3); /* pids is not mounted */
	assert_string_equal(l.v1[0].mount, "/sys/fs/cgroup/memory");
	assert_string_equal(l.v1[0].own, "/user:1");
	assert_string_equal(l.v1[1].mount, "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(cg_hier_own(&l.v1[1]), "");
	assert_string_equal(l.v1[2].controllers, "name=systemd");
	assert_null(l.v2.mount);
	cg_layout_fini(&l);
}

static void hybrid(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	assert_int_equal(cg_layout_parse(V1_MOUNTS "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
					 "4:memory:/\n0::/own\n", &l), 0);
	assert_int_equal(l.nr_v1, 1);
	assert_string_equal(l.v2.mount, "/sys/fs/cgroup/unified");
	assert_string_equal(cg_hier_own(&l.v2), "/own");
	cg_layout_fini(&l);
}

static void v2_wins_at_the_usual_place(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	assert_int_equal(cg_layout_parse("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
					 "31 1 0:27 / /mnt/net_cls rw - cgroup cgroup rw,net_cls\n",
					 "2:net_cls:/\n0::/user.slice/a.scope\n", &l), 0);
	assert_int_equal(l.nr_v1, 0);
	assert_string_equal(l.v2.own, "/user.slice/a.scope");
	cg_layout_fini(&l);
}

/* In a container without cgroup namespace every mount shows the container's own cgroup. */
static void nested_bind_mounts(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	assert_int_equal(cg_layout_parse("33 31 0:30 /other /a rw - cgroup cgroup rw,memory\n"
					 "34 31 0:30 /docker/1 /my\\040cgroup rw - cgroup cgroup rw,memory\n",
					 "4:memory:/docker/1/sub\n", &l), 0);
	assert_string_equal(l.v1[0].mount, "/my cgroup");
	assert_string_equal(cg_hier_own(&l.v1[0]), "/sub");
	cg_layout_fini(&l);
	assert_int_equal(cg_layout_parse("34 31 0:30 / /m rw - cgroup cgroup rw,memory\n", "4:memory:/../../x\n", &l), 0);
	assert_string_equal(cg_hier_own(&l.v1[0]), "");
	cg_layout_fini(&l);
}

static void nonsense_is_skipped(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	assert_int_equal(cg_layout_parse("", "", &l), -ENOENT);
	assert_int_equal(cg_layout_parse(" - cgroup\n1 2 - cgroup x\n- cgroup2\n\n - cgroup2 a b\n", "x\n4:memory\n::\n0::rel\n4:memory:/\n", &l),
			 -ENOENT);
	assert_int_equal(l.nr_v1, 0);
}

static void controller_words(void **state)
{
	(void) state;
	assert_true(cg_hier_has("cpu,cpuacct", "cpuacct"));
	assert_true(cg_hier_has("cpu,cpuacct", "cpu"));
	assert_false(cg_hier_has("cpuset", "cpu"));
	assert_false(cg_hier_has("", "cpu"));
}

/* What is read from this host is usable: every mount point is there. */
static void this_host(void **state)
{
	struct cg_layout l = { 0 };

	(void) state;
	if (cg_layout_read(&l) == -ENOENT)
		skip();
	for (size_t i = 0; i < l.nr_v1; i++)
		assert_int_equal(access(l.v1[i].mount, F_OK), 0);
	assert_true(l.nr_v1 != 0 || l.v2.mount != NULL);
	cg_layout_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_and_names),
		cmocka_unit_test(hybrid),
		cmocka_unit_test(v2_wins_at_the_usual_place),
		cmocka_unit_test(nested_bind_mounts),
		cmocka_unit_test(nonsense_is_skipped),
		cmocka_unit_test(controller_words),
		cmocka_unit_test(this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
