/* SPDX-License-Identifier: MIT */
/**
 * DOC: kernels of the store
 *
 * The directory is the list: a kernel appears by one rename and goes by one.  The default is a name in a
 * file; one that names a kernel which is gone is no default.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"
#include "engine/kernel/kernel_parts.h"
#include "image/store.h"

#define KERNELS_MAX 4096
#define DEFAULT_FILE ".default"

int kernel_name_check(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > ENG_KERNEL_NAME_MAX || strchr("._+~-", name[0]) != NULL ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-") != n)
		return err_msg(err, -EINVAL,
			       "invalid kernel name '%.200s': up to %d letters, digits and ._+~-, a letter or digit first",
			       name, ENG_KERNEL_NAME_MAX);
	return 0;
}

int kernel_dir_open(const struct engine *e, struct err *err)
{
	int fd;

	if (mkdirat(e->root_fd, "kernels", 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory 'kernels' of the store");
	fd = openat(e->root_fd, "kernels", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open directory 'kernels' of the store") : fd;
}

const char *eng_kernel_path(const struct engine *e, const char *name, struct arena *arena)
{
	return arena_printf(arena, "%s/kernels/%s", e->root, name);
}

/* "" without one */
static int read_default(int dir, char ret[ENG_KERNEL_NAME_MAX + 1], struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r = file_read(dir, DEFAULT_FILE, ENG_KERNEL_NAME_MAX, &s);

	ret[0] = '\0';
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "read which kernel is the default");
	if (s.len > 0 && kernel_name_check(s.p, NULL) == 0)
		memcpy(ret, s.p, s.len + 1);
	return 0;
}

static const char *text_of(struct json_in *in, const char *key)
{
	const char *s = json_get_str(in, in->root, key);

	return s != NULL ? s : "";
}

static int read_kernel(int dir, const char *name, const char *is_default, struct arena *arena, struct eng_kernel *ret,
		       struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char path[ENG_KERNEL_NAME_MAX + 16];
	struct json_in in;
	int r;

	(void) snprintf(path, sizeof(path), "%s/kernel.json", name); /* checked: fits */
	r = file_read(dir, path, KERNEL_JSON_MAX, &s);
	if (r < 0)
		return r == -ENOENT ? err_msg(err, r, "no such kernel '%s' (see 'cleave kernel ls')", name)
				    : err_set(err, r, "read '%s' of the kernels", path);
	r = json_parse(&in, "kernel.json", arena, s.p, s.len, err);
	if (r == 0 && json_to_object(&in, in.root)) {
		*ret = (struct eng_kernel) {
			.name = arena_strdup(arena, name),
			.release = text_of(&in, "release"),
			.version = text_of(&in, "version"),
			.source = text_of(&in, "source"),
			.format = text_of(&in, "format"),
			.is_default = strcmp(name, is_default) == 0,
		};
		json_get_u64(&in, in.root, "size", UINT64_MAX, &ret->size);
		json_get_u64(&in, in.root, "modules", UINT64_MAX, &ret->modules);
		json_get_i64(&in, in.root, "created", 0, INT64_MAX, &ret->created);
	}
	if (r == 0)
		r = in.code == 0 && ret->name == NULL ? err_set(err, -ENOMEM, "list kernels") : in.code;
	json_fini(&in);
	return r < 0 ? err_wrap(err, r, "kernel '%s'", name) : 0;
}

int eng_kernel_find(struct engine *e, const char *name, struct arena *arena, struct eng_kernel *ret,
		    struct err *err)
{
	_cleanup_close_ int dir = kernel_dir_open(e, err);
	char chosen[ENG_KERNEL_NAME_MAX + 1];
	int r = dir < 0 ? dir : name != NULL ? kernel_name_check(name, err) : 0;

	if (r == 0)
		r = read_default(dir, chosen, err);
	if (r == 0 && name == NULL && chosen[0] == '\0')
		r = err_msg(err, -ENOENT, "there is no default kernel: get one with 'cleave kernel fetch'");
	return r < 0 ? r : read_kernel(dir, name != NULL ? name : chosen, chosen, arena, ret, err);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct eng_kernel *) a)->name, ((const struct eng_kernel *) b)->name);
}

int eng_kernel_list(struct engine *e, struct arena *arena, struct eng_kernel **ret, struct err *err)
{
	int fd = kernel_dir_open(e, err), n = 0, r;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct eng_kernel *list = arena_alloc(arena, KERNELS_MAX, sizeof(*list));
	char chosen[ENG_KERNEL_NAME_MAX + 1];
	const struct dirent *entry;

	if (fd < 0)
		return fd;
	if (d == NULL || list == NULL) {
		if (d == NULL)
			(void) close(fd); /* fdopendir() did not take it */
		return err_set(err, -ENOMEM, "list kernels");
	}
	r = read_default(fd, chosen, err);
	while (r == 0 && (entry = readdir(d)) != NULL) {
		struct err why = { 0 };

		if (kernel_name_check(entry->d_name, NULL) < 0)
			continue;
		if (n == KERNELS_MAX)
			return err_msg(err, -EFBIG, "there are more than %d kernels", KERNELS_MAX);
		r = read_kernel(dirfd(d), entry->d_name, chosen, arena, &list[n], &why);
		if (r == -ENOENT) /* removed meanwhile */
			r = 0;
		else if (r < 0)
			*(err != NULL ? err : &why) = why;
		else
			n++;
	}
	if (r < 0)
		return r;
	qsort(list, (size_t) n, sizeof(*list), compare);
	*ret = list;
	return n;
}

int eng_kernel_set_default(struct engine *e, const char *name, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_close_ int dir = -EBADF;
	struct eng_kernel k;
	int r = eng_kernel_find(e, name, &a, &k, err);

	if (r < 0)
		return r;
	dir = kernel_dir_open(e, err);
	if (dir < 0)
		return dir;
	r = file_replace(dir, DEFAULT_FILE, name, strlen(name), 0644);
	return r < 0 ? err_set(err, r, "make '%s' the default kernel", name) : 0;
}

int eng_kernel_remove(struct engine *e, const char *name, struct err *err)
{
	_cleanup_close_ int dir = kernel_dir_open(e, err);
	struct img_work work;
	int r = dir < 0 ? dir : kernel_name_check(name, err);

	if (r == 0)
		r = img_work_begin(e->images, &work, err);
	if (r < 0)
		return r;
	if (renameat(dir, name, work.dir, "kernel") < 0)
		r = errno == ENOENT ? err_msg(err, -ENOENT, "no such kernel '%s' (see 'cleave kernel ls')", name)
				    : err_set(err, -errno, "remove kernel '%s'", name);
	img_work_end(&work);
	return r;
}
