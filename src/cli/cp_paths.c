/* SPDX-License-Identifier: MIT */
#include "cli/cp_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define DEPTH_MAX 4096 /* directories above one another */

int cp_side_parse(const char *typed, struct cp_side *ret, struct err *err)
{
	const char *colon = strchr(typed, ':'), *path = typed;
	char cwd[PATH_MAX] = "";

	ret->typed = typed;
	ret->stream = strcmp(typed, "-") == 0;
	if (ret->stream)
		return 0;
	if (typed[0] != '/' && typed[0] != '.' && colon != NULL) {
		ret->instance = strndup(typed, (size_t) (colon - typed));
		if (ret->instance == NULL)
			return err_set(err, -ENOMEM, "read '%s'", typed);
		path = colon + 1;
	} else if (typed[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set(err, -errno, "find the working directory");
	if (*path == '\0')
		return err_msg(err, -EINVAL, "'%s': the path is empty", typed);
	if (snprintf(ret->path, sizeof(ret->path), "%s%s%s", cwd, path[0] == '/' ? "" : "/", path) >=
	    (int) sizeof(ret->path))
		return err_msg(err, -ENAMETOOLONG, "'%.100s...': the path is over %d bytes", typed,
			       PATH_MAX);
	return 0;
}

int cp_side_open(struct cli *cli, struct cp_side *side, struct err *err)
{
	int r = 0;

	if (side->stream)
		return 0;
	if (side->instance != NULL) {
		r = instance_files_open(cli, side->instance, ENG_ROOTFS_MOUNTS, &side->files, err);
		side->root = r == 0 ? fcntl(side->files.fs.root, F_DUPFD_CLOEXEC, 0) : -EBADF;
	} else
		side->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && side->root < 0)
		r = err_set(err, -errno, "open the root directory of '%s'", side->typed);
	return r;
}

int cp_side_share(const struct cp_side *src, struct cp_side *dest, struct err *err)
{
	dest->inside = &src->files;
	dest->files.config = src->files.config; /* not ours: without an engine it is not released */
	dest->root = fcntl(src->root, F_DUPFD_CLOEXEC, 0);
	return dest->root < 0 ? err_set(err, -errno, "open the root directory of '%s'", dest->typed)
			      : 0;
}

static int not_found(const struct cp_side *side, int code, struct err *err)
{
	if (code != -ENOENT)
		return err_set(err, code, "'%.200s'", side->typed);
	if (side->instance != NULL)
		return err_msg(err, code, "Could not find the file %.200s in container %s", side->path,
			       side->instance);
	return err_msg(err, code, "lstat %.200s: no such file or directory", side->typed);
}

int cp_source(struct cp_side *src, bool follow, struct err *err)
{
	int r = eng_file_find(src->root, src->path, follow, &src->file);

	if (r == 0 && !src->file.exists)
		r = -ENOENT;
	return r < 0 ? not_found(src, r, err) : 0;
}

void cp_name(const char *path, char ret[NAME_MAX + 1])
{
	size_t n = strlen(path), end;

	while (n > 0 && path[n - 1] == '/')
		n--;
	for (end = n; n > 0 && path[n - 1] != '/';)
		n--;
	(void) snprintf(ret, NAME_MAX + 1, "%.*s", (int) (end - n), path + n);
	if (ret[0] == '\0' || strcmp(ret, "..") == 0)
		(void) snprintf(ret, NAME_MAX + 1, ".");
}

/* A directory that were copied into itself would never end. */
static bool is_below(int dir, const struct stat *top)
{
	_cleanup_close_ int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	struct stat st, last = { 0 };

	for (int n = 0; n < DEPTH_MAX && fd >= 0 && fstat(fd, &st) == 0; n++) {
		int up;

		if (st.st_dev == top->st_dev && st.st_ino == top->st_ino)
			return true;
		if (n > 0 && st.st_dev == last.st_dev && st.st_ino == last.st_ino)
			return false;
		last = st;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_closep(&fd);
		fd = up;
	}
	return false;
}

static int parent_missing(const struct cp_side *dest, int code, struct err *err)
{
	int n = (int) strlen(dest->path);

	while (n > 1 && dest->path[n - 1] == '/')
		n--;
	while (n > 1 && dest->path[n - 1] != '/')
		n--;
	n -= n > 1;
	if (code != -ENOENT)
		return err_set(err, code, "'%.200s'", dest->typed);
	if (dest->instance != NULL)
		return err_msg(err, code, "Could not find the file %.*s in container %s",
			       n < 200 ? n : 200, dest->path, dest->instance);
	return err_msg(err, code, "invalid output path: directory \"%.*s\" does not exist",
		       n < 200 ? n : 200, dest->path);
}

/* Into a directory that exists */
static int into(const struct cp_side *src, const struct cp_side *dest, struct cp_target *ret,
		struct err *err)
{
	const struct eng_file *f = &dest->file;

	if (snprintf(ret->dir, sizeof(ret->dir), "%s/%s", f->dir, f->name) >= (int) sizeof(ret->dir))
		return err_set(err, -ENAMETOOLONG, "'%.100s...'", dest->typed);
	if (src->stream)
		memcpy(ret->as, ".", 2);
	else
		cp_name(src->path, ret->as);
	if (src->stream || !S_ISDIR(src->file.st.st_mode))
		return 0;
	_cleanup_close_ int dir = openat(f->parent, f->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && is_below(dir, &src->file.st))
		return err_msg(err, -ELOOP, "cannot copy directory '%.200s' into itself, '%.200s'",
			       src->typed, dest->typed);
	return 0;
}

/* As a name in a directory that exists */
static int as_name(const struct cp_side *src, const struct cp_side *dest, struct cp_target *ret,
		   struct err *err)
{
	const struct eng_file *f = &dest->file;
	bool is_dir = S_ISDIR(src->file.st.st_mode);

	if (f->exists && is_dir)
		return err_msg(err, -EEXIST, "cannot copy directory '%.200s' to the file '%.200s'",
			       src->typed, dest->typed);
	if (!is_dir && dest->path[strlen(dest->path) - 1] == '/')
		return err_msg(err, -ENOENT, "'%.200s': no such directory", dest->typed);
	if (is_dir && is_below(f->parent, &src->file.st))
		return err_msg(err, -ELOOP, "cannot copy directory '%.200s' into itself, '%.200s'",
			       src->typed, dest->typed);
	memcpy(ret->dir, f->dir, sizeof(ret->dir));
	memcpy(ret->as, f->name, sizeof(ret->as));
	return 0;
}

int cp_target(const struct cp_side *src, struct cp_side *dest, struct cp_target *ret,
	      struct err *err)
{
	const struct eng_file *f = &dest->file;
	struct stat st;
	int r;

	if (dest->instance == NULL && stat(dest->path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode))
		return err_msg(err, -EINVAL,
			       "invalid output path: \"%.200s\" must be a directory or a regular file",
			       dest->typed);
	r = eng_file_find(dest->root, dest->path, true, &dest->file);
	if (r < 0)
		return parent_missing(dest, r, err);
	if (f->exists && S_ISDIR(f->st.st_mode))
		return into(src, dest, ret, err);
	if (src->stream)
		return f->exists ? err_msg(err, -ENOTDIR,
					   "destination \"%.200s\" must be a directory", dest->typed)
				 : not_found(dest, -ENOENT, err);
	return as_name(src, dest, ret, err);
}

void cp_side_fini(struct cp_side *side)
{
	eng_file_fini(&side->file);
	cleanup_closep(&side->root);
	if (side->files.e != NULL)
		instance_files_fini(&side->files);
	free(side->instance);
}
