/* SPDX-License-Identifier: MIT */
#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/layer.h"
#include "image/stream.h"
#include "image/tree.h"
#include "sys/path.h"

#define LINKS_MAX 40 /* as the kernel */

void eng_file_fini(struct eng_file *f)
{
	cleanup_closep(&f->parent);
	f->parent = -EBADF;
}

/*
 * Split "a/b/c//" into "a/b" and "c"; the name is "." when the path ends in a directory by any other word.
 * Return: 0; -ENAMETOOLONG.
 */
static int split(const char *path, struct eng_file *f, bool *ret_slash)
{
	size_t n = strlen(path), end;

	*ret_slash = n > 0 && path[n - 1] == '/';
	while (n > 0 && path[n - 1] == '/')
		n--;
	for (end = n; n > 0 && path[n - 1] != '/';)
		n--;
	if (end >= sizeof(f->dir) || end - n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(f->name, path + n, end - n);
	f->name[end - n] = '\0';
	if (end == n || strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0) {
		n = end;
		memcpy(f->name, ".", 2);
	}
	memcpy(f->dir, path, n);
	f->dir[n] = '\0';
	return 0;
}

/* Put the target of the link in the place of @path.  Return: 0; -errno. */
static int read_link(const struct eng_file *f, char path[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(f->parent, f->name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return snprintf(path, PATH_MAX, "%s%s%s", target[0] == '/' ? "" : f->dir,
			target[0] == '/' ? "" : "/", target) >= PATH_MAX
		       ? -ENAMETOOLONG
		       : 0;
}

static int look(int root, const char *path, struct eng_file *f, bool *ret_slash)
{
	int r = split(path, f, ret_slash);

	if (r < 0)
		return r;
	f->parent = path_open(root, f->dir, O_PATH | O_DIRECTORY);
	if (f->parent < 0)
		return f->parent;
	f->exists = fstatat(f->parent, f->name, &f->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (f->exists)
		return 0;
	f->st = (struct stat) { 0 };
	return errno == ENOENT ? 0 : -errno;
}

int eng_file_find(int root, const char *path, bool follow, struct eng_file *ret)
{
	_cleanup_(eng_file_fini) struct eng_file f = ENG_FILE_NONE;
	char text[PATH_MAX];
	bool slash, wants_dir = false;

	if (snprintf(text, sizeof(text), "%s", path) >= (int) sizeof(text))
		return -ENAMETOOLONG;
	for (int n = 0; n < LINKS_MAX; n++) {
		int r = look(root, text, &f, &slash);

		if (r < 0)
			return r;
		wants_dir = wants_dir || slash;
		if (f.exists && S_ISLNK(f.st.st_mode) && (follow || wants_dir)) {
			r = read_link(&f, text);
			eng_file_fini(&f);
			if (r < 0)
				return r;
			continue;
		}
		if (f.exists && wants_dir && !S_ISDIR(f.st.st_mode))
			return -ENOTDIR;
		*ret = f;
		f.parent = -EBADF;
		return 0;
	}
	return -ELOOP;
}

/* File systems of the kernel, which an instance has mounted; one that is not leaves the root's own. */
static void find_skipped(int root, dev_t skip[IMG_TREE_SKIP])
{
	static const char *const dirs[IMG_TREE_SKIP] = { "/proc", "/sys", "/dev" };
	struct stat top, st;

	if (fstat(root, &top) < 0)
		return;
	for (size_t i = 0; i < IMG_TREE_SKIP; i++) {
		_cleanup_close_ int fd = path_open(root, dirs[i], O_PATH | O_DIRECTORY);

		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev != top.st_dev)
			skip[i] = st.st_dev;
	}
}

int eng_file_unpack(int fd, const struct img_copy *to, uint64_t *ret_bytes, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *stream = NULL;
	char rest[4096];
	ssize_t n = 1;
	int r = img_stream_open(fd, -EBADF, &stream, err);

	if (r < 0)
		return r;
	img_stream_no_digests(stream);
	r = img_layer_copy(stream, to, err);
	while (r == 0 && n > 0) { /* whoever writes it is not to fail */
		n = img_stream_read(stream, rest, sizeof(rest), err);
		r = n < 0 ? (int) n : 0;
	}
	*ret_bytes = img_stream_tell(stream);
	return r;
}

int eng_file_pack(int root, const struct eng_file *f, const char *as,
		  const struct img_tree_opts *opts, struct img_sink *sink, struct err *err)
{
	struct img_tree_opts own = *opts;

	find_skipped(root, own.skip);
	if (!S_ISDIR(f->st.st_mode))
		return img_tree_write_one(sink, f->parent, f->name, as, &own, err);
	_cleanup_close_ int dir = openat(f->parent, f->name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open '%.200s'", f->name);
	return img_tree_write_one(sink, dir, ".", as, &own, err);
}
