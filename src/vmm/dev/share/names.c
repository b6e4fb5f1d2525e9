/* SPDX-License-Identifier: MIT */
/**
 * DOC: names in directories: looked up, made, moved, removed
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vmm/dev/share/share_parts.h"

#define RENAME_FLAGS (RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)
#define OPEN_FLAGS (O_ACCMODE | O_APPEND | O_TRUNC | O_SYNC | O_DSYNC) /* that a guest may choose */

/* Directory and name of a request whose arguments begin with @skip bytes of numbers. */
static int place(const struct share_call *c, size_t skip, struct share_inode **dir, const char **name, size_t *ret_at)
{
	*dir = share_self(c);
	*name = share_name(c, &skip);
	if (ret_at != NULL)
		*ret_at = skip;
	return *dir == NULL ? -ESTALE : *name == NULL ? -EINVAL : 0;
}

static int64_t answer_entry(struct share_call *c, const struct share_inode *dir, const char *name)
{
	struct fuse_entry_out out;
	int r = share_lookup(c->share, dir, name, &out);

	if (r < 0)
		return r;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}

/* That there is nothing of a name is remembered as long as what there is. */
static int64_t lookup(struct share_call *c)
{
	struct share_inode *dir;
	const char *name;
	int r = place(c, 0, &dir, &name, NULL);

	struct fuse_entry_out none = { .entry_valid = c->share->valid };
	int64_t n = r < 0 ? r : answer_entry(c, dir, name);

	if (r < 0 || n != -ENOENT)
		return n;
	memcpy(c->out, &none, sizeof(none));
	return sizeof(none);
}
SHARE_OP(lookup, FUSE_LOOKUP, 1, 0, lookup);

/* What was made with the result @made of a system call, as the user who asked. */
static int64_t finish(struct share_call *c, const struct share_inode *dir, const char *name, int made)
{
	int r = made < 0 ? -errno : 0;

	share_act_as_self(c->share);
	return r < 0 ? r : answer_entry(c, dir, name);
}

static int64_t make_node(struct share_call *c)
{
	const struct fuse_mknod_in *in = (const struct fuse_mknod_in *) c->args;
	struct share_inode *dir;
	const char *name;
	int r = place(c, sizeof(*in), &dir, &name, NULL);

	if (r == 0)
		r = share_act_as(c);
	return r < 0 ? r : finish(c, dir, name, mknodat(dir->fd, name, in->mode, in->rdev));
}
SHARE_OP(mknod, FUSE_MKNOD, sizeof(struct fuse_mknod_in), SHARE_CHANGES, make_node);

static int64_t make_dir(struct share_call *c)
{
	const struct fuse_mkdir_in *in = (const struct fuse_mkdir_in *) c->args;
	struct share_inode *dir;
	const char *name;
	int r = place(c, sizeof(*in), &dir, &name, NULL);

	if (r == 0)
		r = share_act_as(c);
	return r < 0 ? r : finish(c, dir, name, mkdirat(dir->fd, name, in->mode));
}
SHARE_OP(mkdir, FUSE_MKDIR, sizeof(struct fuse_mkdir_in), SHARE_CHANGES, make_dir);

/* A link's text is the guest's own business: nobody follows it here. */
static int64_t make_symlink(struct share_call *c)
{
	struct share_inode *dir;
	const char *name, *target;
	size_t at;
	int r = place(c, 0, &dir, &name, &at);

	target = share_text(c, &at);
	if (r == 0 && target == NULL)
		r = -EINVAL;
	if (r == 0)
		r = share_act_as(c);
	return r < 0 ? r : finish(c, dir, name, symlinkat(target, dir->fd, name));
}
SHARE_OP(symlink, FUSE_SYMLINK, 1, SHARE_CHANGES, make_symlink);

static int64_t make_link(struct share_call *c)
{
	const struct fuse_link_in *in = (const struct fuse_link_in *) c->args;
	const struct share_inode *file = share_find(c->share, in->oldnodeid);
	struct share_inode *dir;
	const char *name;
	char self[16];
	int r = place(c, sizeof(*in), &dir, &name, NULL);

	if (r == 0 && file == NULL)
		r = -ESTALE;
	if (r < 0)
		return r;
	(void) snprintf(self, sizeof(self), "%d", file->fd);
	if (linkat(c->share->proc, self, dir->fd, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return answer_entry(c, dir, name);
}
SHARE_OP(link, FUSE_LINK, sizeof(struct fuse_link_in), SHARE_CHANGES, make_link);

static int64_t remove_name(struct share_call *c, int flags)
{
	struct share_inode *dir;
	const char *name;
	int r = place(c, 0, &dir, &name, NULL);

	if (r < 0)
		return r;
	return unlinkat(dir->fd, name, flags) < 0 ? -errno : 0;
}

static int64_t unlink_file(struct share_call *c)
{
	return remove_name(c, 0);
}
SHARE_OP(unlink, FUSE_UNLINK, 1, SHARE_CHANGES, unlink_file);

static int64_t remove_dir(struct share_call *c)
{
	return remove_name(c, AT_REMOVEDIR);
}
SHARE_OP(rmdir, FUSE_RMDIR, 1, SHARE_CHANGES, remove_dir);

static int64_t move(struct share_call *c, size_t skip, uint64_t newdir, unsigned flags)
{
	const struct share_inode *to = share_find(c->share, newdir);
	struct share_inode *dir;
	const char *name, *newname;
	size_t at;
	int r = place(c, skip, &dir, &name, &at);

	newname = share_name(c, &at);
	if (r == 0 && to == NULL)
		r = -ESTALE;
	if (r == 0 && (newname == NULL || (flags & ~(unsigned) RENAME_FLAGS) != 0))
		r = -EINVAL;
	if (r < 0)
		return r;
	return renameat2(dir->fd, name, to->fd, newname, flags) < 0 ? -errno : 0;
}

static int64_t rename_old(struct share_call *c)
{
	return move(c, sizeof(struct fuse_rename_in), ((const struct fuse_rename_in *) c->args)->newdir, 0);
}
SHARE_OP(rename, FUSE_RENAME, sizeof(struct fuse_rename_in), SHARE_CHANGES, rename_old);

static int64_t rename_new(struct share_call *c)
{
	const struct fuse_rename2_in *in = (const struct fuse_rename2_in *) c->args;

	return move(c, sizeof(*in), in->newdir, in->flags);
}
SHARE_OP(rename2, FUSE_RENAME2, sizeof(struct fuse_rename2_in), SHARE_CHANGES, rename_new);

/*
 * Make a file and open it; one that is there already is opened by what it is known to be: a device is not.
 * Return: descriptor; -errno.  @ret describes it.
 */
static int make_file(struct share_call *c, struct share_inode *dir, const char *name, int flags, mode_t mode,
		     bool exclusive, struct fuse_entry_out *ret)
{
	struct share *s = c->share;
	uint32_t parent = (uint32_t) (dir - s->inode);
	_cleanup_close_ int fd = -1;
	int r = share_act_as(c);

	if (r < 0)
		return r;
	fd = openat(dir->fd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
	r = fd < 0 ? -errno : 0;
	share_act_as_self(s);
	if (r < 0 && (r != -EEXIST || exclusive))
		return r;
	r = share_lookup(s, &s->inode[parent], name, ret);
	if (r == 0 && fd < 0) {
		fd = share_reopen(s, share_find(s, ret->nodeid), flags);
		if (fd < 0) {
			share_forget(s, ret->nodeid, 1);
			return take_fd(fd);
		}
	}
	return r < 0 ? r : take_fd(fd);
}

static int64_t create(struct share_call *c)
{
	const struct fuse_create_in *in = (const struct fuse_create_in *) c->args;
	struct share *s = c->share;
	struct fuse_entry_out entry;
	struct fuse_open_out opened = { 0 };
	struct share_inode *dir;
	const char *name;
	int64_t fh;
	int r = place(c, sizeof(*in), &dir, &name, NULL);

	if (r == 0 && (in->open_flags & FUSE_OPEN_KILL_SUIDGID))
		share_keep_suid(s, false);
	if (r == 0)
		r = make_file(c, dir, name, (int) in->flags & OPEN_FLAGS, in->mode, in->flags & O_EXCL, &entry);
	share_keep_suid(s, true);
	if (r < 0)
		return r;
	fh = share_handle_add(s, r);
	if (fh < 0) {
		share_forget(s, entry.nodeid, 1);
		return fh;
	}
	opened.fh = (uint64_t) fh;
	memcpy(c->out, &entry, sizeof(entry));
	memcpy(c->out + sizeof(entry), &opened, sizeof(opened));
	return sizeof(entry) + sizeof(opened);
}
SHARE_OP(create, FUSE_CREATE, sizeof(struct fuse_create_in), SHARE_CHANGES, create);
