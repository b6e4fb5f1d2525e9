/* SPDX-License-Identifier: MIT */
/**
 * DOC: a tree for an EROFS image
 *
 * Walks by descriptors and follows no link.  Data is written as it is found; names and attributes stay in memory,
 * since where they lie is known only at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/erofs_parts.h"

#define COPY_MAX (1u << 30) /* bytes of one sendfile(2) */
#define XATTR_LIST_MAX 65536 /* bytes, the kernel's limit */
#define XATTR_HEAD 12u /* bytes in front of the attributes of a file */
#define XATTRS_MAX (65535u * 4) /* bytes of all: their number of words has 16 bits */
#define FILES_MIN 1024u

/* Beginnings of names that have a number of their own */
static const struct {
	const char *prefix;
	uint8_t index;
} prefixes[] = { { "user.", 1 },
		 { "system.posix_acl_access", 2 },
		 { "system.posix_acl_default", 3 },
		 { "security.", 6 } };

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "make an EROFS image");
}

/* Those that an archive of the image would have. */
static size_t find_prefix(const char *name)
{
	size_t i = 0;

	if (str_starts(name, "user.overlay.") || (str_starts(name, "security.") && strcmp(name, "security.capability") != 0))
		return ARRAY_LEN(prefixes);
	while (i < ARRAY_LEN(prefixes) && !str_starts(name, prefixes[i].prefix))
		i++;
	return i;
}

/* Length of the name, its number, size of the value, name, value; to a multiple of four bytes. */
static int add_xattr(struct str *s, const char *file, const char *name)
{
	static const char zero[4];
	char value[UINT16_MAX];
	size_t i = find_prefix(name);
	ssize_t n = i < ARRAY_LEN(prefixes) ? lgetxattr(file, name, value, sizeof(value)) : -1;
	const char *rest = name;

	if (n < 0)
		return 0; /* not one of ours, or gone */
	rest += strlen(prefixes[i].prefix);
	str_add(s, (const char[]) { (char) strlen(rest), (char) prefixes[i].index, (char) n, (char) (n >> 8) }, 4);
	str_add(s, rest, strlen(rest));
	str_add(s, value, (size_t) n);
	str_add(s, zero, -s->len & 3);
	return s->failed ? -ENOMEM : s->len > XATTRS_MAX ? -E2BIG : 0;
}

static int read_xattrs(struct erofs_tree *t, struct erofs_node *node, int dir, const char *name, struct err *err)
{
	_cleanup_(str_fini) struct str all = { 0 };
	_cleanup_free_ char *list = NULL;
	char file[64 + NAME_MAX];
	ssize_t n;
	void *copy;
	int r = 0;

	(void) snprintf(file, sizeof(file), "/proc/self/fd/%d/%s", dir, name); /* names have a limit */
	n = llistxattr(file, NULL, 0);
	if (n <= 0)
		return 0; /* none, or a file system that has none */
	list = malloc(XATTR_LIST_MAX);
	if (list == NULL)
		return nomem(err);
	n = llistxattr(file, list, XATTR_LIST_MAX);
	str_add(&all, (const char[XATTR_HEAD]) { 0 }, XATTR_HEAD);
	for (const char *p = list; r == 0 && p < list + n; p += strlen(p) + 1)
		r = add_xattr(&all, file, p);
	if (r < 0)
		return err_set(err, r, "read the attributes of '%.200s'", name);
	if (all.len <= XATTR_HEAD)
		return 0;
	copy = arena_alloc(&t->arena, 1, all.len);
	if (copy == NULL)
		return nomem(err);
	memcpy(copy, all.p, all.len);
	node->xattrs = copy;
	node->nr_xattr_bytes = (uint32_t) all.len;
	return 0;
}

/* The place of a file in the table: it, or an empty one. */
static struct erofs_file *file_place(const struct erofs_tree *t, uint64_t dev, uint64_t ino)
{
	size_t at = (size_t) ((ino ^ dev << 32) * 0x9E3779B97F4A7C15ull >> 32);

	for (;; at++) {
		struct erofs_file *f = &t->files[at & (t->nr_files - 1)];

		if (f->node == 0 || (f->ino == ino && f->dev == dev))
			return f;
	}
}

static int grow_files(struct erofs_tree *t)
{
	struct erofs_tree old = *t;

	t->nr_files = old.nr_files != 0 ? old.nr_files * 2 : FILES_MIN;
	t->files = calloc(t->nr_files, sizeof(*t->files));
	if (t->files == NULL) {
		*t = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.nr_files; i++)
		if (old.files[i].node != 0)
			*file_place(t, old.files[i].dev, old.files[i].ino) = old.files[i];
	free(old.files);
	return 0;
}

static uint32_t device_number(dev_t d)
{
	uint32_t lo = minor(d);

	return (lo & 0xff) | (uint32_t) major(d) << 8 | (lo & ~0xffu) << 12;
}

/* Number of the new node; -errno.  The array may be elsewhere then. */
static int64_t add_node(struct erofs_tree *t, const struct stat *st)
{
	if (t->n == t->room) {
		size_t room = t->room * 2 + 1024;
		struct erofs_node *v = t->n < EROFS_NODES_MAX ? reallocarray(t->nodes, room, sizeof(*v)) : NULL;

		if (v == NULL)
			return -ENOMEM;
		t->nodes = v;
		t->room = room;
	}
	t->nodes[t->n] = (struct erofs_node) {
		.mode = (uint16_t) st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t) st->st_mtim.tv_nsec,
		.nlink = 1,
		.where = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? device_number(st->st_rdev) : 0,
	};
	return (int64_t) t->n++;
}

static int copy_piece(const struct erofs_tree *t, int fd, off_t from, off_t to, uint64_t at)
{
	if (lseek(t->fd, (off_t) at + from, SEEK_SET) < 0)
		return -errno;
	while (from < to) {
		ssize_t n = sendfile(t->fd, fd, &from, to - from < COPY_MAX ? (size_t) (to - from) : COPY_MAX);

		if (n <= 0)
			return n < 0 ? -errno : -ESTALE;
	}
	return 0;
}

/* What is not written reads as zero, in the image as in the file. */
static int copy_data(struct erofs_tree *t, struct erofs_node *node, int fd, uint64_t size)
{
	uint64_t at = t->blocks * EROFS_BLOCK, blocks = size / EROFS_BLOCK + (size % EROFS_BLOCK != 0);
	off_t end = 0, from;
	int r = 0;

	if (blocks > t->max - t->blocks)
		return -EFBIG;
	node->where = (uint32_t) t->blocks;
	node->size = size;
	t->blocks += blocks;
	while (r == 0 && (uint64_t) end < size && (from = lseek(fd, end, SEEK_DATA)) >= 0 && (uint64_t) from < size) {
		end = lseek(fd, from, SEEK_HOLE);
		if (end < 0)
			return -errno;
		r = copy_piece(t, fd, from, (uint64_t) end < size ? end : (off_t) size, at);
	}
	return r;
}

static int read_file(struct erofs_tree *t, struct erofs_node *node, int dir, const char *name, const struct stat *st,
		     struct err *err)
{
	_cleanup_close_ int fd = st->st_size > 0 ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -EBADF;
	int r = st->st_size > 0 && fd < 0 ? -errno : 0;

	if (r == 0 && fd >= 0)
		r = copy_data(t, node, fd, (uint64_t) st->st_size);
	return r < 0 ? err_set(err, r, "copy '%.200s' into an EROFS image", name) : 0;
}

static int read_link(struct erofs_tree *t, struct erofs_node *node, int dir, const char *name, struct err *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, name, text, sizeof(text));

	if (n < 0)
		return err_set(err, -errno, "read link '%.200s'", name);
	node->link = arena_strndup(&t->arena, text, (size_t) n);
	node->size = (uint64_t) n;
	return node->link != NULL ? 0 : nomem(err);
}

static int read_dir(struct erofs_tree *t, uint32_t self, uint32_t parent, int dir, struct err *err);

static int read_new(struct erofs_tree *t, uint32_t self, uint32_t parent, int dir, const char *name, const struct stat *st,
		    struct err *err)
{
	int r = read_xattrs(t, &t->nodes[self], dir, name, err);

	if (r == 0 && S_ISREG(st->st_mode))
		r = read_file(t, &t->nodes[self], dir, name, st, err);
	if (r == 0 && S_ISLNK(st->st_mode))
		r = read_link(t, &t->nodes[self], dir, name, err);
	if (r < 0 || !S_ISDIR(st->st_mode))
		return r;
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open '%.200s'", name) : read_dir(t, self, parent, fd, err);
}

static int read_one(struct erofs_tree *t, uint32_t parent, int dir, struct erofs_entry *e, struct err *err)
{
	struct erofs_file *same = NULL;
	struct stat st;
	int64_t n;

	if (fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, -errno, "read '%.200s'", e->name);
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		if (t->used_files * 2 >= t->nr_files && grow_files(t) < 0)
			return nomem(err);
		same = file_place(t, st.st_dev, st.st_ino);
		if (same->node != 0) {
			e->node = same->node;
			t->nodes[e->node].nlink++;
			return 0;
		}
	}
	n = add_node(t, &st);
	if (n < 0)
		return nomem(err);
	e->node = (uint32_t) n;
	if (same != NULL) {
		*same = (struct erofs_file) { st.st_dev, st.st_ino, e->node };
		t->used_files++;
	}
	return read_new(t, e->node, parent, dir, e->name, &st, err);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct erofs_entry *) a)->name, ((const struct erofs_entry *) b)->name);
}

/* All names, also the two that every directory has. */
static int read_names(struct erofs_tree *t, struct erofs_node *node, int dir)
{
	_cleanup_free_ const char **names = NULL;
	size_t n = 0;
	int r = dir_names(dir, &t->arena, &names, &n);

	if (r < 0)
		return r;
	node->entries = arena_alloc(&t->arena, n + 2, sizeof(*node->entries));
	if (node->entries == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		node->entries[i].name = names[i];
	node->entries[n].name = ".";
	node->entries[n + 1].name = "..";
	node->nr_entries = (uint32_t) (n + 2);
	qsort(node->entries, n + 2, sizeof(*node->entries), compare);
	return 0;
}

static int read_dir(struct erofs_tree *t, uint32_t self, uint32_t parent, int dir, struct err *err)
{
	int r = read_names(t, &t->nodes[self], dir);

	if (r < 0)
		return err_set(err, r, "read a directory");
	for (uint32_t i = 0; r == 0 && i < t->nodes[self].nr_entries; i++) {
		struct erofs_entry *e = &t->nodes[self].entries[i];

		if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) {
			e->node = e->name[1] == '\0' ? self : parent;
			t->nodes[e->node].nlink += e->node == self ? e->name[1] == '\0' : 1; /* the root is in itself */
		} else {
			r = read_one(t, self, dir, e, err);
		}
	}
	return r;
}

int erofs_tree_read(struct erofs_tree *t, int dir, struct err *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_set(err, -errno, "read a directory");
	if (add_node(t, &st) < 0)
		return nomem(err);
	return read_new(t, 0, 0, dir, ".", &st, err);
}

void erofs_tree_fini(struct erofs_tree *t)
{
	arena_fini(&t->arena);
	free(t->nodes);
	free(t->files);
}
