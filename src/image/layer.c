/* SPDX-License-Identifier: MIT */
/**
 * DOC: unpacking
 *
 * The parent directory of each member is opened with openat2(RESOLVE_BENEATH), so no link of the
 * archive leads out of the directory, whatever order its members are in; the member itself is made
 * with calls that do not follow links.  Times and default access lists of directories are set last, since
 * each member made in one changes the time and inherits the list.
 */
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/stream.h"
#include "image/tar.h"
#include "sys/path.h"
#include "sys/proc.h"

#define HOLE_MIN 4096 /* bytes */

#define DEFAULT_ACL "system.posix_acl_default"

/* What a directory gets last: files made in it change its time, and would inherit its list */
struct dir_last {
	char *path;
	struct timespec mtime;
	const void *acl;
	size_t acl_len;
	struct dir_last *next;
};

struct unpack {
	struct img_tar *tar;
	struct arena arena;
	struct dir_last *last, **last_end; /* in the order of the archive; @last_end: NULL for none */
	int root;
	int parent; /* directory of the last member */
	char parent_path[TAR_PATH_MAX + 1];
	bool owners;
	const struct img_copy *copy; /* NULL: into a directory of our own */
	enum img_layer_kind kind;
	uint64_t size;
	unsigned entries;
	char buf[1 << 16];
};

static void unpack_fini(struct unpack *u)
{
	img_tar_free(u->tar);
	arena_fini(&u->arena);
	if (u->parent >= 0)
		(void) close(u->parent); /* read-only */
}

/*
 * "./a//b/" becomes "a/b", "./" becomes "". "/a" is "a", too: ko and buildpacks write names from the root.
 * Return: 0; -EINVAL with a message.
 */
static int normalize(const char *path, char ret[TAR_PATH_MAX + 1], struct err *err)
{
	char *to = ret;

	for (const char *p = path; *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_msg(err, -EINVAL,
				       "the archive has the name '%.200s', which holds '..'", path);
		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (n > NAME_MAX)
				return err_msg(
					err, -EINVAL,
					"the archive has the name '%.200s' with a part over %d bytes",
					path, NAME_MAX);
			if (to != ret)
				*to++ = '/';
			memcpy(to, p, n);
			to += n;
		}
		p += n + (p[n] == '/');
	}
	*to = '\0';
	return 0;
}

static int open_beneath(const struct unpack *u, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t) flags | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	char full[PATH_MAX];
	int fd;

	if (u->copy != NULL)
		return snprintf(full, sizeof(full), "%s/%s", u->copy->dir, path) < PATH_MAX
			       ? path_open(u->root, full, flags)
			       : -ENAMETOOLONG;
	fd = (int) syscall(SYS_openat2, u->root, path[0] != '\0' ? path : ".", &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* Directories that the archive does not mention get mode 0755. */
static int make_parents(const struct unpack *u, const char *path)
{
	char part[TAR_PATH_MAX + 1];

	for (const char *slash = path; slash != NULL;) {
		slash = strchr(slash + 1, '/');
		size_t n = slash != NULL ? (size_t) (slash - path) : strlen(path);
		memcpy(part, path, n);
		part[n] = '\0';
		int fd = open_beneath(u, part, O_PATH | O_DIRECTORY);
		if (fd == -ENOENT) {
			char *name = strrchr(part, '/');
			_cleanup_close_ int up = -EBADF;

			if (name != NULL)
				*name = '\0';
			up = open_beneath(u, name != NULL ? part : "", O_PATH | O_DIRECTORY);
			if (up < 0)
				return up;
			if (mkdirat(up, name != NULL ? name + 1 : part, 0755) < 0)
				return -errno;
		} else if (fd < 0)
			return fd;
		else
			(void) close(fd); /* read-only */
	}
	return 0;
}

static int refuse_open(int code, const char *what, struct err *err)
{
	if (code == -EXDEV)
		return err_msg(err, -EINVAL,
			       "the archive's '%.200s' leads outside of the image through a link",
			       what);
	return err_set(err, code, "unpack '%.200s'", what);
}

/* Split @path; its directory becomes u->parent.  Most members share it with the one before. */
static int enter_parent(struct unpack *u, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash != NULL ? (size_t) (slash - path) : 0;
	int fd;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (u->parent >= 0 && strlen(u->parent_path) == n && memcmp(u->parent_path, path, n) == 0)
		return 0;
	if (u->parent >= 0)
		(void) close(take_fd(u->parent)); /* read-only */
	memcpy(u->parent_path, path, n);
	u->parent_path[n] = '\0';
	fd = open_beneath(u, u->parent_path, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT) {
		int r = make_parents(u, u->parent_path);

		fd = r < 0 ? r : open_beneath(u, u->parent_path, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return refuse_open(fd, path, err);
	u->parent = fd;
	return 0;
}

/* Markers mean something to the overlay file system; a root file system has none. */
static int check_markers(const struct unpack *u, const struct img_tar_entry *e, const char *name,
			 struct err *err)
{
	if (str_starts(name, ".wh.") && u->kind == IMG_LAYER_ROOT)
		return err_msg(
			err, -EINVAL,
			"the archive has the whiteout '%.200s': it is a layer, not a root file system",
			e->path);
	if (S_ISCHR(e->mode) && e->dev_major == 0 && e->dev_minor == 0)
		return err_msg(err, -EINVAL,
			       "the archive has the device 0:0 '%.200s', which would hide files",
			       e->path);
	return 0;
}

static int write_at(int fd, const char *buf, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, buf, n, (off_t) at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		buf += w;
		n -= (size_t) w;
		at += (uint64_t) w;
	}
	return 0;
}

/* Long runs of zeros are left out: layers have no other way to tell of holes that all programs read. */
static bool is_hole(const char *p, size_t n)
{
	return n >= HOLE_MIN && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static int write_content(struct unpack *u, int fd, const struct img_tar_entry *e, struct err *err)
{
	bool holes = e->sparse;

	for (;;) {
		uint64_t at;
		ssize_t n = img_tar_read(u->tar, u->buf, sizeof(u->buf), &at, err);
		int r;

		if (n < 0)
			return (int) n;
		if (n == 0)
			break;
		u->size += (size_t) n;
		if (is_hole(u->buf, (size_t) n)) {
			holes = true;
			continue;
		}
		r = write_at(fd, u->buf, (size_t) n, at);
		if (r < 0)
			return err_set(err, r, "unpack '%.200s'", e->path);
	}
	if (holes && ftruncate(fd, (off_t) e->real_size) < 0)
		return err_set(err, -errno, "unpack '%.200s'", e->path);
	return 0;
}

static int make_file(struct unpack *u, const struct img_tar_entry *e, const char *name,
		     struct err *err)
{
	_cleanup_close_ int fd = openat(u->parent, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return write_content(u, fd, e, err);
}

static int make_hard_link(struct unpack *u, const struct img_tar_entry *e, const char *name,
			  struct err *err)
{
	char target[TAR_PATH_MAX + 1];
	char *slash;
	int r = normalize(e->link, target, err);

	if (r < 0)
		return r;
	slash = strrchr(target, '/');
	if (slash != NULL)
		*slash = '\0';
	_cleanup_close_ int dir = open_beneath(u, slash != NULL ? target : "",
					       O_PATH | O_DIRECTORY);
	if (dir < 0)
		return refuse_open(dir, e->link, err);
	if (linkat(dir, slash != NULL ? slash + 1 : target, u->parent, name, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	return err_set(err, -errno, "unpack hard link '%.200s' to '%.200s'", e->path, e->link);
}

/* Return: 0; -EEXIST without a message; -errno with or without one. */
static int make_one(struct unpack *u, const struct img_tar_entry *e, const char *name,
		    struct err *err)
{
	int r;

	switch (e->mode & S_IFMT) {
	case 0:
		return make_hard_link(u, e, name, err);
	case S_IFREG:
		return make_file(u, e, name, err);
	case S_IFDIR:
		r = mkdirat(u->parent, name, 0700);
		break;
	case S_IFLNK:
		r = symlinkat(e->link, u->parent, name);
		break;
	default:
		r = mknodat(u->parent, name, (e->mode & S_IFMT) | 0600,
			    makedev(e->dev_major, e->dev_minor));
		break;
	}
	return r < 0 ? -errno : 0;
}

/* @path: through /proc.  Programs without privileges use another name space. */
static int set_opaque(const char *path, struct err *err)
{
	if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) == 0 ||
	    (errno == EPERM && setxattr(path, "user.overlay.opaque", "y", 1, 0) == 0))
		return 0;
	return err_set(err, -errno, "hide what is below a directory");
}

/* A later member replaces an earlier one; a directory stays and takes on new attributes. */
static int make(struct unpack *u, const struct img_tar_entry *e, const char *name, struct err *err)
{
	struct err why = { 0 };
	struct stat st = { 0 };
	int r = make_one(u, e, name, &why);

	if (r == -EEXIST) {
		if (fstatat(u->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode) && S_ISDIR(e->mode))
			return 0;
		if (u->kind == IMG_LAYER_COPY && S_ISDIR(st.st_mode) != S_ISDIR(e->mode))
			return err_msg(err, -EEXIST, "'%.200s' exists and is %s directory", e->path,
				       S_ISDIR(st.st_mode) ? "a" : "no");
		r = dir_remove(u->parent, name);
		if (r < 0)
			return err_set(err, r, "replace '%.200s'", e->path);
		r = make_one(u, e, name, &why);
		if (r == -EEXIST)
			return err_msg(err, r, "'%.200s' was made anew by somebody else meanwhile",
				       e->path);
		if (r == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0 && S_ISDIR(e->mode)) {
			char path[32 + TAR_PATH_MAX + 1]; /* it was a whiteout */

			(void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", u->parent, name);
			r = set_opaque(path, &why);
		}
	}
	if (r < 0 && why.code != 0)
		return err_msg(err, r, "%s", why.text);
	return r < 0 ? err_set(err, r, "unpack '%.200s'", e->path) : 0;
}

/*
 * ".wh.NAME" hides NAME of the layers below, ".wh..wh..opq" all that they have in this directory.
 * What this layer itself has by that name stays: a directory then hides what is below it.
 */
static int make_whiteout(struct unpack *u, const struct img_tar_entry *e, const char *name,
			 struct err *err)
{
	const char *hidden = name + strlen(".wh.");
	char path[64 + NAME_MAX];
	struct stat st;

	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", u->parent);
	if (strcmp(name, ".wh..wh..opq") == 0)
		return set_opaque(path, err);
	if (str_starts(hidden, ".wh."))
		return 0; /* other marks of AUFS mean nothing elsewhere */
	if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_msg(err, -EINVAL, "the archive has the whiteout '%.200s' of no file",
			       e->path);
	if (mknodat(u->parent, hidden, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST || fstatat(u->parent, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, -errno, "make the whiteout '%.200s'", e->path);
	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", u->parent, hidden);
	return S_ISDIR(st.st_mode) ? set_opaque(path, err) : 0;
}

static bool xattr_wanted(const char *name)
{
	return strcmp(name, "security.capability") == 0 || str_starts(name, "system.posix_acl_") ||
	       (str_starts(name, "user.") && !str_starts(name, "user.overlay."));
}

/* @last: of a directory, NULL for others */
static int set_xattrs(struct unpack *u, const struct img_tar_entry *e, const char *name,
		      struct dir_last *last, struct err *err)
{
	for (size_t i = 0; i < e->nr_xattrs; i++) {
		const struct img_tar_xattr *x = &e->xattrs[i];
		char path[32 + TAR_PATH_MAX + 1];

		if (strstr(x->name, ".overlay.") != NULL)
			return err_msg(
				err, -EINVAL,
				"the archive's '%.200s' has the attribute '%.100s', which is reserved",
				e->path, x->name);
		if (!xattr_wanted(x->name)) /* labels belong to the machine they were made on */
			continue;
		if (last != NULL && strcmp(x->name, DEFAULT_ACL) == 0) {
			void *copy = arena_alloc(&u->arena, x->len + 1, 1);

			if (copy == NULL)
				return err_set(err, -ENOMEM, "unpack '%.200s'", e->path);
			memcpy(copy, x->value, x->len);
			last->acl = copy;
			last->acl_len = x->len;
			continue;
		}
		(void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", u->parent, name);
		if (lsetxattr(path, x->name, x->value, x->len, 0) < 0 && errno != EOPNOTSUPP &&
		    errno != EPERM)
			return err_set(err, -errno, "set attribute '%.100s' of '%.200s'", x->name,
				       e->path);
	}
	return 0;
}

/* Somebody may have put a link in its place: that is not followed. */
static int set_mode(const struct unpack *u, const char *name, mode_t mode)
{
	char path[64];
	struct stat st;

	if (u->copy == NULL)
		return fchmodat(u->parent, name, mode, 0) < 0 ? -errno : 0;
	_cleanup_close_ int fd = openat(u->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) < 0 ? -errno : 0;
}

/* Return: 0; -ERANGE with a message. */
static int owner_of(const struct unpack *u, const struct img_tar_entry *e, uid_t *ret_uid,
		    gid_t *ret_gid, struct err *err)
{
	const struct img_copy *c = u->copy;

	*ret_uid = c != NULL && c->owned ? c->uid : e->uid;
	*ret_gid = c != NULL && c->owned ? c->gid : e->gid;
	if (c == NULL || c->id_size == 0)
		return 0;
	if (*ret_uid >= c->id_size || *ret_gid >= c->id_size)
		return err_msg(err, -ERANGE,
			       "the owner %u:%u of '%.200s' is none of the %u ids of the instance",
			       *ret_uid, *ret_gid, e->path, c->id_size);
	*ret_uid += c->id_start;
	*ret_gid += c->id_start;
	return 0;
}

static int set_owner(const struct unpack *u, const struct img_tar_entry *e, const char *name,
		     struct err *err)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int r = u->owners ? owner_of(u, e, &uid, &gid, err) : 0;

	if (!u->owners || r < 0)
		return r;
	if (fchownat(u->parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno == EINVAL && proc_in_userns())
		return err_msg(err, -EINVAL,
			       "'%.200s' belongs to %u:%u, which is none of your ids: root gives more in /etc/subuid and /etc/subgid",
			       e->path, uid, gid);
	return err_set(err, -errno, "set the owner of '%.200s'", e->path);
}

/* Owner first: changing it drops setuid bits and capabilities. */
static int set_attributes(struct unpack *u, const struct img_tar_entry *e, const char *path,
			  const char *name, struct err *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { e->mtime, e->mtime_nsec } };
	struct dir_last *last = NULL;
	int r = set_owner(u, e, name, err);

	if (r == 0 && !S_ISLNK(e->mode)) {
		r = set_mode(u, name, e->mode & 07777);
		if (r < 0)
			return err_set(err, r, "set the mode of '%.200s'", e->path);
	}
	if (r == 0 && S_ISDIR(e->mode)) {
		last = arena_alloc(&u->arena, 1, sizeof(*last));
		if (last == NULL || (last->path = arena_strdup(&u->arena, path)) == NULL)
			return err_set(err, -ENOMEM, "unpack '%.200s'", e->path);
		last->mtime = times[1];
		*(u->last_end != NULL ? u->last_end : &u->last) = last;
		u->last_end = &last->next;
	}
	if (r == 0)
		r = set_xattrs(u, e, name, last, err);
	if (r < 0)
		return r;
	if (last == NULL) {
		if (utimensat(u->parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, -errno, "set the time of '%.200s'", e->path);
		return 0;
	}
	return 0;
}

static int finish_dirs(struct unpack *u, struct err *err)
{
	for (const struct dir_last *d = u->last; d != NULL; d = d->next) {
		struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, d->mtime };
		_cleanup_close_ int fd = open_beneath(u, d->path,
						      O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* a later member replaced it */
		if (fd >= 0 && d->acl != NULL &&
		    fsetxattr(fd, DEFAULT_ACL, d->acl, d->acl_len, 0) < 0 && errno != EOPNOTSUPP &&
		    errno != EPERM)
			return err_set(err, -errno, "set the access list of '%.200s'", d->path);
		if (fd < 0 || futimens(fd, times) < 0)
			return err_set(err, fd < 0 ? fd : -errno, "set the time of '%.200s'",
				       d->path);
	}
	return 0;
}

static int unpack_entry(struct unpack *u, const struct img_tar_entry *e, struct err *err)
{
	char path[TAR_PATH_MAX + 1];
	const char *name;
	int r;

	if (++u->entries > IMG_ENTRIES_MAX)
		return err_msg(err, -EFBIG, "the archive has more than %u members",
			       IMG_ENTRIES_MAX);
	r = normalize(e->path, path, err);
	if (r < 0)
		return r;
	if (path[0] == '\0' && !S_ISDIR(e->mode))
		return err_msg(err, -EINVAL, "the archive's '%.200s' is the root and no directory",
			       e->path);
	r = enter_parent(u, path, &name, err);
	if (r < 0)
		return r;
	r = check_markers(u, e, name, err);
	if (r == 0 && u->kind == IMG_LAYER_CHANGES && str_starts(name, ".wh."))
		return make_whiteout(u, e, name, err);
	if (r == 0 && path[0] != '\0')
		r = make(u, e, name, err);
	if (r == -EPERM && (S_ISCHR(e->mode) || S_ISBLK(e->mode)) && proc_in_userns())
		return 0; /* only root of the host makes devices; a container gets those it is given */
	if (r < 0 || (e->mode & S_IFMT) == 0 || (path[0] == '\0' && u->copy != NULL))
		return r;
	return set_attributes(u, e, path, path[0] != '\0' ? name : ".", err);
}

static int unpack(struct img_stream *s, int dir_fd, enum img_layer_kind kind,
		  const struct img_copy *copy, uint64_t *ret_size, struct err *err)
{
	_cleanup_free_ struct unpack *u = calloc(1, sizeof(*u));
	struct img_tar_entry e;
	int r;

	if (u == NULL)
		return err_set(err, -ENOMEM, "unpack the archive");
	u->root = dir_fd;
	u->parent = -EBADF;
	u->owners = geteuid() == 0;
	u->copy = copy;
	u->kind = kind;
	r = img_tar_new(s, &u->tar, err);
	while (r >= 0) {
		r = img_tar_next(u->tar, &e, err);
		if (r <= 0)
			break;
		r = unpack_entry(u, &e, err);
	}
	if (r == 0 && u->entries == 0 && kind == IMG_LAYER_ROOT)
		r = err_msg(err, -EINVAL, "the archive is empty");
	if (r == 0)
		r = finish_dirs(u, err);
	if (r == 0)
		*ret_size = u->size;
	unpack_fini(u);
	return r;
}

int img_layer_unpack(struct img_stream *s, int dir_fd, enum img_layer_kind kind, uint64_t *ret_size,
		     struct err *err)
{
	return unpack(s, dir_fd, kind, NULL, ret_size, err);
}

int img_layer_copy(struct img_stream *s, const struct img_copy *to, struct err *err)
{
	uint64_t size;

	return unpack(s, to->root, IMG_LAYER_COPY, to, &size, err);
}
