/* SPDX-License-Identifier: MIT */
/**
 * DOC: where the container's cgroup is
 *
 * linux.cgroupsPath with a leading slash counts from the mount point of each hierarchy.  Without, it
 * counts from the runtime's own cgroup, and no path at all means the container's id there.  In v2 a
 * cgroup with processes cannot give controllers to its children, so there the parent of the runtime's
 * own cgroup is taken.  ".." never leads above the starting point.
 * Hybrid hosts: the v2 directory is made only where something needs it or the path was chosen by the
 * caller, who then expects the same path everywhere.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

/*
 * Append @path to @out, component by component: "." and empty ones vanish, ".." removes one but
 * never what was in @out before.
 */
static void add_clean(struct str *out, const char *path)
{
	size_t base = out->len;

	while (*path != '\0') {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && memcmp(path, "..", 2) == 0) {
			while (out->len > base && out->p[out->len - 1] != '/')
				out->len--;
			if (out->len > base)
				out->len--;
		} else if (n > 0 && !(n == 1 && *path == '.')) {
			str_puts(out, "/");
			str_add(out, path, n);
		}
		path += n;
	}
	str_add(out, "", 0);
	if (!out->failed)
		out->p[out->len] = '\0';
}

/* Append the directory relative paths start from: the caller's own, in v2 its parent. */
static void add_start(struct str *out, const struct cg_hier *h, bool v2)
{
	const char *own = cg_hier_own(h);
	size_t n = strlen(own);

	if (v2) {
		const char *slash = strrchr(own, '/');

		n = slash != NULL ? (size_t) (slash - own) : 0;
	}
	str_add(out, own, n);
}

static int add_dir(struct oci_cgroup *cg, const struct cg_hier *h, const char *path, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	struct cg_dir *d = &cg->dirs[cg->nr_dirs];
	const char *given = path != NULL ? path : cg->want.path;
	bool v2 = *h->controllers == '\0';

	str_puts(&s, h->mount);
	if (given == NULL || *given != '/')
		add_start(&s, h, v2);
	add_clean(&s, given != NULL ? given : cg->want.id);
	if (s.failed)
		return err_set(err, -ENOMEM, "allocate cgroup path");
	if (s.len >= PATH_MAX - NAME_MAX)
		return err_msg(err, -ENAMETOOLONG, "linux.cgroupsPath: '%.64s...' is longer than %d bytes",
			       given != NULL ? given : cg->want.id, PATH_MAX - NAME_MAX);
	if (s.len == strlen(h->mount))
		return err_msg(err, -EINVAL,
			       "linux.cgroupsPath: '%s' is the root of the hierarchy at %s, which cannot be a container's cgroup",
			       given, h->mount);
	if (cg_dir_init(cg, d, h->controllers, h->mount, s.p) < 0)
		return err_set(err, -ENOMEM, "allocate cgroup path");
	cg->nr_dirs++;
	return 0;
}

/* Named hierarchies belong to whoever named them; only systemd's is a convention to follow. */
static bool is_ours(const struct cg_hier *h)
{
	return !str_starts(h->controllers, "name=") || str_eq(h->controllers, "name=systemd");
}

static int place(struct oci_cgroup *cg, const struct cg_layout *layout, const char *path,
		 struct err *err)
{
	int r = 0;

	cg->nr_dirs = 0;
	cg->unified = layout->nr_v1 == 0;
	for (size_t i = 0; i < layout->nr_v1 && r == 0; i++)
		if (is_ours(&layout->v1[i]))
			r = add_dir(cg, &layout->v1[i], path, err);
	if (r == 0 && layout->v2.mount != NULL &&
	    (cg->unified || path != NULL || cg->want.path != NULL ||
	     cg_needs_v2(cg->want.resources, layout)))
		r = add_dir(cg, &layout->v2, path, err);
	return r;
}

int cg_place(struct oci_cgroup *cg, const struct cg_layout *layout, struct err *err)
{
	if (cg->want.path != NULL && *cg->want.path == '\0')
		cg->want.path = NULL;
	return place(cg, layout, NULL, err);
}

int cg_place_at(struct oci_cgroup *cg, const struct cg_layout *layout, const char *path,
		struct err *err)
{
	return place(cg, layout, path, err);
}
