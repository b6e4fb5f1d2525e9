/* SPDX-License-Identifier: MIT */
/**
 * DOC: initramfs
 *
 * A cpio archive ("newc") in memory, made at every start: reading some modules takes less time than
 * looking after a cache would take code.
 */
#include "engine/vm/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/kernel/payload.h"
#include "sys/exe.h"

#define PROGRAM_MAX (1u << 20) /* bytes */
#define MODULE_MAX (64u << 20) /* bytes of one */
#define DEP_MAX (16u << 20) /* bytes of modules.dep */
#define MODULES_MAX 256
#define SIGNED "~Module signature appended~\n"
#define SIGNATURE_INFO 12u /* bytes in front of that; the last four are the signature's size, big-endian */

struct making {
	struct str out;
	unsigned files;
	int dir; /* of the modules */
	const char *dep, *builtin;
	const char *loaded[MODULES_MAX];
	size_t nr_loaded;
	struct arena arena;
};

static void pad(struct str *s)
{
	static const char zero[4];

	str_add(s, zero, -s->len & 3);
}

static void add_entry(struct making *m, const char *name, unsigned mode, unsigned device, const void *data, size_t n)
{
	str_printf(&m->out, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", ++m->files, mode, 0u, 0u,
		   1u, 0u, n, 0u, 0u, device >> 8, device & 255, strlen(name) + 1, 0u);
	str_add(&m->out, name, strlen(name) + 1);
	pad(&m->out);
	str_add(&m->out, data, n);
	pad(&m->out);
}

static int add_program(struct making *m, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[PATH_MAX];
	int r = exe_helper("cleave-guest", path, sizeof(path));

	if (r == 0)
		r = file_read(AT_FDCWD, path, PROGRAM_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read the program '%s'", path);
	add_entry(m, "dev", S_IFDIR | 0755, 0, NULL, 0);
	add_entry(m, "dev/console", S_IFCHR | 0600, 5 << 8 | 1, NULL, 0);
	add_entry(m, "m", S_IFDIR | 0755, 0, NULL, 0);
	add_entry(m, "init", S_IFREG | 0755, 0, text.p, text.len);
	return 0;
}

/* "a/b-c.ko.xz" is the module "b_c" */
static bool is_module(const char *path, size_t n, const char *name)
{
	size_t from = n, len = strlen(name);

	while (from > 0 && path[from - 1] != '/')
		from--;
	if (n - from < len + 3 || strncmp(path + from + len, ".ko", 3) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[from + i] != name[i] && !(path[from + i] == '-' && name[i] == '_'))
			return false;
	return true;
}

/* Bytes of a module without its signature */
static size_t unsigned_size(const uint8_t *p, size_t n)
{
	size_t tail = strlen(SIGNED) + SIGNATURE_INFO, signature;
	const uint8_t *size;

	if (n < tail || memcmp(p + n - strlen(SIGNED), SIGNED, strlen(SIGNED)) != 0)
		return n;
	size = p + n - strlen(SIGNED) - 4;
	signature = (size_t) size[0] << 24 | (size_t) size[1] << 16 | (size_t) size[2] << 8 | size[3];
	return signature <= n - tail ? n - tail - signature : n;
}

static int decompress(struct str *s, const char *path, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("module", MFD_CLOEXEC);
	_cleanup_(str_fini) struct str plain = { 0 };
	uint64_t size;
	int r = fd < 0 ? err_set(err, -errno, "decompress module '%s'", path)
		       : kernel_decompress(s->p, s->len, path, fd, MODULE_MAX, &size, err);

	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_str(fd, MODULE_MAX, &plain) < 0)
		return err_set(err, -EIO, "decompress module '%s'", path);
	str_fini(s);
	*s = plain;
	plain = (struct str) { 0 };
	return 0;
}

static int add_file(struct making *m, const char *path, size_t n, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char name[32];
	const char *copy = arena_strndup(&m->arena, path, n);
	int r;

	for (size_t i = 0; copy != NULL && i < m->nr_loaded; i++)
		if (strcmp(m->loaded[i], copy) == 0)
			return 0;
	if (copy == NULL || m->nr_loaded == MODULES_MAX)
		return err_set(err, copy == NULL ? -ENOMEM : -E2BIG, "collect kernel modules");
	r = file_read(m->dir, copy, MODULE_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read kernel module '%s'", copy);
	if (text.len > 0 && !str_eq(copy + strlen(copy) - 3, ".ko"))
		r = decompress(&text, copy, err);
	if (r < 0)
		return r;
	(void) snprintf(name, sizeof(name), "m/%zu", m->nr_loaded);
	add_entry(m, name, S_IFREG | 0644, 0, text.p, unsigned_size((const uint8_t *) text.p, text.len));
	m->loaded[m->nr_loaded++] = copy;
	return 0;
}

/* A line of modules.dep: "module: what it needs ...", the last of those first. */
static int add_line(struct making *m, const char *line, size_t n, struct err *err)
{
	size_t colon = (size_t) ((const char *) memchr(line, ':', n) - line), end = n;
	int r = 0;

	while (r == 0 && end > colon + 1) {
		size_t from = end;

		while (from > colon + 1 && line[from - 1] != ' ')
			from--;
		if (end > from)
			r = add_file(m, line + from, end - from, err);
		end = from - 1;
	}
	return r == 0 ? add_file(m, line, colon, err) : r;
}

static int add_module(struct making *m, const char *name, struct err *err)
{
	for (const char *line = m->dep; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "\n"), colon = strcspn(line, ":\n");

		if (colon < n && is_module(line, colon, name))
			return add_line(m, line, n, err);
	}
	for (const char *line = m->builtin; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (is_module(line, strcspn(line, "\n"), name))
			return 0;
	return err_msg(err, -ENOENT, "the kernel has no module '%s', which virtual machines need", name);
}

static int read_list(int dir, const char *name, struct str *ret, struct err *err)
{
	int r = file_read(dir, name, DEP_MAX, ret);

	str_puts(ret, ""); /* a text, also when it is empty */
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read '%s' of the kernel", name);
	return ret->failed ? err_set(err, -ENOMEM, "collect kernel modules") : 0;
}

static int write_out(struct making *m, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("initramfs", MFD_CLOEXEC);
	int r;

	m->files = 0;
	add_entry(m, "TRAILER!!!", 0, 0, NULL, 0);
	r = m->out.failed ? -ENOMEM : fd < 0 ? -errno : fd_write_full(fd, m->out.p, m->out.len);
	return r < 0 ? err_set(err, r, "make an initramfs") : take_fd(fd);
}

static int make(struct making *m, const char *const *names, struct err *err)
{
	_cleanup_(str_fini) struct str dep = { 0 }, builtin = { 0 };
	int r = read_list(m->dir, "modules.dep", &dep, err);

	if (r == 0)
		r = read_list(m->dir, "modules.builtin", &builtin, err);
	if (r == 0)
		r = add_program(m, err);
	m->dep = dep.p != NULL ? dep.p : "";
	m->builtin = builtin.p != NULL ? builtin.p : "";
	/* a kernel without modules has all there is built in */
	for (; r == 0 && m->dep[0] != '\0' && *names != NULL; names++)
		r = add_module(m, *names, err);
	return r == 0 ? write_out(m, err) : r;
}

int vm_initramfs_make(int modules, const char *const *names, struct err *err)
{
	struct making m = { .dir = modules };
	int r = make(&m, names, err);

	str_fini(&m.out);
	arena_fini(&m.arena);
	return r;
}
