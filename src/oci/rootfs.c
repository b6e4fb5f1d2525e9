/* SPDX-License-Identifier: MIT */
/**
 * DOC: the container's mount tree, from the host's to its own
 *
 * mount: the child's copy of the host's tree becomes slave (or what linux.rootfsPropagation says),
 * a recursive clone of the root file system is attached where it was cloned from - hooks look for
 * it there - and everything else happens below a descriptor of it.  A child in a user namespace
 * that may not reach that place attaches the parent's clone over "/" of its own mount namespace.
 *
 * enter: pivot_root(".", ".") stacks the old root on the new one, and it is unmounted from there.
 */
#include "oci/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/device.h"
#include "oci/idmap.h"
#include "oci/init.h"
#include "oci/mask.h"
#include "oci/mount.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "oci/sysctl.h"
#include "sys/mnt.h"
#include "sys/path.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif


static bool has_mount_ns(const struct oci_init *init)
{
	return init->spec->linux.namespaces[OCI_NS_MOUNT].set;
}

/* Absolute host path of the root file system.  @ret: PATH_MAX bytes */
static int root_path(const struct oci_init *init, char *ret, struct err *err)
{
	const char *path = init->spec->root_path;
	char joined[PATH_MAX];

	if (path == NULL || *path == '\0')
		return err_msg(err, -EINVAL, "config.json: root.path is empty");
	if (snprintf(joined, sizeof(joined), "%s/%s", *path == '/' ? "" : init->bundle, path) >=
		    (int) sizeof(joined) ||
	    path_clean(joined, ret, PATH_MAX) < 0)
		return err_msg(err, -ENAMETOOLONG, "config.json: root.path is longer than %d bytes",
			       PATH_MAX - 1);
	return 0;
}

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cleanup_closep(&fds[i]);
}

/* Clone one bind source for a child in a user namespace; -EBADF where the child has to try itself
 */
static int open_source(const struct oci_init *init, const char *root, int userns_fd,
		       const struct oci_mount *m, struct err *err)
{
	char path[PATH_MAX], clean[PATH_MAX];
	struct oci_mount_opts o;
	int r = oci_mount_opts_parse(m, &o, err);

	if (r < 0)
		return r;
	if (!(o.flags & MS_BIND) || (o.flags & MS_REMOUNT) || o.copy_symlink)
		return -EBADF;
	if (oci_mount_source(init, m, path) < 0)
		return err_set(err, -ENAMETOOLONG, "source");
	if (!o.idmap && path_clean(path, clean, sizeof(clean)) > 0 &&
	    path_below(root, clean) != NULL)
		return -EBADF; /* shows what the child has mounted by then */

	_cleanup_close_ int mnt = mnt_clone(AT_FDCWD, path,
					    (o.flags & MS_REC ? AT_RECURSIVE : 0) |
						    (o.src_nofollow ? AT_SYMLINK_NOFOLLOW : 0));
	if (mnt < 0)
		return o.idmap ? err_set(err, mnt, "open source '%s'", path) : -EBADF;
	r = mnt_attr(mnt, true, 0, 0, MS_SLAVE);
	if (r < 0)
		return err_set(err, r, "set propagation of '%s'", path);
	if (o.idmap) {
		bool given = m->uid_mappings.n == 0 && o.idmap_text == NULL && userns_fd >= 0;
		_cleanup_close_ int own = given ? -EBADF : oci_idmap_for_mount(init, m, &o, err);

		if (!given && own < 0)
			return own;
		r = oci_idmap_apply(mnt, o.idmap_rec, given ? userns_fd : own, err);
		if (r < 0)
			return r;
	}
	return take_fd(mnt);
}

static int open_root(const char *root, struct err *err)
{
	_cleanup_close_ int fd = mnt_clone(AT_FDCWD, root, AT_RECURSIVE);
	int r = fd < 0 ? fd : mnt_attr(fd, true, 0, 0, MS_SLAVE);

	return r < 0 ? err_set(err, r, "open root file system '%s'", root) : take_fd(fd);
}

int oci_rootfs_open(struct oci_init *init, int userns_fd, struct err *err)
{
	const struct oci_spec *spec = init->spec;
	char root[PATH_MAX];
	int r;

	init->mount_fds = NULL;
	if (!init->in_userns || init->rootless || !has_mount_ns(init))
		return 0; /* the child sees and may do all we can */
	r = root_path(init, root, err);
	if (r < 0)
		return r;
	_cleanup_close_ int root_fd = init->rootfs_given ? -EBADF : open_root(root, err);
	if (root_fd < 0 && !init->rootfs_given)
		return root_fd;
	int *fds = malloc((spec->nr_mounts + 1) * sizeof(*fds));
	if (fds == NULL)
		return err_set(err, -ENOMEM, "mounts");
	for (size_t i = 0; i < spec->nr_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];

		fds[i] = open_source(init, root, userns_fd, m, err);
		if (fds[i] < 0 && fds[i] != -EBADF) {
			r = fds[i];
			close_fds(fds, i);
			free(fds);
			return err_wrap(err, r, "error mounting \"%s\" to rootfs at \"%s\"",
					m->source != NULL ? m->source : "", m->destination);
		}
	}
	if (!init->rootfs_given)
		init->rootfs_fd = take_fd(root_fd);
	init->mount_fds = fds;
	return 0;
}

void oci_rootfs_close(struct oci_init *init)
{
	cleanup_closep(&init->rootfs_fd);
	init->rootfs_fd = -EBADF;
	if (init->mount_fds != NULL)
		close_fds(init->mount_fds, init->spec->nr_mounts);
	free(init->mount_fds);
	init->mount_fds = NULL;
}

/* The mount that @root is on must not be shared, or attaching would show on the host */
static int unshare_parent(const char *root, struct err *err)
{
	char path[PATH_MAX];
	size_t n = strlen(root);

	memcpy(path, root, n + 1);
	while (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0) {
		char *slash = strrchr(path, '/');

		if (errno != EINVAL || strcmp(path, "/") == 0 || slash == NULL)
			return err_set(err, -errno, "make the mount of '%s' private", root);
		slash[slash == path] = '\0';
	}
	return 0;
}

/*
 * Of the host's tree; "unbindable" is for the container's root alone.  Unless it is to be shared,
 * no mount of the host stays a peer of the copy: unmounting the copy would unmount the host's.
 */
static int set_propagation(const struct oci_init *init, struct err *err)
{
	unsigned long prop = init->spec->linux.rootfs_propagation;
	unsigned long flags = prop & MS_PRIVATE ? MS_PRIVATE | MS_REC : MS_SLAVE | MS_REC;

	if (prop & MS_SHARED)
		flags = prop;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_set(err, -errno, "set propagation of the root mount");
	return prop & MS_SHARED ? unshare_parent(init->rootfs->root, err) : 0;
}

static int attach_root(struct oci_init *init, struct err *err)
{
	const char *root = init->rootfs->root;
	int fd = init->rootfs_given ? init->rootfs_fd : mnt_clone(AT_FDCWD, root, AT_RECURSIVE), r;

	if (fd < 0 && init->rootfs_fd >= 0) {
		if (move_mount(init->rootfs_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return err_set(err, -errno, "attach root file system '%s'", root);
		return 0;
	}
	if (fd < 0)
		return err_set(err, fd, "open root file system '%s'", root);
	if (fd != init->rootfs_fd)
		cleanup_closep(&init->rootfs_fd);
	init->rootfs_fd = fd;
	if (!has_mount_ns(init)) { /* nothing of the container may propagate */
		r = mnt_attr(fd, true, 0, 0, MS_PRIVATE);
		if (r < 0)
			return err_set(err, r, "make the root file system private");
	}
	if (move_mount(fd, "", AT_FDCWD, root, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return err_set(err, -errno, "attach root file system '%s'", root);
	return 0;
}

static void rootfs_free(struct oci_init *init)
{
	struct oci_rootfs *rootfs = init->rootfs;

	if (rootfs == NULL)
		return;
	cleanup_closep(&rootfs->dev_fd);
	cleanup_closep(&rootfs->null_mnt);
	close_fds(rootfs->late_ro, rootfs->nr_late_ro);
	free(rootfs->late_ro);
	free(rootfs);
	init->rootfs = NULL;
}

static int prepare(struct oci_init *init, struct err *err)
{
	struct oci_rootfs *rootfs = calloc(1, sizeof(*rootfs));

	if (rootfs == NULL)
		return err_set(err, -ENOMEM, "root file system");
	rootfs->dev_fd = rootfs->null_mnt = -EBADF;
	init->rootfs = rootfs;
	rootfs->late_ro = calloc(init->spec->nr_mounts + 1, sizeof(*rootfs->late_ro));
	if (rootfs->late_ro == NULL)
		return err_set(err, -ENOMEM, "root file system");
	return root_path(init, rootfs->root, err);
}

static int mount_all(struct oci_init *init, struct err *err)
{
	const struct oci_spec *spec = init->spec;
	int r = prepare(init, err);

	if (r == 0 && has_mount_ns(init))
		r = set_propagation(init, err);
	if (r == 0)
		r = attach_root(init, err);
	for (size_t i = 0; i < spec->nr_mounts && r == 0; i++)
		r = oci_mount_do(init, i, err);
	if (r == 0)
		r = oci_device_make_all(init, err);
	if (r == 0 && spec->linux.masked_paths.n > 0)
		r = init->rootfs->null_mnt = oci_device_clone_null(err);
	return r < 0 ? r : 0;
}

int oci_rootfs_mount(struct oci_init *init, struct err *err)
{
	mode_t mask = umask(0);
	int r = mount_all(init, err);

	(void) umask(mask);
	if (r < 0)
		rootfs_free(init);
	return r;
}

static int make_late_ro(const struct oci_rootfs *rootfs, struct err *err)
{
	for (size_t i = 0; i < rootfs->nr_late_ro; i++) {
		int r = mnt_attr(rootfs->late_ro[i], false, MOUNT_ATTR_RDONLY, 0, 0);

		if (r < 0)
			return err_set(err, r, "make a mount read-only");
	}
	return 0;
}

static int pivot(const struct oci_init *init, struct err *err)
{
	unsigned long prop = init->spec->linux.rootfs_propagation;
	_cleanup_close_ int old = -EBADF;

	if ((prop & MS_SHARED) != 0) {
		old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old < 0)
			return err_set(err, -errno, "open the host's root");
	}
	if (fchdir(init->rootfs_fd) < 0)
		return err_set(err, -errno, "change to the root file system");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_set(err, -errno, "pivot_root");
	if (old >= 0) { /* unmounting must not reach the host */
		int r = mnt_attr(old, true, 0, 0, MS_SLAVE);

		if (r < 0)
			return err_set(err, r, "make the host's root slave");
	}
	return umount2(".", MNT_DETACH) < 0 ? err_set(err, -errno, "unmount the host's root") : 0;
}

/* One line of mountinfo: is it a complete proc or sysfs outside of the container's root? */
static char *full_mount(const struct oci_init *init, char *line)
{
	char *field[5], *save = NULL, *type = strstr(line, " - ");

	if (type == NULL || (!str_starts(type + 3, "proc ") && !str_starts(type + 3, "sysfs ")))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL)
			return NULL;
	}
	mnt_unescape(field[4]);
	if (strcmp(field[3], "/") != 0 || path_below(init->rootfs->root, field[4]) != NULL)
		return NULL;
	return field[4];
}

/*
 * Without pivot_root the host's tree stays below.  A complete proc or sysfs in it would let the
 * container mount its own unmasked one, so those are unmounted, or covered where that is refused.
 */
static int hide_full_mounts(const struct oci_init *init, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;
	int r;

	if ((init->spec->linux.rootfs_propagation & MS_SHARED) != 0 &&
	    mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_set(err, -errno, "make the host's root slave");
	r = file_read(init->proc_fd, "self/mountinfo", MNT_INFO_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read mountinfo");
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *path = full_mount(init, line);

		if (path == NULL || umount2(path, MNT_DETACH) == 0 || errno == ENOENT)
			continue;
		if (errno != EINVAL && errno != EPERM)
			return err_set(err, -errno, "unmount '%s'", path);
		if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0 && errno != ENOENT)
			return err_set(err, -errno, "cover '%s'", path);
	}
	return 0;
}

static int change_root(const struct oci_init *init, struct err *err)
{
	if (fchdir(init->rootfs_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_set(err, -errno, "change root");
	return 0;
}

static int move_root(const struct oci_init *init, struct err *err)
{
	int r = hide_full_mounts(init, err);

	if (r < 0)
		return r;
	if (move_mount(init->rootfs_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(err, -errno, "move the root file system to /");
	return change_root(init, err);
}

static int finish_root(const struct oci_init *init, struct err *err)
{
	unsigned long prop = init->spec->linux.rootfs_propagation;
	int r;

	if ((prop & (MS_SHARED | MS_UNBINDABLE)) != 0) {
		r = mnt_attr(init->rootfs_fd, prop & MS_REC, 0, 0, prop & ~(unsigned long) MS_REC);
		if (r < 0)
			return err_set(err, r, "set propagation of the root file system");
	}
	if (!init->spec->root_readonly)
		return 0;
	r = mnt_attr(init->rootfs_fd, false, MOUNT_ATTR_RDONLY, 0, 0);
	return r < 0 ? err_set(err, r, "make the root file system read-only") : 0;
}

/* The working directory is made while the root can still be written */
static int make_cwd(const struct oci_init *init, struct err *err)
{
	const char *cwd = init->process != NULL ? init->process->cwd : NULL;
	int fd;

	if (cwd == NULL || cwd[strspn(cwd, "/")] == '\0')
		return 0;
	fd = path_make(init->rootfs_fd, cwd, S_IFDIR);
	if (fd < 0 && fd != -EACCES)
		return err_set(err, fd, "mkdir %s", cwd);
	cleanup_closep(&fd);
	return 0;
}

static int enter(struct oci_init *init, struct err *err)
{
	int r = make_late_ro(init->rootfs, err);

	if (r < 0)
		return r;
	if (!has_mount_ns(init))
		r = change_root(init, err);
	else
		r = init->no_pivot ? move_root(init, err) : pivot(init, err);
	if (r == 0)
		r = make_cwd(init, err);
	if (r == 0)
		r = oci_device_reopen_null(err);
	if (r == 0)
		r = finish_root(init, err);
	if (r == 0)
		r = oci_sysctl_apply(init, err);
	if (r == 0)
		r = oci_mask_readonly(init->spec, err);
	if (r == 0 && init->spec->linux.masked_paths.n > 0)
		r = oci_mask_paths(init->spec, take_fd(init->rootfs->null_mnt), err);
	return r;
}

int oci_rootfs_enter(struct oci_init *init, struct err *err)
{
	int r = enter(init, err);

	rootfs_free(init);
	return r;
}
