/* SPDX-License-Identifier: MIT */
/**
 * DOC: attributes of files and of the file system
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vmm/dev/share/share_parts.h"

#define TIMES (FATTR_ATIME | FATTR_MTIME | FATTR_ATIME_NOW | FATTR_MTIME_NOW)

static int64_t answer_attr(struct share_call *c, int fd)
{
	struct fuse_attr_out out = { .attr_valid = c->share->valid };
	struct stat st;

	if (fstatat(fd, "", &st, AT_EMPTY_PATH) < 0)
		return -errno;
	share_attr(&out.attr, &st);
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}

static int64_t getattr(struct share_call *c)
{
	const struct share_inode *n = share_self(c);

	return n != NULL ? answer_attr(c, n->fd) : -ESTALE;
}
SHARE_OP(getattr, FUSE_GETATTR, sizeof(struct fuse_getattr_in), 0, getattr);

static int set_mode(const struct share *s, const struct share_inode *n, mode_t mode)
{
	char name[16];

	if (n->type == S_IFLNK)
		return -EOPNOTSUPP;
	(void) snprintf(name, sizeof(name), "%d", n->fd);
	return fchmodat(s->proc, name, mode & 07777, 0) < 0 ? -errno : 0;
}

/* The guest's overlay makes a file whole in the directory "work", and moves it. */
static bool is_being_copied(const struct share *s, const struct share_inode *n)
{
	static const char dir[] = "work/";
	char name[16], path[PATH_MAX];

	(void) snprintf(name, sizeof(name), "%d", n->fd);
	return share_is_layer(s) && n->type == S_IFREG &&
	       readlinkat(s->proc, name, path, sizeof(path)) > (ssize_t) strlen(dir) && strncmp(path + 1, dir, strlen(dir)) == 0;
}

/* Of a copy the owner is set last, which the kernel takes for a reason to take rights from it. */
static int set_owner_of_copy(const struct share *s, const struct share_inode *n, uid_t uid, gid_t gid)
{
	char name[16], rights[XATTR_CAPS_SZ];
	struct stat st;
	ssize_t size;
	int r = 0;

	(void) snprintf(name, sizeof(name), "%d", n->fd);
	if (fstatat(n->fd, "", &st, AT_EMPTY_PATH) < 0)
		return -errno;
	if ((uid == (uid_t) -1 || uid == st.st_uid) && (gid == (gid_t) -1 || gid == st.st_gid))
		return 0;
	size = getxattr(name, XATTR_NAME_CAPS, rights, sizeof(rights)); /* in /proc/self/fd */
	if (fchownat(n->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (st.st_mode & (S_ISUID | S_ISGID))
		r = set_mode(s, n, st.st_mode);
	if (r == 0 && size > 0 && setxattr(name, XATTR_NAME_CAPS, rights, (size_t) size, 0) < 0)
		r = -errno;
	return r;
}

static int set_owner(const struct share *s, const struct share_inode *n, const struct fuse_setattr_in *in)
{
	uid_t uid = in->valid & FATTR_UID ? in->uid : (uid_t) -1;
	gid_t gid = in->valid & FATTR_GID ? in->gid : (gid_t) -1;

	if (is_being_copied(s, n))
		return set_owner_of_copy(s, n, uid, gid);
	if (fchownat(n->fd, "", uid, gid, AT_EMPTY_PATH) == 0)
		return 0;
	return errno == EINVAL && !s->privileged ? -EPERM : -errno; /* a user that the sandbox has no number for */
}

static int set_size(struct share *s, const struct share_inode *n, const struct fuse_setattr_in *in)
{
	const struct share_handle *h = in->valid & FATTR_FH ? share_handle_get(s, in->fh) : NULL;
	_cleanup_close_ int own = -1;
	int fd = h != NULL && h->list == NULL ? h->fd : -1, r;

	if (in->size > INT64_MAX)
		return -EFBIG;
	if (fd < 0)
		fd = own = share_reopen(s, n, O_WRONLY);
	if (fd < 0)
		return fd;
	if (in->valid & FATTR_KILL_SUIDGID)
		share_keep_suid(s, false);
	r = ftruncate(fd, (off_t) in->size) < 0 ? -errno : 0;
	share_keep_suid(s, true);
	return r;
}

static struct timespec time_of(unsigned valid, unsigned set, unsigned now, uint64_t seconds, uint32_t ns)
{
	if (valid & now)
		return (struct timespec) { .tv_nsec = UTIME_NOW };
	if (valid & set)
		return (struct timespec) { .tv_sec = (time_t) seconds, .tv_nsec = (long) ns };
	return (struct timespec) { .tv_nsec = UTIME_OMIT };
}

static int set_times(const struct share_inode *n, const struct fuse_setattr_in *in)
{
	struct timespec t[2] = {
		time_of(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
		time_of(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec),
	};

	return utimensat(n->fd, "", t, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int64_t setattr(struct share_call *c)
{
	const struct fuse_setattr_in *in = (const struct fuse_setattr_in *) c->args;
	const struct share_inode *n = share_self(c);
	int r = 0;

	if (n == NULL)
		return -ESTALE;
	if (in->valid & (FATTR_UID | FATTR_GID))
		r = set_owner(c->share, n, in); /* it clears bits of the mode, which may be set anew */
	if (r == 0 && (in->valid & FATTR_MODE))
		r = set_mode(c->share, n, in->mode);
	if (r == 0 && (in->valid & FATTR_SIZE))
		r = set_size(c->share, n, in);
	if (r == 0 && (in->valid & TIMES))
		r = set_times(n, in);
	return r < 0 ? r : answer_attr(c, n->fd);
}
SHARE_OP(setattr, FUSE_SETATTR, sizeof(struct fuse_setattr_in), SHARE_CHANGES, setattr);

static int64_t statfs_of(struct share_call *c)
{
	const struct share_inode *n = share_self(c);
	struct fuse_statfs_out out = { 0 };
	struct statvfs v;

	if (n == NULL)
		return -ESTALE;
	if (fstatvfs(n->fd, &v) < 0)
		return -errno;
	out.st = (struct fuse_kstatfs) { .blocks = v.f_blocks, .bfree = v.f_bfree, .bavail = v.f_bavail,
					 .files = v.f_files, .ffree = v.f_ffree, .bsize = (uint32_t) v.f_bsize,
					 .namelen = (uint32_t) v.f_namemax, .frsize = (uint32_t) v.f_frsize };
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}
SHARE_OP(statfs, FUSE_STATFS, 0, 0, statfs_of);

static int64_t readlink_of(struct share_call *c)
{
	const struct share_inode *n = share_self(c);
	ssize_t len;

	if (n == NULL)
		return -ESTALE;
	len = readlinkat(n->fd, "", (char *) c->out, c->room);
	return len < 0 ? -errno : len;
}
SHARE_OP(readlink, FUSE_READLINK, 0, 0, readlink_of);

/* When the guest is at its end, all that it has is in the host's memory with the requests that came before. */
static int64_t sync_all(struct share_call *c)
{
	if (c->share->ends || c->share->kind == SHARE_SCRATCH)
		return 0;
	return syncfs(c->share->dir) < 0 ? -errno : 0;
}
SHARE_OP(syncfs, FUSE_SYNCFS, 0, 0, sync_all);
