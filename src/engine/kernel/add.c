/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/kernel/depend.h"
#include "engine/kernel/kernel.h"
#include "engine/kernel/kernel_parts.h"
#include "engine/kernel/modules.h"
#include "engine/kernel/package.h"
#include "engine/kernel/payload.h"
#include "image/store.h"

/* A kernel that is being made in @dir. */
struct making {
	const struct eng_kernel_new *new;
	int dir;
	struct kernel_image image;
	struct kernel_modules modules;
};

static int create(int dir, const char *name, struct err *err)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? err_set(err, -errno, "create a file in the store") : fd;
}

/* The kernel file of a package is a file of the store for a moment. */
static int unpack_package(struct making *m, int file, struct err *err)
{
	_cleanup_close_ int kernel = create(m->dir, "vmlinuz", err), image = create(m->dir, "image", err);
	int r = kernel < 0 ? kernel : image < 0 ? image : 0;

	if (r == 0 && m->new->modules != NULL)
		r = err_msg(err, -EINVAL, "'%s' is a package, which has its own modules", m->new->file);
	if (r == 0)
		r = kernel_package_unpack(file, m->new->file, kernel, &m->modules, err);
	if (r == 0)
		r = kernel_unpack(kernel, m->new->file, image, &m->image, err);
	if (r == 0 && unlinkat(m->dir, "vmlinuz", 0) < 0)
		r = err_set(err, -errno, "remove a file of the store");
	return r;
}

static int unpack_file(struct making *m, int file, struct err *err)
{
	_cleanup_close_ int image = create(m->dir, "image", err);
	int r = image < 0 ? image : kernel_unpack(file, m->new->file, image, &m->image, err);

	return r == 0 && m->new->modules != NULL ? kernel_modules_copy(&m->modules, m->new->modules, err) : r;
}

static int unpack(struct making *m, struct err *err)
{
	_cleanup_close_ int file = open(m->new->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), modules = -EBADF;
	struct stat st;
	int r;

	if (file < 0 || fstat(file, &st) < 0)
		return err_set(err, -errno, "open '%s'", m->new->file);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -ENOEXEC, "'%s' is no regular file", m->new->file);
	if (mkdirat(m->dir, "modules", 0755) < 0 ||
	    (modules = openat(m->dir, "modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_set(err, -errno, "create a directory in the store");
	m->modules.dir = modules;
	r = kernel_package_matches(file) ? unpack_package(m, file, err) : unpack_file(m, file, err);
	m->modules.dir = -EBADF;
	return r == 0 ? kernel_depend_write(modules, err) : r;
}

static int write_json(const struct making *m, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r;

	json_open(&s, NULL, '{');
	json_text(&s, "release", m->image.release);
	json_text(&s, "version", m->image.version);
	json_text(&s, "source", m->new->source != NULL ? m->new->source : m->new->file);
	json_text(&s, "format", m->image.elf ? "elf" : "bzimage");
	json_uint(&s, "size", m->image.size);
	json_uint(&s, "modules", m->modules.modules);
	json_int(&s, "created", time_now_ns());
	json_close(&s, '}');
	if (s.len > KERNEL_JSON_MAX)
		return err_msg(err, -EFBIG, "what is known of the kernel has more than %d bytes", KERNEL_JSON_MAX);
	r = s.failed ? -ENOMEM : file_replace(m->dir, "kernel.json", s.p, s.len, 0644);
	return r < 0 ? err_set(err, r, "write what is known of the kernel") : 0;
}

static int choose_name(const struct making *m, struct arena *arena, const char **ret, struct err *err)
{
	const char *name = m->new->name != NULL ? m->new->name : m->image.release;

	if (*name == '\0')
		return err_msg(err, -EINVAL, "kernel '%s' does not say its release: give it a name with --name",
			       m->new->file);
	*ret = arena_strdup(arena, name);
	return *ret == NULL ? err_set(err, -ENOMEM, "add a kernel") : kernel_name_check(name, err);
}

static int make(struct engine *e, const struct eng_kernel_new *new, const struct img_work *work, struct arena *arena,
		const char **ret_name, struct err *err)
{
	_cleanup_close_ int kernels = kernel_dir_open(e, err);
	struct making m = { .new = new };
	struct eng_kernel old;
	int r;

	if (kernels < 0)
		return kernels;
	if (mkdirat(work->dir, "kernel", 0755) < 0)
		return err_set(err, -errno, "create a directory in the store");
	_cleanup_close_ int dir = openat(work->dir, "kernel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open a directory in the store");
	m.dir = dir;
	r = unpack(&m, err);
	if (r == 0)
		r = choose_name(&m, arena, ret_name, err);
	if (r == 0)
		r = write_json(&m, err);
	if (r == 0)
		r = img_work_sync(work, err);
	if (r < 0)
		return r;
	if (renameat(work->dir, "kernel", kernels, *ret_name) < 0)
		return errno == EEXIST || errno == ENOTEMPTY
			       ? err_msg(err, -EEXIST, "kernel '%s' exists", *ret_name)
			       : err_set(err, -errno, "store kernel '%s'", *ret_name);
	if (fsync(kernels) < 0)
		return err_set(err, -errno, "write kernel '%s' to disk", *ret_name);
	return eng_kernel_find(e, NULL, arena, &old, NULL) < 0 ? eng_kernel_set_default(e, *ret_name, err) : 0;
}

int eng_kernel_add(struct engine *e, const struct eng_kernel_new *new, struct arena *arena,
		   const char **ret_name, struct err *err)
{
	struct img_work work;
	int r = new->name != NULL ? kernel_name_check(new->name, err) : 0;

	if (r == 0)
		r = img_work_begin(e->images, &work, err);
	if (r < 0)
		return r;
	r = make(e, new, &work, arena, ret_name, err);
	img_work_end(&work);
	return r;
}
