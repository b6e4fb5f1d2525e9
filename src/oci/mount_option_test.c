/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/mount_option.h"
#include "oci/spec.h"

#define OPTIONS_MAX 16

/* Parse the options given up to NULL for a mount of @type */
static int parse(const char *type, struct oci_mount_opts *ret, struct err *err, ...)
{
	char *v[OPTIONS_MAX];
	struct oci_mount m = { .destination = (char *) "/d",
			       .type = (char *) type,
			       .options = { v, 0 } };
	va_list ap;

	va_start(ap, err);
	while ((v[m.options.n] = va_arg(ap, char *)) != NULL)
		m.options.n++;
	va_end(ap);
	return oci_mount_opts_parse(&m, ret, err);
}

static void table_is_sorted(void **state)
{
	size_t n = 0;

	(void) state;
	for (; oci_mount_opt_name(n) != NULL; n++) {
		assert_false(oci_mount_opt_is_data(oci_mount_opt_name(n)));
		if (n > 0)
			assert_true(strcmp(oci_mount_opt_name(n - 1), oci_mount_opt_name(n)) < 0);
	}
	assert_true(n > 60);
	assert_true(oci_mount_opt_is_data("size=64k"));
	assert_true(oci_mount_opt_is_data("newinstance"));
	assert_false(oci_mount_opt_is_data("idmap=uids=0-1-1;gids=0-1-1"));
}

static void flags_are_set_and_cleared(void **state)
{
	struct oci_mount_opts o;

	(void) state;
	assert_int_equal(parse("tmpfs", &o, NULL, "ro", "nosuid", "noexec", "size=1m", NULL), 0);
	assert_int_equal(o.flags, MS_RDONLY | MS_NOSUID | MS_NOEXEC);
	assert_int_equal(o.cleared, 0);
	assert_true(o.has_data);

	assert_int_equal(
		parse("tmpfs", &o, NULL, "ro", "rw", "nodev", "dev", "suid", "nosuid", NULL), 0);
	assert_int_equal(o.flags, MS_NOSUID);
	assert_int_equal(o.cleared, MS_RDONLY | MS_NODEV);
	assert_false(o.has_data);
}

static void bind_by_option_or_type(void **state)
{
	struct oci_mount_opts o;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(parse(NULL, &o, NULL, "rbind", "bind", NULL), 0);
	assert_int_equal(o.flags, MS_BIND | MS_REC);
	assert_int_equal(parse("bind", &o, NULL, NULL), 0);
	assert_int_equal(o.flags, MS_BIND);
	assert_int_equal(parse("none", &o, &err, "bind", "size=1", NULL), 0); /* warned about */
}

static void recursive_attributes(void **state)
{
	struct oci_mount_opts o;

	(void) state;
	assert_int_equal(parse("bind", &o, NULL, "rro", "rnosuid", "rexec", NULL), 0);
	assert_int_equal(o.rec_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	assert_int_equal(o.rec_clr, MOUNT_ATTR_NOEXEC);
	assert_int_equal(parse("bind", &o, NULL, "rro", "rrw", NULL), 0);
	assert_int_equal(o.rec_set, 0);
	assert_int_equal(o.rec_clr, MOUNT_ATTR_RDONLY);
	/* access time modes: the whole field is cleared first, one mode wins */
	assert_int_equal(parse("bind", &o, NULL, "rnoatime", "rstrictatime", NULL), 0);
	assert_int_equal(o.rec_set, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(o.rec_clr & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
	assert_int_equal(parse("bind", &o, NULL, "rrelatime", NULL), 0);
	assert_int_equal(o.rec_set, 0);
	assert_int_equal(o.rec_clr, MOUNT_ATTR__ATIME);
}

static void propagation_keeps_order(void **state)
{
	struct oci_mount_opts o;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(parse("bind", &o, NULL, "slave", "rshared", NULL), 0);
	assert_int_equal(o.nr_propagation, 2);
	assert_int_equal(o.propagation[0], MS_SLAVE);
	assert_int_equal(o.propagation[1], MS_SHARED | MS_REC);
	assert_int_equal(
		parse("bind", &o, &err, "slave", "shared", "slave", "shared", "private", NULL),
		-EINVAL);
}

static void id_maps(void **state)
{
	struct oci_idmap map = { 0, 1000, 1 };
	struct oci_mount m = { .destination = (char *) "/d", .type = (char *) "bind" };
	struct oci_mount_opts o;
	struct err err = { 0 };

	(void) state;
	assert_int_equal(parse("bind", &o, NULL, "ridmap", NULL), 0);
	assert_true(o.idmap && o.idmap_rec && o.idmap_text == NULL);
	assert_int_equal(parse("bind", &o, NULL, "idmap=uids=0-1-2", NULL), 0);
	assert_true(o.idmap && !o.idmap_rec);
	assert_string_equal(o.idmap_text, "uids=0-1-2");
	assert_int_equal(parse("tmpfs", &o, &err, "idmap", NULL), -EINVAL);
	assert_non_null(strstr(err.text, "only supported for bind-mounts"));

	m.uid_mappings = (struct oci_idmaps){ &map, 1 };
	assert_int_equal(oci_mount_opts_parse(&m, &o, &err), -EINVAL);
	m.gid_mappings = m.uid_mappings;
	assert_int_equal(oci_mount_opts_parse(&m, &o, &err), 0);
	assert_true(o.idmap && !o.idmap_rec);
}

static void extras_exclude_each_other(void **state)
{
	struct oci_mount_opts o;

	(void) state;
	assert_int_equal(parse("tmpfs", &o, NULL, "tmpcopyup", NULL), 0);
	assert_true(o.copyup);
	assert_int_equal(parse("bind", &o, NULL, "tmpcopyup", NULL), -EINVAL);
	assert_int_equal(parse("bind", &o, NULL, "copy-symlink", "src-nofollow", NULL), -EINVAL);
	assert_int_equal(parse("bind", &o, NULL, "src-nofollow", "dest-nofollow", NULL), 0);
	assert_true(o.src_nofollow && o.dest_nofollow);
}

static void attributes_as_mount_does(void **state)
{
	(void) state;
	assert_int_equal(oci_mount_attrs(0), 0); /* relatime */
	assert_int_equal(oci_mount_attrs(MS_NOATIME), MOUNT_ATTR_NOATIME);
	assert_int_equal(oci_mount_attrs(MS_NOATIME | MS_STRICTATIME), MOUNT_ATTR_STRICTATIME);
	assert_int_equal(oci_mount_attrs(MS_RDONLY | MS_NODEV | MS_NODIRATIME),
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NODIRATIME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sorted),
		cmocka_unit_test(flags_are_set_and_cleared),
		cmocka_unit_test(bind_by_option_or_type),
		cmocka_unit_test(recursive_attributes),
		cmocka_unit_test(propagation_keeps_order),
		cmocka_unit_test(id_maps),
		cmocka_unit_test(extras_exclude_each_other),
		cmocka_unit_test(attributes_as_mount_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
