/* SPDX-License-Identifier: MIT */
/**
 * DOC: one mount of the configuration
 *
 * A mount is made detached (a new file system instance, or a clone of the bind source), gets all
 * its attributes, and is then attached to an O_PATH descriptor of its destination, so nobody ever
 * sees it half done and no path is resolved twice.
 *
 * fsconfig(2) takes values up to 255 bytes.  A longer one (overlay layers) makes the mount go
 * through mount(2): on top of the root of the child's mount namespace, where no path lookup crosses
 * it but "/.." does, and from there to its destination.
 */
#include "oci/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/idmap.h"
#include "oci/init.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/mnt.h"
#include "sys/path.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#define ST_NOSYMFOLLOW_ 0x2000 /* linux/statfs.h, in no libc header */

#define DATA_SIZE_MAX 4095 /* bytes mount(2) takes */
#define MS_ATIMES     (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
#define MS_LOCKABLE   (MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID | MS_ATIMES)
#define MS_VFS        (MS_LOCKABLE | MS_NOSYMFOLLOW)
#define ATTR_PLAIN                                                                                 \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR_NOSYMFOLLOW)
#define ATTR_ATIMES (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)

/* Instances may be shared with other containers, and are never on a read-only device */
static const char *const virtual_types[] = {
	"binfmt_misc", "bpf",    "cgroup", "cgroup2",    "configfs", "debugfs", "devpts",  "mqueue",
	"proc",        "pstore", "ramfs",  "securityfs", "sysfs",    "tmpfs",   "tracefs",
};

static bool is_one_of(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, list[i]))
			return true;
	return false;
}

int oci_mount_source(const struct oci_init *init, const struct oci_mount *m, char *ret)
{
	const char *source = m->source != NULL ? m->source : "";
	int n = *source == '/' ? snprintf(ret, PATH_MAX, "%s", source)
			       : snprintf(ret, PATH_MAX, "%s/%s", init->bundle, source);

	return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Hand @text, "key=value,key,...", to @set; commas inside double quotes do not separate */
static int each_parameter(int fs, const char *text, struct err *err)
{
	while (*text != '\0') {
		char buf[2 * (MNT_VALUE_MAX + 1)], *value;
		size_t n = 0, key;
		bool quoted = false;

		for (; *text != '\0' && (quoted || *text != ','); text++) {
			if (*text == '"') {
				quoted = !quoted;
				continue;
			}
			if (*text == '\\' && text[1] != '\0' && n + 2 < sizeof(buf))
				buf[n++] = *text++;
			if (n + 1 >= sizeof(buf))
				return -E2BIG;
			buf[n++] = *text;
		}
		buf[n] = '\0';
		text += *text == ',';
		if (n == 0)
			continue;
		value = strchr(buf, '=');
		key = value != NULL ? (size_t) (value - buf) : n;
		if (key > MNT_VALUE_MAX || (value != NULL && n - key - 1 > MNT_VALUE_MAX))
			return -E2BIG;
		if (value != NULL)
			*value++ = '\0';
		int r = mnt_fs_set(fs, buf, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_flags(int fs, const struct oci_mount *m, unsigned long flags, bool ro,
		     struct err *err)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} names[] = {
		{ MS_SYNCHRONOUS, "sync" },  { MS_DIRSYNC, "dirsync" }, { MS_MANDLOCK, "mand" },
		{ MS_LAZYTIME, "lazytime" }, { MS_RDONLY, "ro" },
	};

	if (!ro || is_one_of(m->type, virtual_types, ARRAY_LEN(virtual_types)))
		flags &= ~(unsigned long) MS_RDONLY;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int r = flags & names[i].flag ? mnt_fs_set(fs, names[i].name, NULL, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_data(int fs, const struct oci_mount *m, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < m->options.n && r >= 0; i++)
		if (oci_mount_opt_is_data(m->options.v[i]))
			r = each_parameter(fs, m->options.v[i], err);
	return r;
}

static bool takes_label(const struct oci_mount *m)
{
	static const char *const without[] = { "mqueue", "proc", "sysfs", "cgroup", "cgroup2" };

	return !is_one_of(m->type, without, ARRAY_LEN(without));
}

/* For values that fsconfig(2) does not take; see the top */
static int new_legacy(const struct oci_init *init, const struct oci_mount *m, unsigned long flags,
		      int mode, struct err *err)
{
	_cleanup_(str_fini) struct str data = { 0 };
	const char *label = init->spec->linux.mount_label;
	int fd;

	if (!init->spec->linux.namespaces[OCI_NS_MOUNT].set)
		return err_msg(err, -E2BIG,
			       "a mount option is longer than %d bytes, which needs a mount "
			       "namespace",
			       MNT_VALUE_MAX);
	if (mode >= 0)
		str_printf(&data, "mode=%04o", (unsigned) mode);
	for (size_t i = 0; i < m->options.n; i++)
		if (oci_mount_opt_is_data(m->options.v[i]))
			str_printf(&data, "%s%s", data.len > 0 ? "," : "", m->options.v[i]);
	if (label != NULL && takes_label(m))
		str_printf(&data, "%scontext=\"%s\"", data.len > 0 ? "," : "", label);
	if (data.failed)
		return err_set(err, -ENOMEM, "mount options");
	if (data.len > DATA_SIZE_MAX)
		return err_msg(err, -E2BIG, "mount options are longer than %d bytes",
			       DATA_SIZE_MAX);
	if (mount(m->source, "/", m->type, flags & ~(unsigned long) MS_REC, data.p) < 0)
		return err_set(err, -errno, "mount '%s'", m->type);
	fd = open_tree(AT_FDCWD, "/..", OPEN_TREE_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open the new mount") : fd;
}

int oci_mount_new(struct oci_init *init, const struct oci_mount *m, const struct oci_mount_opts *o,
		  int mode, bool ro, struct err *err)
{
	_cleanup_close_ int fs = mnt_fs_open(m->type, err);
	const char *label = init->spec->linux.mount_label;
	unsigned long flags = ro ? o->flags : o->flags & ~(unsigned long) MS_RDONLY;
	char text[16];
	int r = 0;

	if (fs < 0)
		return fs;
	if (m->source != NULL && *m->source != '\0')
		r = strlen(m->source) > MNT_VALUE_MAX ? -E2BIG
						      : mnt_fs_set(fs, "source", m->source, err);
	if (r == 0)
		r = set_flags(fs, m, flags, ro, err);
	if (r == 0 && mode >= 0) {
		(void) snprintf(text, sizeof(text), "%04o", (unsigned) mode & 07777);
		r = mnt_fs_set(fs, "mode", text, err);
	}
	if (r == 0)
		r = set_data(fs, m, err);
	if (r == 0 && label != NULL && takes_label(m))
		r = strlen(label) > MNT_VALUE_MAX ? -E2BIG : mnt_fs_set(fs, "context", label, err);
	if (r == -E2BIG)
		return new_legacy(init, m, flags, mode, err);
	return r < 0 ? r : mnt_fs_mount(fs, oci_mount_attrs(flags), err);
}

int oci_mount_apply(int mnt, const struct oci_mount_opts *o, struct err *err)
{
	int r;

	for (size_t i = 0; i < o->nr_propagation; i++) {
		unsigned long p = o->propagation[i];

		r = mnt_attr(mnt, p & MS_REC, 0, 0, p & ~(unsigned long) MS_REC);
		if (r < 0)
			return err_set(err, r, "set mount propagation");
	}
	if (o->rec_set == 0 && o->rec_clr == 0)
		return 0;
	r = mnt_attr(mnt, true, o->rec_set, o->rec_clr, 0);
	return r < 0 ? err_set(err, r, "set recursive mount attributes") : 0;
}

static unsigned long flags_of(const struct statfs *st)
{
	static const struct {
		long st;
		unsigned long ms;
	} map[] = {
		{ ST_RDONLY, MS_RDONLY },     { ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },       { ST_NOEXEC, MS_NOEXEC },
		{ ST_NOATIME, MS_NOATIME },   { ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME }, { ST_NOSYMFOLLOW_, MS_NOSYMFOLLOW },
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (st->f_flags & map[i].st)
			flags |= map[i].ms;
	if ((flags & (MS_NOATIME | MS_RELATIME)) == 0)
		flags |= MS_STRICTATIME; /* the kernel has no bit for it */
	return flags;
}

/* Exactly these flags; access times stay as they are when @flags has none */
static int set_exactly(int mnt, unsigned long flags)
{
	uint64_t set = oci_mount_attrs(flags), clr = ATTR_PLAIN;

	if (flags & MS_ATIMES)
		clr |= ATTR_ATIMES;
	else
		set &= ~(uint64_t) ATTR_ATIMES;
	return mnt_attr(mnt, false, set, clr, 0);
}

/*
 * What is asked for replaces all flags of the source, as with mount --bind -o.  In a user namespace
 * the kernel locks flags: those are kept then, unless the configuration says otherwise, which
 * fails.
 */
int oci_mount_flags(const struct oci_init *init, int mnt, const struct oci_mount_opts *o,
		    bool locked, struct err *err)
{
	unsigned long flags = o->flags & MS_VFS, have;
	struct statfs st;
	int r = -EPERM;

	if (flags == 0 && o->cleared == 0)
		return 0;
	if (!locked)
		r = set_exactly(mnt, flags);
	if (r != -EPERM || !(init->in_userns || init->rootless))
		return r < 0 ? err_set(err, r, "set mount flags") : 0;
	if (fstatfs(mnt, &st) < 0)
		return err_set(err, -errno, "stat the source's file system");
	have = flags_of(&st);
	if (have & o->cleared & (MS_LOCKABLE & ~(unsigned long) MS_ATIMES))
		return err_msg(err, -EPERM,
			       "cannot clear locked flags of the source: "
			       "operation not permitted");
	if ((flags & MS_ATIMES) != 0 && (flags & MS_ATIMES) != (have & MS_ATIMES))
		return err_msg(err, -EPERM,
			       "cannot change locked atime flags of the source: "
			       "operation not permitted");
	r = set_exactly(mnt, flags | (have & MS_LOCKABLE));
	return r < 0 ? err_set(err, r, "set mount flags with the locked ones of the source") : 0;
}

/* Is there an id mapping to be done here, in the child? */
static int source_idmap(struct oci_init *init, const struct oci_mount *m,
			const struct oci_mount_opts *o, int mnt, struct err *err)
{
	_cleanup_close_ int userns = -EBADF;

	if (!o->idmap)
		return 0;
	if (init->in_userns || init->rootless)
		return err_msg(err, -EINVAL,
			       "id-mapped mounts are not supported for rootless containers");
	userns = oci_idmap_for_mount(init, m, o, err);
	return userns < 0 ? userns : oci_idmap_apply(mnt, o->idmap_rec, userns, err);
}

/*
 * Clone the bind source.  In a user namespace the child looks first, since then the kernel locks
 * what the host set; what it may not reach the parent has cloned.
 */
static int bind_source(struct oci_init *init, size_t i, const struct oci_mount_opts *o,
		       bool *ret_foreign, struct err *err)
{
	const struct oci_mount *m = &init->spec->mounts[i];
	int given = init->mount_fds != NULL ? init->mount_fds[i] : -EBADF;
	unsigned flags = (o->flags & MS_REC ? AT_RECURSIVE : 0) |
			 (o->src_nofollow ? AT_SYMLINK_NOFOLLOW : 0);
	char path[PATH_MAX], clean[PATH_MAX];
	const char *inside;
	int fd, r;

	*ret_foreign = given >= 0;
	if (given >= 0 && o->idmap)
		return given;
	if (oci_mount_source(init, m, path) < 0)
		return err_set(err, -ENAMETOOLONG, "source");
	inside = path_clean(path, clean, sizeof(clean)) < 0 ? NULL
							    : path_below(init->rootfs->root, clean);
	if (inside != NULL) { /* what earlier mounts made of the container's root */
		_cleanup_close_ int in = path_open(init->rootfs_fd, inside,
						   O_PATH | (o->src_nofollow ? O_NOFOLLOW : 0));

		fd = in < 0 ? in : mnt_clone(in, "", flags & ~(unsigned) AT_SYMLINK_NOFOLLOW);
	} else {
		fd = mnt_clone(AT_FDCWD, path, flags);
	}
	if (fd < 0 && given >= 0)
		return given;
	if (fd < 0)
		return err_set(err, fd, "open source '%s'", path);
	*ret_foreign = false;
	r = source_idmap(init, m, o, fd, err);
	if (r < 0) {
		(void) close(fd); /* O_PATH */
		return r;
	}
	return fd;
}

static int attach(int mnt, int dest, struct err *err)
{
	int r = mnt_move(mnt, dest);
	struct stat a, b;

	if (r == -EINVAL && fstat(mnt, &a) == 0 && fstat(dest, &b) == 0 &&
	    S_ISDIR(a.st_mode) != S_ISDIR(b.st_mode))
		r = -ENOTDIR;
	return r < 0 ? err_set(err, r, "attach mount") : 0;
}

/* What later steps need to know of a mount that is in place; takes @mnt over when it is kept */
static void note_mount(struct oci_init *init, const struct oci_mount *m,
		       const struct oci_mount_opts *o, const char *clean, int *mnt)
{
	struct oci_rootfs *rootfs = init->rootfs;
	bool bind = o->flags & MS_BIND, dev = strcmp(clean, "/dev") == 0;
	int keep = -EBADF;

	if (!bind && (o->flags & MS_RDONLY) && (dev || str_eq(m->type, "tmpfs")))
		keep = rootfs->late_ro[rootfs->nr_late_ro++] = take_fd(*mnt);
	if (strcmp(clean, "/") == 0) {
		(void) close(init->rootfs_fd); /* O_PATH */
		init->rootfs_fd = keep >= 0 ? fcntl(keep, F_DUPFD_CLOEXEC, 3) : take_fd(*mnt);
	} else if (dev && !bind) {
		cleanup_closep(&rootfs->dev_fd);
		rootfs->dev_fd = keep >= 0 ? fcntl(keep, F_DUPFD_CLOEXEC, 3) : take_fd(*mnt);
	}
}

static int do_copy_symlink(struct oci_init *init, const struct oci_mount *m, struct err *err)
{
	char path[PATH_MAX], target[PATH_MAX], old[PATH_MAX], name[NAME_MAX + 1];
	ssize_t n, k;

	if (oci_mount_source(init, m, path) < 0)
		return err_set(err, -ENAMETOOLONG, "source");
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? 0 : err_set(err, -errno, "read link '%s'", path);
	target[n] = '\0';

	_cleanup_close_ int dir = path_make_parent(init->rootfs_fd, m->destination, name);
	if (dir < 0)
		return err_set(err, dir, "open destination");
	if (symlinkat(target, dir, name) == 0)
		return 1;
	if (errno != EEXIST)
		return err_set(err, -errno, "make symbolic link");
	k = readlinkat(dir, name, old, sizeof(old));
	if (k != n || memcmp(old, target, (size_t) n) != 0)
		return err_msg(err, -EEXIST, "destination exists and is no link to '%s'", target);
	return 1;
}

static int do_bind(struct oci_init *init, size_t i, const struct oci_mount_opts *o, struct err *err)
{
	const struct oci_mount *m = &init->spec->mounts[i];
	struct oci_mount_dest d;
	bool foreign;
	int r;

	if (o->copy_symlink) {
		r = do_copy_symlink(init, m, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	_cleanup_close_ int mnt = bind_source(init, i, o, &foreign, err);
	if (mnt < 0)
		return mnt;
	_cleanup_close_ int dest = oci_mount_dest_open(init, m, o, mnt, &d, err);
	if (dest < 0)
		return dest;
	r = oci_mount_flags(init, mnt, o, foreign, err);
	if (r == 0)
		r = oci_mount_apply(mnt, o, err);
	if (r == 0)
		r = attach(mnt, dest, err);
	if (r == 0)
		note_mount(init, m, o, d.clean, &mnt);
	return r;
}

static int set_remount(int fs, const void *arg, struct err *err)
{
	const struct oci_mount *m = arg;

	return set_data(fs, m, err);
}

/* "remount": change what is mounted at the destination; with "bind" the mount only */
static int do_remount(struct oci_init *init, const struct oci_mount *m,
		      const struct oci_mount_opts *o, struct err *err)
{
	_cleanup_close_ int dest = path_open(init->rootfs_fd, m->destination, O_PATH);
	int r;

	if (dest < 0)
		return err_set(err, dest, "open destination");
	if (!(o->flags & MS_BIND) && o->has_data) {
		r = mnt_fs_reconfigure(dest, set_remount, m, err);
		if (r < 0)
			return r;
	}
	r = oci_mount_flags(init, dest, o, false, err);
	return r < 0 ? r : oci_mount_apply(dest, o, err);
}

static int do_propagation(struct oci_init *init, const struct oci_mount *m,
			  const struct oci_mount_opts *o, struct err *err)
{
	_cleanup_close_ int dest = path_open(init->rootfs_fd, m->destination, O_PATH);

	if (dest < 0)
		return err_set(err, dest, "open destination");
	return oci_mount_apply(dest, o, err);
}

/* In a user namespace that does not own the network or IPC namespace: show the host's */
static int new_or_host(struct oci_init *init, const struct oci_mount *m,
		       const struct oci_mount_opts *o, int mode, bool ro, struct err *err)
{
	int mnt = oci_mount_new(init, m, o, mode, ro, err), r;

	if (mnt != -EPERM || !(init->in_userns || init->rootless))
		return mnt;
	if (str_eq(m->type, "sysfs"))
		mnt = mnt_clone(AT_FDCWD, "/sys", AT_RECURSIVE);
	else if (str_eq(m->type, "mqueue"))
		mnt = mnt_clone(AT_FDCWD, "/dev/mqueue", AT_RECURSIVE);
	else
		return mnt;
	if (mnt < 0)
		return err_set(err, mnt, "clone the host's %s", m->type);
	r = oci_mount_flags(init, mnt, o, false, err);
	if (r < 0) {
		(void) close(mnt); /* O_PATH */
		return r;
	}
	return mnt;
}

static bool has_mode(const struct oci_mount *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (str_starts(m->options.v[i], "mode=") ||
		    strstr(m->options.v[i], ",mode=") != NULL)
			return true;
	return false;
}

static int label_queue(const struct oci_init *init, int mnt, struct err *err)
{
	const char *label = init->spec->linux.mount_label;
	_cleanup_close_ int fd = -EBADF;

	if (label == NULL)
		return 0;
	fd = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
		return err_set(err, -errno, "label the message queue file system");
	return 0;
}

static int do_new(struct oci_init *init, const struct oci_mount *m, const struct oci_mount_opts *o,
		  struct err *err)
{
	bool tmpfs = str_eq(m->type, "tmpfs");
	int mode = -1, r = 0;
	struct oci_mount_dest d;
	struct stat st;

	_cleanup_close_ int dest = oci_mount_dest_open(init, m, o, -EBADF, &d, err);
	if (dest < 0)
		return dest;
	if (tmpfs && d.existed &&
	    !has_mode(m)) { /* the new root looks like the directory it covers */
		if (fstat(dest, &st) < 0)
			return err_set(err, -errno, "stat destination");
		mode = (int) (st.st_mode & 07777);
	}
	_cleanup_close_ int mnt =
		new_or_host(init, m, o, mode, !tmpfs && strcmp(d.clean, "/dev") != 0, err);
	if (mnt < 0)
		return mnt;
	if (o->copyup)
		r = oci_mount_copy_up(dest, mnt, err);
	if (r == 0 && str_eq(m->type, "mqueue"))
		r = label_queue(init, mnt, err);
	if (r == 0)
		r = oci_mount_apply(mnt, o, err);
	if (r == 0)
		r = attach(mnt, dest, err);
	if (r == 0)
		note_mount(init, m, o, d.clean, &mnt);
	return r;
}

static int do_cgroup(struct oci_init *init, const struct oci_mount *m,
		     const struct oci_mount_opts *o, struct err *err)
{
	struct oci_mount_dest d;
	_cleanup_close_ int dest = oci_mount_dest_open(init, m, o, -EBADF, &d, err);

	return dest < 0 ? dest : oci_mount_cgroup(init, m, o, dest, err);
}

int oci_mount_do(struct oci_init *init, size_t i, struct err *err)
{
	const struct oci_mount *m = &init->spec->mounts[i];
	struct oci_mount_opts o;
	int r = oci_mount_opts_parse(m, &o, err);

	if (r < 0)
		return r;
	if (o.flags & MS_REMOUNT)
		r = do_remount(init, m, &o, err);
	else if (o.flags & MS_BIND)
		r = do_bind(init, i, &o, err);
	else if (m->type == NULL || *m->type == '\0' || str_eq(m->type, "none"))
		r = o.nr_propagation > 0 ? do_propagation(init, m, &o, err)
					 : err_msg(err, -ENODEV, "no type: no such device");
	else if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"))
		r = do_cgroup(init, m, &o, err);
	else
		r = do_new(init, m, &o, err);
	if (r < 0)
		return err_wrap(err, r, "error mounting \"%s\" to rootfs at \"%s\"",
				m->source != NULL ? m->source : "", m->destination);
	return 0;
}
