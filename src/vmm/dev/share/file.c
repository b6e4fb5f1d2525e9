/* SPDX-License-Identifier: MIT */
/**
 * DOC: open files
 *
 * Data goes between the file and the guest's memory without a copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "vmm/dev/share/share_parts.h"

#define OPEN_FLAGS (O_ACCMODE | O_APPEND | O_TRUNC | O_SYNC | O_DSYNC) /* that a guest may choose */
#define SETTLED_S 2 /* seconds after which a further change has another time */
#define NS_PER_S 1000000000u
#define MIX 0x9E3779B97F4A7C15ull
#define FALLOCATE_MODES (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)

int64_t share_handle_add(struct share *s, int fd)
{
	uint32_t i = s->free_handle;

	if (i == 0) {
		uint32_t nr = s->nr_handles != 0 ? s->nr_handles * 2 : 64;
		struct share_handle *all = nr <= SHARE_HANDLES_MAX ? realloc(s->handle, nr * sizeof(*all)) : NULL;

		if (all == NULL) {
			(void) close(fd); /* nothing was written */
			return -ENFILE;
		}
		s->handle = all;
		for (uint32_t k = nr - 1; k >= s->nr_handles && k > 0; k--) {
			all[k] = (struct share_handle) { .fd = -1, .next = s->free_handle };
			s->free_handle = k;
		}
		all[0].fd = -1; /* 0 is the end of the list */
		all[0].list = NULL;
		s->nr_handles = nr;
		i = s->free_handle;
	}
	s->free_handle = s->handle[i].next;
	s->handle[i] = (struct share_handle) { .fd = fd };
	return i;
}

struct share_handle *share_handle_get(const struct share *s, uint64_t fh)
{
	return fh < s->nr_handles && s->handle[fh].fd >= 0 ? &s->handle[fh] : NULL;
}

int share_handle_drop(struct share *s, uint64_t fh)
{
	struct share_handle *h = share_handle_get(s, fh);

	if (h == NULL)
		return -EBADF;
	(void) close(h->fd); /* what there was to tell, flush and fsync told */
	share_list_free(h->list);
	*h = (struct share_handle) { .fd = -1, .next = s->free_handle };
	s->free_handle = (uint32_t) fh;
	return 0;
}

/* What tells that the content of a file is another one; 0 when it may change now without being seen. */
static uint64_t stamp_of(int fd)
{
	struct timespec now;
	struct stat st;
	uint64_t h;

	if (fstat(fd, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0 || now.tv_sec - st.st_ctim.tv_sec < SETTLED_S)
		return 0;
	h = (uint64_t) st.st_mtim.tv_sec * NS_PER_S + (uint64_t) st.st_mtim.tv_nsec;
	h = h * MIX + (uint64_t) st.st_ctim.tv_sec * NS_PER_S + (uint64_t) st.st_ctim.tv_nsec;
	h = h * MIX + (uint64_t) st.st_size;
	return h | 1;
}

/* Who opened the file last may have read it: what the guest keeps of it is as good as before if it is the same. */
static uint32_t keep_cache(struct share_inode *n, int fd)
{
	uint64_t stamp = fd >= 0 ? stamp_of(fd) : 0;
	bool same = stamp != 0 && stamp == n->stamp;

	n->stamp = stamp;
	return same ? FOPEN_KEEP_CACHE : 0;
}

static int64_t answer_open(struct share_call *c, int fd, uint32_t flags)
{
	struct fuse_open_out out = { .open_flags = flags };
	int64_t fh = fd < 0 ? fd : share_handle_add(c->share, fd);

	if (fh < 0)
		return fh;
	out.fh = (uint64_t) fh;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}

static int64_t open_file(struct share_call *c)
{
	const struct fuse_open_in *in = (const struct fuse_open_in *) c->args;
	struct share_inode *n = share_self(c);
	int flags = (int) in->flags & OPEN_FLAGS, fd;

	if (n == NULL || n->type == S_IFDIR)
		return n == NULL ? -ESTALE : -EISDIR;
	if (c->share->kind == SHARE_READONLY && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)))
		return -EROFS;
	if (in->open_flags & FUSE_OPEN_KILL_SUIDGID)
		share_keep_suid(c->share, false);
	fd = share_reopen(c->share, n, flags);
	share_keep_suid(c->share, true);
	return answer_open(c, fd, keep_cache(n, fd));
}
SHARE_OP(open, FUSE_OPEN, sizeof(struct fuse_open_in), 0, open_file);

static int64_t open_dir(struct share_call *c)
{
	const struct share_inode *n = share_self(c);

	if (n == NULL || n->type != S_IFDIR)
		return n == NULL ? -ESTALE : -ENOTDIR;
	return answer_open(c, share_reopen(c->share, n, O_RDONLY), 0);
}
SHARE_OP(opendir, FUSE_OPENDIR, sizeof(struct fuse_open_in), 0, open_dir);

static int64_t release(struct share_call *c)
{
	return share_handle_drop(c->share, ((const struct fuse_release_in *) c->args)->fh);
}
SHARE_OP(release, FUSE_RELEASE, sizeof(struct fuse_release_in), 0, release);
SHARE_OP(releasedir, FUSE_RELEASEDIR, sizeof(struct fuse_release_in), 0, release);

/* Cut pieces off behind @n bytes; returns how many pieces are left. */
static int limit(struct iovec *iov, unsigned nr, uint64_t n)
{
	unsigned i;

	for (i = 0; i < nr && n > 0; i++) {
		iov[i].iov_len = iov[i].iov_len < n ? iov[i].iov_len : n;
		n -= iov[i].iov_len;
	}
	return (int) i;
}

static int64_t read_file(struct share_call *c)
{
	const struct fuse_read_in *in = (const struct fuse_read_in *) c->args;
	const struct share_handle *h = share_handle_get(c->share, in->fh);
	struct iovec *iov = vq_chain_in(c->chain);
	ssize_t n;

	if (h == NULL)
		return -EBADF;
	n = preadv(h->fd, iov, limit(iov, c->chain->nr_in, in->size), (off_t) in->offset);
	return n < 0 ? -errno : n;
}
SHARE_OP(read, FUSE_READ, sizeof(struct fuse_read_in), SHARE_DIRECT, read_file);

static int64_t write_file(struct share_call *c)
{
	const struct fuse_write_in *in = (const struct fuse_write_in *) c->args;
	const struct share_handle *h = share_handle_get(c->share, in->fh);
	struct fuse_write_out out = { 0 };
	int nr = limit(c->chain->iov, c->chain->nr_out, in->size);
	ssize_t n;
	int r;

	if (h == NULL)
		return -EBADF;
	if (in->write_flags & FUSE_WRITE_KILL_SUIDGID)
		share_keep_suid(c->share, false);
	n = pwritev(h->fd, c->chain->iov, nr, (off_t) in->offset);
	r = -errno;
	share_keep_suid(c->share, true);
	if (n < 0)
		return r;
	out.size = (uint32_t) n;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}
SHARE_OP(write, FUSE_WRITE, sizeof(struct fuse_write_in), SHARE_CHANGES, write_file);

/* close(2) of a copy tells what file systems tell then. */
static int64_t flush(struct share_call *c)
{
	const struct share_handle *h = share_handle_get(c->share, ((const struct fuse_flush_in *) c->args)->fh);
	int fd;

	if (h == NULL)
		return -EBADF;
	fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 || close(fd) < 0 ? -errno : 0;
}
SHARE_OP(flush, FUSE_FLUSH, sizeof(struct fuse_flush_in), 0, flush);

static int64_t sync_file(struct share_call *c)
{
	const struct fuse_fsync_in *in = (const struct fuse_fsync_in *) c->args;
	const struct share_handle *h = share_handle_get(c->share, in->fh);

	if (h == NULL)
		return -EBADF;
	return (in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(h->fd) : fsync(h->fd)) < 0 ? -errno : 0;
}
SHARE_OP(fsync, FUSE_FSYNC, sizeof(struct fuse_fsync_in), 0, sync_file);
SHARE_OP(fsyncdir, FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in), 0, sync_file);

static int64_t seek_file(struct share_call *c)
{
	const struct fuse_lseek_in *in = (const struct fuse_lseek_in *) c->args;
	const struct share_handle *h = share_handle_get(c->share, in->fh);
	struct fuse_lseek_out out;
	off_t at;

	if (h == NULL || h->list != NULL)
		return -EBADF;
	if (in->whence != SEEK_DATA && in->whence != SEEK_HOLE)
		return -EINVAL; /* the guest's kernel does all others */
	at = lseek(h->fd, (off_t) in->offset, (int) in->whence);
	if (at < 0)
		return -errno;
	out.offset = (uint64_t) at;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}
SHARE_OP(lseek, FUSE_LSEEK, sizeof(struct fuse_lseek_in), 0, seek_file);

static int64_t allocate(struct share_call *c)
{
	const struct fuse_fallocate_in *in = (const struct fuse_fallocate_in *) c->args;
	const struct share_handle *h = share_handle_get(c->share, in->fh);

	if (h == NULL)
		return -EBADF;
	if ((in->mode & ~(uint32_t) FALLOCATE_MODES) != 0)
		return -EOPNOTSUPP;
	return fallocate(h->fd, (int) in->mode, (off_t) in->offset, (off_t) in->length) < 0 ? -errno : 0;
}
SHARE_OP(fallocate, FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), SHARE_CHANGES, allocate);

static int64_t copy_range(struct share_call *c)
{
	const struct fuse_copy_file_range_in *in = (const struct fuse_copy_file_range_in *) c->args;
	const struct share_handle *from = share_handle_get(c->share, in->fh_in);
	const struct share_handle *to = share_handle_get(c->share, in->fh_out);
	off_t at = (off_t) in->off_in, at_to = (off_t) in->off_out;
	struct fuse_write_out out = { 0 };
	ssize_t n;

	if (from == NULL || to == NULL)
		return -EBADF;
	n = copy_file_range(from->fd, &at, to->fd, &at_to, in->len < INT32_MAX ? in->len : INT32_MAX, 0);
	if (n < 0)
		return -errno;
	out.size = (uint32_t) n;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}
SHARE_OP(copy_range, FUSE_COPY_FILE_RANGE, sizeof(struct fuse_copy_file_range_in), SHARE_CHANGES, copy_range);
