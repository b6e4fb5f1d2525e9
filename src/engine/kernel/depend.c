/* SPDX-License-Identifier: MIT */
/**
 * DOC: which module needs which, and what for
 *
 * A module names those that it needs in a text "depends=a,b" of its section .modinfo, and what the kernel may ask for when it
 * wants it in texts "alias=PATTERN".  As depmod(8) does it, a line of modules.dep has the file of a module, and all that it
 * needs, so that their reverse order is one to load them in; and one of modules.alias "alias PATTERN MODULE".
 */
#include "engine/kernel/depend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/kernel/kernel.h"
#include "engine/kernel/payload.h"

#define DEPENDS_FILE "modules.dep"
#define ALIASES_FILE "modules.alias"
#define ALIAS_MAX 1024 /* bytes of one */
#define MODULE_MAX (64u << 20) /* bytes of one, unpacked */
#define DEPENDS_MAX 4096 /* bytes of the text */
#define NEEDS_MAX 256 /* modules that one needs, directly or not */
#define DEPTH_MAX 16
#define STEPS_MAX 4096 /* looked at for one module: circles end */

static const char depends_key[] = "\0depends=", alias_key[] = "\0alias="; /* texts of a section end with a zero */

struct module {
	const char *name, *path, *depends; /* name: with "_" for "-" */
};

struct collection {
	struct arena arena;
	struct module *v;
	size_t n;
	struct str aliases;
};

/* "kernel/a/b-c.ko.xz" is module "b_c"; NULL: it is no module, or no memory */
static char *module_name(struct arena *a, const char *file)
{
	const char *end = strstr(file, ".ko");
	char *name = end != NULL ? arena_strndup(a, file, (size_t) (end - file)) : NULL;

	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static const char *find_depends(struct arena *a, const char *data, size_t n)
{
	const char *p = memmem(data, n, depends_key, sizeof(depends_key) - 1);
	size_t left;

	if (p == NULL)
		return "";
	p += sizeof(depends_key) - 1;
	left = n - (size_t) (p - data);
	return arena_strndup(a, p, strnlen(p, left < DEPENDS_MAX ? left : DEPENDS_MAX));
}

/* Patterns are one word each: others are none. */
static void add_aliases(struct str *s, const char *data, size_t n, const char *module)
{
	const char *end = data + n, *p = data;

	while ((p = memmem(p, (size_t) (end - p), alias_key, sizeof(alias_key) - 1)) != NULL) {
		size_t left = (size_t) (end - (p += sizeof(alias_key) - 1)), k = strnlen(p, left < ALIAS_MAX ? left : ALIAS_MAX);

		if (k > 0 && k < ALIAS_MAX && k < left && strcspn(p, " \t\n") == k)
			str_printf(s, "alias %s %s\n", p, module);
	}
}

/* Of a file of a module, which may be compressed */
static int read_module(struct collection *c, int fd, const char *path, struct module *m, struct err *err)
{
	_cleanup_close_ int plain = -EBADF;
	struct stat st;
	uint64_t size;
	void *map;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "read module '%s'", path);
	m->depends = "";
	if (st.st_size == 0 || st.st_size > MODULE_MAX)
		return 0;
	size = (uint64_t) st.st_size;
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_set(err, -errno, "read module '%s'", path);
	if (strcmp(path + strlen(path) - 3, ".ko") != 0) {
		plain = memfd_create("module", MFD_CLOEXEC);
		r = plain < 0 ? err_set(err, -errno, "unpack module '%s'", path)
			      : kernel_decompress(map, size, path, plain, MODULE_MAX, &size, err);
		(void) munmap(map, (size_t) st.st_size); /* it is mapped */
		if (r < 0 || size == 0)
			return r;
		map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, plain, 0);
		if (map == MAP_FAILED)
			return err_set(err, -errno, "unpack module '%s'", path);
	}
	m->depends = find_depends(&c->arena, map, size);
	add_aliases(&c->aliases, map, size, m->name);
	(void) munmap(map, size); /* it is mapped */
	return m->depends == NULL ? err_set(err, -ENOMEM, "read module '%s'", path) : 0;
}

static int collect(struct collection *c, int fd, const char *path, int depth, struct err *err);

static int collect_one(struct collection *c, int dir, const char *path, const struct dirent *e, int depth,
		       struct err *err)
{
	const char *below = arena_printf(&c->arena, "%s%s%s", path, *path != '\0' ? "/" : "", e->d_name);
	struct module m = { .path = below };
	int fd, r;

	if (below == NULL)
		return err_set(err, -ENOMEM, "read the modules");
	if (e->d_type == DT_DIR) {
		fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? err_set(err, -errno, "open directory '%s' of the modules", below)
			      : collect(c, fd, below, depth + 1, err);
	}
	m.name = module_name(&c->arena, e->d_name);
	if (e->d_type != DT_REG || m.name == NULL || c->n == ENG_KERNEL_MODULES_MAX)
		return 0;
	_cleanup_close_ int file = openat(dir, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return err_set(err, -errno, "open module '%s'", below);
	r = read_module(c, file, below, &m, err);
	if (r == 0)
		c->v[c->n++] = m;
	return r;
}

/* Takes the descriptor. */
static int collect(struct collection *c, int fd, const char *path, int depth, struct err *err)
{
	_cleanup_closedir_ DIR *d = fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (d == NULL) {
		(void) close(fd); /* fdopendir() did not take it */
		return err_set(err, -ENOMEM, "read the modules");
	}
	while (r == 0 && depth <= DEPTH_MAX && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = collect_one(c, dirfd(d), path, e, depth, err);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct module *) a)->name, ((const struct module *) b)->name);
}

/* Add what @m needs, each once and behind all that need it: who comes again moves to the end. */
static void add_needs(const struct collection *c, const struct module *m, const struct module **list, size_t *n,
		      int depth, unsigned *steps)
{
	char text[DEPENDS_MAX + 1], *rest = text, *word;

	(void) snprintf(text, sizeof(text), "%s", m->depends); /* fits */
	while (depth <= DEPTH_MAX && *steps < STEPS_MAX && (word = strsep(&rest, ",")) != NULL) {
		struct module wanted = { .name = word };
		const struct module *found;
		size_t at = 0;

		(*steps)++;
		for (char *p = word; *p != '\0'; p++)
			if (*p == '-')
				*p = '_';
		found = *word != '\0' ? bsearch(&wanted, c->v, c->n, sizeof(*c->v), compare) : NULL;
		while (found != NULL && at < *n && list[at] != found)
			at++;
		if (found == NULL || (at == *n && *n == NEEDS_MAX))
			continue;
		if (at < *n)
			memmove(list + at, list + at + 1, (*n - at - 1) * sizeof(*list));
		else
			(*n)++;
		list[*n - 1] = found;
		add_needs(c, found, list, n, depth + 1, steps);
	}
}

static int write_list(int dir, const char *name, const struct str *s, struct err *err)
{
	int r = s->failed ? -ENOMEM : file_replace(dir, name, s->p != NULL ? s->p : "", s->len, 0644);

	return r < 0 ? err_set(err, r, "write %s", name) : 0;
}

static int write_depends(int dir, const struct collection *c, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	const struct module *list[NEEDS_MAX];

	for (size_t i = 0; i < c->n; i++) {
		unsigned steps = 0;
		size_t n = 0;

		add_needs(c, &c->v[i], list, &n, 0, &steps);
		str_printf(&s, "%s:", c->v[i].path);
		for (size_t k = 0; k < n; k++)
			str_printf(&s, " %s", list[k]->path);
		str_puts(&s, "\n");
	}
	return write_list(dir, DEPENDS_FILE, &s, err);
}

int kernel_depend_write(int dir, struct err *err)
{
	_cleanup_(arena_fini) struct arena table = { 0 };
	bool depends = faccessat(dir, DEPENDS_FILE, F_OK, 0) < 0, aliases = faccessat(dir, ALIASES_FILE, F_OK, 0) < 0;
	struct collection c = { 0 };
	int fd, r;

	if (!depends && !aliases)
		return 0;
	c.v = arena_alloc(&table, ENG_KERNEL_MODULES_MAX, sizeof(*c.v));
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.v == NULL || fd < 0) {
		cleanup_closep(&fd);
		return err_set(err, -ENOMEM, "read the modules");
	}
	r = collect(&c, fd, "", 0, err);
	if (r == 0)
		qsort(c.v, c.n, sizeof(*c.v), compare);
	if (r == 0 && c.n > 0 && depends)
		r = write_depends(dir, &c, err);
	if (r == 0 && c.n > 0 && aliases)
		r = write_list(dir, ALIASES_FILE, &c.aliases, err);
	str_fini(&c.aliases);
	arena_fini(&c.arena);
	return r;
}
