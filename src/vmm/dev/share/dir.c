/* SPDX-License-Identifier: MIT */
/**
 * DOC: what is in a directory
 *
 * A part of it is read at a time and kept with the open directory, so that a large one is read once however
 * little the guest takes in one go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/dev/share/share_parts.h"

#define PART 32768 /* bytes that are read in one go */

/** struct share_list - @at to @end of @part are not given out; @next: position that the first of them has */
struct share_list {
	size_t at, end;
	uint64_t next;
	_Alignas(8) uint8_t part[PART];
};

void share_list_free(struct share_list *l)
{
	free(l);
}

/* The list of a directory at a position. */
static int seek_list(struct share_handle *h, uint64_t offset)
{
	struct stat st;

	if (h->list == NULL) {
		if (fstat(h->fd, &st) < 0 || !S_ISDIR(st.st_mode))
			return -ENOTDIR;
		h->list = calloc(1, sizeof(*h->list));
		if (h->list == NULL)
			return -ENOMEM;
	}
	if (offset == h->list->next && offset != 0)
		return 0;
	if (lseek(h->fd, (off_t) offset, SEEK_SET) < 0)
		return -errno;
	h->list->at = h->list->end = 0;
	h->list->next = offset;
	return 0;
}

/* Return: 1 and the next entry; 0 the end; -errno. */
static int peek(struct share_handle *h, const struct dirent64 **ret)
{
	struct share_list *l = h->list;

	if (l->at == l->end) {
		ssize_t n = getdents64(h->fd, l->part, sizeof(l->part));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		l->at = 0;
		l->end = (size_t) n;
	}
	*ret = (const struct dirent64 *) (l->part + l->at);
	return 1;
}

static void step(struct share_handle *h, const struct dirent64 *e)
{
	h->list->next = (uint64_t) e->d_off;
	h->list->at += e->d_reclen;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static size_t put_dirent(uint8_t *to, const struct dirent64 *e)
{
	size_t len = strlen(e->d_name), size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + len);
	struct fuse_dirent d = { .ino = e->d_ino, .off = (uint64_t) e->d_off, .namelen = (uint32_t) len,
				 .type = e->d_type };

	memset(to, 0, size);
	memcpy(to, &d, FUSE_NAME_OFFSET);
	memcpy(to + FUSE_NAME_OFFSET, e->d_name, len);
	return size;
}

/* What the guest would look up next is told too; a file that has gone meanwhile is told without. */
static size_t put_plus(struct share_call *c, uint8_t *to, const struct dirent64 *e)
{
	const struct share_inode *dir = share_self(c);
	struct fuse_entry_out entry = { 0 };

	if (dir == NULL || is_dots(e->d_name) || share_lookup(c->share, dir, e->d_name, &entry) < 0)
		entry = (struct fuse_entry_out) { 0 };
	memcpy(to, &entry, sizeof(entry));
	return sizeof(entry) + put_dirent(to + sizeof(entry), e);
}

static int64_t list(struct share_call *c, bool plus)
{
	const struct fuse_read_in *in = (const struct fuse_read_in *) c->args;
	struct share_handle *h = share_handle_get(c->share, in->fh);
	size_t room = in->size < c->room ? in->size : c->room, done = 0;
	const struct dirent64 *e = NULL;
	int r = h == NULL ? -EBADF : seek_list(h, in->offset);

	while (r == 0 && (r = peek(h, &e)) > 0) {
		size_t need = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + strlen(e->d_name)) +
			      (plus ? sizeof(struct fuse_entry_out) : 0);

		if (need > room - done)
			break;
		done += plus ? put_plus(c, c->out + done, e) : put_dirent(c->out + done, e);
		step(h, e);
		r = 0;
	}
	return r < 0 && done == 0 ? r : (int64_t) done;
}

static int64_t read_dir(struct share_call *c)
{
	return list(c, false);
}
SHARE_OP(readdir, FUSE_READDIR, sizeof(struct fuse_read_in), 0, read_dir);

static int64_t read_dir_plus(struct share_call *c)
{
	return list(c, true);
}
SHARE_OP(readdirplus, FUSE_READDIRPLUS, sizeof(struct fuse_read_in), 0, read_dir_plus);
