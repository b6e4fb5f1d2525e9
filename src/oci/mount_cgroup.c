/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounts of type "cgroup"
 *
 * v2: one mount.  v1: a tmpfs with a directory per hierarchy and links for controllers that share
 * one.  With a cgroup namespace a hierarchy is mounted anew and shows the container's cgroup as its
 * root; without, or where the kernel refuses that, the container's cgroup is bind-mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/init.h"
#include "oci/mount.h"
#include "oci/mount_option.h"
#include "oci/ns.h"
#include "oci/spec.h"
#include "sys/cg_layout.h"
#include "sys/mnt.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define ATTR_SAFE   (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int new_mount(const char *type, const char *source, const char *data, uint64_t attrs,
		     struct err *err)
{
	_cleanup_close_ int fs = mnt_fs_open(type, err);
	int r = fs;

	if (r >= 0)
		r = mnt_fs_set(fs, "source", source, err);
	while (r >= 0 && data != NULL && *data != '\0') { /* "cpu,cpuacct" or "name=systemd" */
		char key[MNT_VALUE_MAX + 1], *value;
		size_t n = strcspn(data, ",");

		if (n > MNT_VALUE_MAX)
			return err_set(err, -ENAMETOOLONG, "cgroup controllers");
		memcpy(key, data, n);
		key[n] = '\0';
		data += n + (data[n] == ',');
		value = strchr(key, '=');
		if (value != NULL)
			*value++ = '\0';
		r = mnt_fs_set(fs, key, value, err);
	}
	return r < 0 ? r : mnt_fs_mount(fs, attrs, err);
}

static int bind_host(const char *path, uint64_t attrs, struct err *err)
{
	_cleanup_close_ int mnt = mnt_clone(AT_FDCWD, path, AT_RECURSIVE);
	int r = mnt < 0 ? mnt : mnt_attr(mnt, true, attrs, 0, 0);

	return r < 0 ? err_set(err, r, "bind '%s'", path) : take_fd(mnt);
}

static bool may_retry(int code)
{
	return code == -EPERM || code == -EBUSY || code == -EACCES || code == -EINVAL ||
	       code == -ENOENT;
}

/* Empty and read-only, where a rootless container has no cgroup to show */
static int empty(struct err *err)
{
	return new_mount("tmpfs", "tmpfs", "nr_inodes=1", ATTR_SAFE | MOUNT_ATTR_RDONLY, err);
}

static int finish(int mnt, int dest, const struct oci_mount_opts *o, struct err *err)
{
	int r = oci_mount_apply(mnt, o, err);

	if (r < 0)
		return r;
	r = mnt_move(mnt, dest);
	return r < 0 ? err_set(err, r, "attach cgroup mount") : 0;
}

static int mount_v2(struct oci_init *init, const struct oci_mount *m,
		    const struct oci_mount_opts *o, const char *own, int dest, struct err *err)
{
	uint64_t attrs = oci_mount_attrs(o->flags);
	const char *source = m->source != NULL && *m->source != '\0' ? m->source : "cgroup2";
	_cleanup_close_ int mnt = new_mount("cgroup2", source, NULL, attrs, err);

	if (mnt < 0 && may_retry(mnt)) {
		bool ns = init->spec->linux.namespaces[OCI_NS_CGROUP].set;

		mnt = bind_host(ns && own != NULL ? own : CG_TOP, attrs, err);
		if (mnt == -ENOENT && init->rootless)
			mnt = empty(err);
	}
	return mnt < 0 ? mnt : finish(mnt, dest, o, err);
}

static int make_links(int top, const char *name, const char *const *links, size_t n,
		      struct err *err)
{
	for (size_t i = 0; i < n && links[i] != NULL; i++)
		if (symlinkat(name, top, links[i]) < 0 && errno != EEXIST)
			return err_set(err, -errno, "link cgroup controller '%s'", links[i]);
	return 0;
}

static int mount_hierarchy(const struct oci_init *init, int top, const char *name,
			   const char *host_path, const char *controllers, uint64_t attrs,
			   const struct oci_mount_opts *o, struct err *err)
{
	_cleanup_close_ int dir = -EBADF, mnt = -EPERM;
	bool v2 = controllers == NULL || *controllers == '\0';

	if (mkdirat(top, name, 0755) < 0)
		return err_set(err, -errno, "make directory '%s' for a cgroup hierarchy", name);
	dir = openat(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open directory '%s' for a cgroup hierarchy", name);
	if (init->spec->linux.namespaces[OCI_NS_CGROUP].set)
		mnt = new_mount(v2 ? "cgroup2" : "cgroup", v2 ? "cgroup2" : "cgroup", controllers,
				attrs, err);
	if (mnt < 0 && may_retry(mnt))
		mnt = bind_host(host_path, attrs, err);
	return mnt < 0 ? mnt : finish(mnt, dir, o, err);
}

static int mount_v1(struct oci_init *init, const struct oci_mount_opts *o,
		    const struct oci_cgroup_view *view, int dest, struct err *err)
{
	uint64_t attrs = ATTR_SAFE | (oci_mount_attrs(o->flags) & ~(uint64_t) MOUNT_ATTR__ATIME);
	_cleanup_close_ int top = new_mount("tmpfs", "tmpfs", "mode=755", ATTR_SAFE, err);
	int r = top < 0 ? top : finish(top, dest, o, err);

	for (size_t i = 0; i < view->n && r == 0; i++) {
		r = mount_hierarchy(init, top, view->v[i].name, view->v[i].host_path,
				    view->v[i].controllers, attrs, o, err);
		if (r == 0)
			r = make_links(top, view->v[i].name, view->v[i].links,
				       ARRAY_LEN(view->v[i].links), err);
	}
	/* empty, for another mount: systemd gets its own v2 cgroup there */
	if (r == 0 && view->hybrid && mkdirat(top, "unified", 0755) < 0)
		return err_set(err, -errno, "make directory 'unified' for a cgroup hierarchy");
	if (r == 0 && o->flags & MS_RDONLY) {
		r = mnt_attr(top, false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r < 0)
			return err_set(err, r, "make the cgroup directory read-only");
	}
	return r;
}

static bool host_is_v2(void)
{
	struct statfs st;

	return statfs(CG_TOP, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

int oci_mount_cgroup(struct oci_init *init, const struct oci_mount *m,
		     const struct oci_mount_opts *o, int dest, struct err *err)
{
	struct oci_cgroup_view view = { 0 };

	if (init->cgroup != NULL)
		oci_cgroup_view(init->cgroup, &view);
	else
		view.v2 = host_is_v2();
	if (view.v2 || str_eq(m->type, "cgroup2"))
		return mount_v2(init, m, o, view.v2 && view.n > 0 ? view.v[0].host_path : NULL,
				dest, err);
	return mount_v1(init, o, &view, dest, err);
}
