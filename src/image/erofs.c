/* SPDX-License-Identifier: MIT */
/**
 * DOC: writing EROFS images
 *
 *   block 0: superblock | data of files, as they were found | directories | inodes with attributes and links
 *
 * An inode's number is its place: so all get their places first, then directories are written, which name
 * them, then they themselves, which say where directories are.
 */
#include "image/erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/erofs_parts.h"

#define SUPER_AT 1024 /* bytes */
#define SUPER_SIZE 128u
#define MAGIC 0xE0F5E1E2u
#define COMPAT_MTIME 2u
#define BLOCK_BITS 12
#define UNIT 32u /* bytes that places are counted in */
#define INODE_SIZE 64u /* of the long kind, with times and 32-bit owners */
#define INODE_LONG 1u
#define LAYOUT_PLAIN (0u << 1)
#define LAYOUT_INLINE (2u << 1) /* what it holds follows it */
#define DIRENT_SIZE 12u
#define XATTR_HEAD 12u
#define BLOCKS_MAX UINT32_MAX

_Static_assert(IMG_EROFS_ALIGN % EROFS_BLOCK == 0, "images consist of blocks");
_Static_assert(1u << BLOCK_BITS == EROFS_BLOCK, "size of a block");

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t) (v >> 8 * i);
}

/* A link that fits into a block together with its inode is found without reading another. */
static uint32_t inline_bytes(const struct erofs_node *n)
{
	return n->link != NULL && INODE_SIZE + n->nr_xattr_bytes + n->size <= EROFS_BLOCK ? (uint32_t) n->size : 0;
}

/* What has to be in one block: an inode and its link, if attributes leave them there. */
static int set_places(struct erofs_tree *t)
{
	uint64_t at = INODE_SIZE; /* no inode has the number 0 */

	for (size_t i = 0; i < t->n; i++) {
		struct erofs_node *n = &t->nodes[i];
		uint64_t size = INODE_SIZE + n->nr_xattr_bytes + inline_bytes(n), left = EROFS_BLOCK - at % EROFS_BLOCK;

		if (left < INODE_SIZE || (inline_bytes(n) != 0 && left < size))
			at += left;
		n->place = (uint32_t) (at / UNIT);
		at += (size + UNIT - 1) / UNIT * UNIT;
		if (at / UNIT > UINT32_MAX)
			return -EFBIG;
	}
	return 0;
}

static uint8_t kind(uint16_t mode)
{
	static const uint8_t kinds[] = { [S_IFREG >> 12] = 1, [S_IFDIR >> 12] = 2,  [S_IFCHR >> 12] = 3,
					 [S_IFBLK >> 12] = 4, [S_IFIFO >> 12] = 5,  [S_IFSOCK >> 12] = 6,
					 [S_IFLNK >> 12] = 7 };

	return kinds[mode >> 12 & 15];
}

/* How many entries from @from on fit into a block; *ret_size: bytes that they take. */
static uint32_t fit(const struct erofs_node *n, uint32_t from, size_t *ret_size)
{
	size_t size = 0;
	uint32_t i = from;

	for (; i < n->nr_entries; i++) {
		size_t one = DIRENT_SIZE + strlen(n->entries[i].name);

		if (size + one > EROFS_BLOCK)
			break;
		size += one;
	}
	*ret_size = size;
	return i - from;
}

/* Numbers, places of names and kinds; then the names. */
static void fill_block(const struct erofs_tree *t, const struct erofs_entry *e, uint32_t nr, uint8_t block[EROFS_BLOCK])
{
	size_t name_at = nr * DIRENT_SIZE;

	memset(block, 0, EROFS_BLOCK);
	for (uint32_t i = 0; i < nr; i++) {
		const struct erofs_node *n = &t->nodes[e[i].node];
		uint8_t *d = block + i * DIRENT_SIZE;
		size_t len = strlen(e[i].name);

		put(d, n->place, 8);
		put(d + 8, name_at, 2);
		d[10] = kind(n->mode);
		memcpy(block + name_at, e[i].name, len);
		name_at += len;
	}
}

static int write_dirs(struct erofs_tree *t, FILE *f)
{
	uint8_t block[EROFS_BLOCK];

	for (size_t i = 0; i < t->n; i++) {
		struct erofs_node *n = &t->nodes[i];
		size_t size = 0;
		uint32_t nr;

		n->where = S_ISDIR(n->mode) ? (uint32_t) t->blocks : n->where;
		for (uint32_t from = 0; from < n->nr_entries; from += nr) {
			nr = fit(n, from, &size);
			fill_block(t, n->entries + from, nr, block);
			if (t->blocks >= t->max)
				return -EFBIG;
			if (fwrite(block, sizeof(block), 1, f) != 1)
				return -errno;
			t->blocks++;
			n->size += from + nr < n->nr_entries ? EROFS_BLOCK : size;
		}
	}
	return 0;
}

/* Links that do not fit beside their inodes */
static int write_links(struct erofs_tree *t, FILE *f)
{
	char block[EROFS_BLOCK];

	for (size_t i = 0; i < t->n; i++) {
		struct erofs_node *n = &t->nodes[i];

		if (n->link == NULL || inline_bytes(n) != 0)
			continue;
		if (t->blocks >= t->max)
			return -EFBIG;
		memset(block, 0, sizeof(block));
		memcpy(block, n->link, n->size); /* PATH_MAX at most */
		if (fwrite(block, sizeof(block), 1, f) != 1)
			return -errno;
		n->where = (uint32_t) t->blocks++;
	}
	return 0;
}

static void fill_inode(const struct erofs_node *n, uint32_t number, uint8_t p[INODE_SIZE])
{
	memset(p, 0, INODE_SIZE);
	put(p, INODE_LONG | (inline_bytes(n) != 0 ? LAYOUT_INLINE : LAYOUT_PLAIN), 2);
	put(p + 2, n->nr_xattr_bytes != 0 ? (n->nr_xattr_bytes - XATTR_HEAD) / 4 + 1 : 0, 2);
	put(p + 4, n->mode, 2);
	put(p + 8, n->size, 8);
	put(p + 16, n->where, 4);
	put(p + 20, number, 4);
	put(p + 24, n->uid, 4);
	put(p + 28, n->gid, 4);
	put(p + 32, (uint64_t) n->mtime, 8);
	put(p + 40, n->mtime_ns, 4);
	put(p + 44, n->nlink, 4);
}

static int pad(FILE *f, uint64_t n)
{
	static const uint8_t zero[EROFS_BLOCK];

	return n == 0 || fwrite(zero, n, 1, f) == 1 ? 0 : -errno;
}

static int write_inodes(const struct erofs_tree *t, FILE *f, uint64_t *ret_size)
{
	uint64_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct erofs_node *n = &t->nodes[i];
		uint64_t place = (uint64_t) n->place * UNIT;
		uint32_t with = inline_bytes(n);
		uint8_t inode[INODE_SIZE];

		r = pad(f, place - at);
		fill_inode(n, (uint32_t) i + 1, inode);
		if (r == 0 && (fwrite(inode, sizeof(inode), 1, f) != 1 ||
			       (n->nr_xattr_bytes != 0 && fwrite(n->xattrs, n->nr_xattr_bytes, 1, f) != 1) ||
			       (with != 0 && fwrite(n->link, with, 1, f) != 1)))
			r = -errno;
		at = place + INODE_SIZE + n->nr_xattr_bytes + with;
	}
	*ret_size = at;
	return r;
}

static int write_super(const struct erofs_tree *t, uint64_t inodes_at, uint64_t blocks, int fd)
{
	uint8_t p[SUPER_SIZE] = { 0 };

	put(p, MAGIC, 4);
	put(p + 8, COMPAT_MTIME, 4);
	p[12] = BLOCK_BITS;
	put(p + 14, t->nodes[0].place, 2);
	put(p + 16, t->n, 8);
	put(p + 36, blocks, 4);
	put(p + 40, inodes_at, 4);
	return pwrite(fd, p, sizeof(p), SUPER_AT) == (ssize_t) sizeof(p) ? 0 : -EIO;
}

/* All that is known when the data is written */
static int write_rest(struct erofs_tree *t, FILE *f)
{
	uint64_t inodes_at, size = 0, total;
	int r = set_places(t);

	if (r == 0 && fseeko(f, (off_t) (t->blocks * EROFS_BLOCK), SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = write_dirs(t, f);
	if (r == 0)
		r = write_links(t, f);
	inodes_at = t->blocks;
	if (r == 0)
		r = write_inodes(t, f, &size);
	if (r == 0 && fflush(f) != 0)
		r = -errno;
	if (r < 0)
		return r;
	total = (inodes_at * EROFS_BLOCK + size + IMG_EROFS_ALIGN - 1) / IMG_EROFS_ALIGN * IMG_EROFS_ALIGN;
	if (total / EROFS_BLOCK > t->max)
		return -EFBIG;
	if (ftruncate(fileno(f), (off_t) total) < 0)
		return -errno;
	return write_super(t, inodes_at, total / EROFS_BLOCK, fileno(f));
}

int img_erofs_write(int dir, int fd, uint64_t max, struct err *err)
{
	_cleanup_(erofs_tree_fini) struct erofs_tree t = { .fd = fd, .blocks = 1, .max = max / EROFS_BLOCK };
	int copy, r;

	if (t.max == 0 || t.max > BLOCKS_MAX)
		t.max = t.max == 0 ? 1 : BLOCKS_MAX;
	r = erofs_tree_read(&t, dir, err);
	if (r < 0)
		return r;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	_cleanup_fclose_ FILE *f = copy >= 0 ? fdopen(copy, "w") : NULL;
	if (f == NULL) {
		cleanup_closep(&copy);
		return err_set(err, -errno, "write an EROFS image");
	}
	r = write_rest(&t, f);
	return r < 0 ? err_set(err, r, "write an EROFS image") : 0;
}
