/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a guest knows of a shared directory
 *
 * A file is known by a descriptor opened with O_PATH, found by the name that the guest gave in a directory
 * that it knows: one name at a time, never "..", never through a link.  So nothing outside of the directory
 * can be reached, whatever is renamed or replaced meanwhile.  Numbers that a guest sends are places in a
 * table.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/dev/share/share_parts.h"

#define BUCKETS_MIN 256u

struct share_inode *share_find(const struct share *s, uint64_t nodeid)
{
	if (nodeid == 0 || nodeid >= s->nr_inodes || s->inode[nodeid].fd < 0)
		return NULL;
	return &s->inode[nodeid];
}

struct share_inode *share_self(const struct share_call *c)
{
	return share_find(c->share, c->head->nodeid);
}

static uint32_t *bucket_of(const struct share *s, dev_t dev, ino_t ino, uint64_t mount)
{
	uint64_t h = ((uint64_t) ino ^ (uint64_t) dev << 32 ^ mount << 48) * 0x9E3779B97F4A7C15ull;

	return &s->bucket[(h >> 32) & (s->nr_buckets - 1)];
}

/* Twice as many buckets. */
static int grow_buckets(struct share *s)
{
	uint32_t nr = s->nr_buckets != 0 ? s->nr_buckets * 2 : BUCKETS_MIN;
	uint32_t *b = calloc(nr, sizeof(*b));

	if (b == NULL)
		return -ENOMEM;
	free(s->bucket);
	s->bucket = b;
	s->nr_buckets = nr;
	for (uint32_t i = 1; i < s->nr_inodes; i++) {
		uint32_t *head;

		if (s->inode[i].fd < 0)
			continue;
		head = bucket_of(s, s->inode[i].dev, s->inode[i].ino, s->inode[i].mount);
		s->inode[i].next = *head;
		*head = i;
	}
	return 0;
}

static int grow_inodes(struct share *s)
{
	uint32_t nr = s->nr_inodes != 0 ? s->nr_inodes * 2 : 64;
	struct share_inode *all;

	if (nr > SHARE_INODES_MAX)
		return -ENFILE;
	all = realloc(s->inode, nr * sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	s->inode = all;
	for (uint32_t i = nr - 1; i >= s->nr_inodes && i > 0; i--) {
		all[i] = (struct share_inode) { .fd = -1, .next = s->free_inode };
		s->free_inode = i;
	}
	if (s->nr_inodes == 0)
		all[0] = (struct share_inode) { .fd = -1 };
	s->nr_inodes = nr;
	return 0;
}

static uint32_t find_known(const struct share *s, const struct stat *st, uint64_t mount)
{
	uint32_t i = s->nr_buckets != 0 ? *bucket_of(s, st->st_dev, st->st_ino, mount) : 0;

	while (i != 0 && (s->inode[i].ino != st->st_ino || s->inode[i].dev != st->st_dev || s->inode[i].mount != mount))
		i = s->inode[i].next;
	return i;
}

/* Return: number of the file; -errno.  Takes @fd. */
static int64_t add(struct share *s, int fd, const struct stat *st, uint64_t mount)
{
	_cleanup_close_ int own = fd;
	uint32_t i = find_known(s, st, mount), *head;
	int r = 0;

	if (i != 0) {
		s->inode[i].lookups++;
		return i;
	}
	if (s->free_inode == 0)
		r = grow_inodes(s);
	if (r == 0 && s->used_inodes >= s->nr_buckets)
		r = grow_buckets(s);
	if (r < 0)
		return r;
	i = s->free_inode;
	s->free_inode = s->inode[i].next;
	head = bucket_of(s, st->st_dev, st->st_ino, mount);
	s->inode[i] = (struct share_inode) { .fd = take_fd(own), .type = st->st_mode & S_IFMT, .lookups = 1,
					     .mount = mount, .dev = st->st_dev, .ino = st->st_ino, .next = *head };
	*head = i;
	s->used_inodes++;
	return i;
}

static void drop(struct share *s, uint32_t i)
{
	struct share_inode *n = &s->inode[i];
	uint32_t *at = bucket_of(s, n->dev, n->ino, n->mount);

	while (*at != i)
		at = &s->inode[*at].next;
	*at = n->next;
	(void) close(n->fd); /* opened with O_PATH: there is nothing to write */
	*n = (struct share_inode) { .fd = -1, .next = s->free_inode };
	s->free_inode = i;
	s->used_inodes--;
}

void share_forget(struct share *s, uint64_t nodeid, uint64_t times)
{
	struct share_inode *n = share_find(s, nodeid);

	if (n == NULL || nodeid == FUSE_ROOT_ID)
		return;
	n->lookups -= times < n->lookups ? times : n->lookups;
	if (n->lookups == 0)
		drop(s, (uint32_t) nodeid);
}

void share_forget_all(struct share *s)
{
	for (uint32_t i = 0; i < s->nr_handles; i++)
		(void) share_handle_drop(s, i); /* places that are free are left alone */
	for (uint32_t i = 1; i < s->nr_inodes; i++)
		if (i != FUSE_ROOT_ID && s->inode[i].fd >= 0)
			drop(s, i);
}

void share_attr(struct fuse_attr *ret, const struct stat *st)
{
	*ret = (struct fuse_attr) {
		.ino = st->st_ino,
		.size = (uint64_t) st->st_size,
		.blocks = (uint64_t) st->st_blocks,
		.atime = (uint64_t) st->st_atim.tv_sec,
		.mtime = (uint64_t) st->st_mtim.tv_sec,
		.ctime = (uint64_t) st->st_ctim.tv_sec,
		.atimensec = (uint32_t) st->st_atim.tv_nsec,
		.mtimensec = (uint32_t) st->st_mtim.tv_nsec,
		.ctimensec = (uint32_t) st->st_ctim.tv_nsec,
		.mode = st->st_mode,
		.nlink = (uint32_t) st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = (uint32_t) st->st_rdev,
		.blksize = (uint32_t) st->st_blksize,
	};
}

/* One part of a path, which may be a link, but not one that leads anywhere by magic. */
static int open_name(const struct share_inode *parent, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, parent->fd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int) fd;
}

/* As stat(2), and by which mount it was opened. */
static int describe(int fd, struct stat *ret, uint64_t *ret_mount)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &x) < 0)
		return -errno;
	*ret = (struct stat) {
		.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
		.st_rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor),
		.st_ino = x.stx_ino,
		.st_nlink = x.stx_nlink,
		.st_mode = x.stx_mode,
		.st_uid = x.stx_uid,
		.st_gid = x.stx_gid,
		.st_size = (off_t) x.stx_size,
		.st_blksize = x.stx_blksize,
		.st_blocks = (blkcnt_t) x.stx_blocks,
		.st_atim = { x.stx_atime.tv_sec, x.stx_atime.tv_nsec },
		.st_mtim = { x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec },
		.st_ctim = { x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec },
	};
	*ret_mount = x.stx_mnt_id;
	return 0;
}

int share_lookup(struct share *s, const struct share_inode *parent, const char *name, struct fuse_entry_out *ret)
{
	int fd = open_name(parent, name), r = fd;
	uint64_t mount = 0;
	struct stat st;
	int64_t node;

	if (fd >= 0)
		r = describe(fd, &st, &mount);
	if (r < 0) {
		if (fd >= 0)
			(void) close(fd); /* opened with O_PATH: there is nothing to write */
		return r;
	}
	node = add(s, fd, &st, mount);
	if (node < 0)
		return (int) node;
	*ret = (struct fuse_entry_out) { .nodeid = (uint64_t) node, .entry_valid = s->valid,
					 .attr_valid = s->valid };
	share_attr(&ret->attr, &st);
	return 0;
}

int share_reopen(const struct share *s, const struct share_inode *i, int flags)
{
	char name[16];
	int fd;

	if (i->type == S_IFDIR)
		fd = openat(i->fd, ".", flags | O_DIRECTORY | O_CLOEXEC);
	else if (i->type != S_IFREG)
		return i->type == S_IFLNK ? -ELOOP : -ENXIO; /* devices are the guest's own business */
	else {
		(void) snprintf(name, sizeof(name), "%d", i->fd);
		fd = openat(s->proc, name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

int share_new(int dir, int proc, enum share_kind kind, struct share **ret, struct err *err)
{
	struct share *s = calloc(1, sizeof(*s));
	int64_t r = s == NULL ? -ENOMEM : 0;
	uint64_t mount = 0;
	struct stat st;
	int root = -1;

	if (r == 0) {
		*s = (struct share) { .dir = dir, .proc = proc, .kind = kind };
		s->valid = share_is_layer(s) ? SHARE_VALID_LAYER_S : SHARE_VALID_S;
		s->in = malloc(SHARE_IN_MAX);
		s->out = malloc(SHARE_OUT_MAX);
		root = s->in != NULL && s->out != NULL ? openat(dir, ".", O_PATH | O_CLOEXEC) : -1;
		r = s->in == NULL || s->out == NULL ? -ENOMEM : root < 0 ? -errno : describe(root, &st, &mount);
	}
	if (r == 0)
		r = add(s, take_fd(root), &st, mount); /* the first place is FUSE_ROOT_ID */
	if (r < 0) {
		if (root >= 0)
			(void) close(root); /* opened with O_PATH: there is nothing to write */
		share_free(s);
		return err_set(err, (int) r, "share a directory");
	}
	*ret = s;
	return 0;
}

void share_free(struct share *s)
{
	if (s == NULL)
		return;
	share_forget_all(s);
	if (s->nr_inodes > FUSE_ROOT_ID && s->inode[FUSE_ROOT_ID].fd >= 0)
		(void) close(s->inode[FUSE_ROOT_ID].fd); /* opened with O_PATH: there is nothing to write */
	free(s->inode);
	free(s->bucket);
	free(s->handle);
	free(s->in);
	free(s->out);
	free(s);
}
