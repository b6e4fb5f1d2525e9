/* SPDX-License-Identifier: MIT */
/**
 * DOC: modules that the kernel asks for
 *
 * A file system that is mounted, a device that is opened, a rule of a packet filter: when their driver is not there, the kernel runs
 * the program of /proc/sys/kernel/modprobe, outside of the instance, with the name or an alias of a module.  That is this
 * program.  The host shares the modules with their lists modules.alias ("alias PATTERN MODULE") and modules.dep ("FILE: FILE
 * ...", which it needs, the first last); nothing of that is in memory before.
 */
#include "guest/modprobe.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest/os.h"
#include "guest/proto/proto.h"

#define DIR "/modules"
#define LIST_MAX (16u << 20) /* bytes */
#define PATH_SIZE 512

/* A part of a text */
struct part {
	const char *p;
	size_t n;
};

struct lists {
	struct part aliases, needs;
};

/* The file as a whole; it is never given back: this process ends soon. */
static int read_list(const char *path, struct part *ret)
{
	struct stat st;
	long e = OS4(__NR_newfstatat, AT_FDCWD, path, &st, 0);
	char *text;

	if (e < 0)
		return (int) e;
	if (st.st_size > LIST_MAX)
		return -EFBIG;
	text = os_alloc((size_t) st.st_size + 1);
	if (text == NULL)
		return -ENOMEM;
	e = os_read_file(path, text, (size_t) st.st_size + 1);
	*ret = (struct part) { text, e > 0 ? (size_t) e : 0 };
	return e < 0 ? (int) e : 0;
}

/* The next piece up to one of two characters, which is left out */
static bool next(struct part *rest, char end, char or, struct part *ret)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] != end && rest->p[n] != or)
		n++;
	*ret = (struct part) { rest->p, n };
	rest->p += n;
	rest->n -= n;
	if (rest->n == 0)
		return n > 0;
	rest->p++;
	rest->n--;
	return true;
}

static char same(char c)
{
	return c == '-' ? '_' : c; /* modules are called both ways */
}

/* "[a-c]"; @p behind the bracket; ret: behind the other one */
static bool in_set(struct part *p, char c)
{
	bool found = false;

	for (; p->n > 0 && *p->p != ']'; p->p++, p->n--) {
		bool range = p->n > 2 && p->p[1] == '-' && p->p[2] != ']';

		found = found || *p->p == c || (range && *p->p <= c && c <= p->p[2]);
		if (range) {
			p->p += 2;
			p->n -= 2;
		}
	}
	if (p->n > 0) {
		p->p++;
		p->n--;
	}
	return found;
}

/* As of fnmatch(3): the last "*" takes one more when what follows does not fit */
static bool matches(struct part pattern, const char *text)
{
	struct part star = { 0 };
	const char *from = NULL;

	while (*text != '\0') {
		struct part p = pattern;
		char c = p.n > 0 ? *p.p : '\0';

		if (c == '*') {
			star = pattern = (struct part) { p.p + 1, p.n - 1 };
			from = text;
			continue;
		}
		p.p++;
		p.n -= p.n > 0;
		if (pattern.n > 0 && (c == '?' || (c == '[' ? in_set(&p, *text) : same(c) == same(*text)))) {
			pattern = p;
			text++;
			continue;
		}
		if (from == NULL)
			return false;
		pattern = star;
		text = ++from;
	}
	while (pattern.n > 0 && *pattern.p == '*')
		pattern = (struct part) { pattern.p + 1, pattern.n - 1 };
	return pattern.n == 0;
}

/* "kernel/fs/a-b.ko.xz" is the module "a_b". */
static bool is_module(struct part path, struct part name)
{
	size_t from = path.n;

	while (from > 0 && path.p[from - 1] != '/')
		from--;
	if (path.n - from < name.n + 3 || path.p[from + name.n] != '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (same(path.p[from + i]) != same(name.p[i]))
			return false;
	return true;
}

static int load_file(struct part path)
{
	char full[PATH_SIZE] = DIR "/";
	bool plain = path.n > 3 && path.p[path.n - 1] == 'o';
	long fd, r;

	if (sizeof(DIR) + path.n >= sizeof(full))
		return -ENAMETOOLONG;
	__builtin_memcpy(full + sizeof(DIR), path.p, path.n);
	full[sizeof(DIR) + path.n] = '\0';
	fd = os_open(full, O_RDONLY, 0);
	if (fd < 0)
		return (int) fd;
	r = OS3(__NR_finit_module, fd, "", plain ? 0 : MODULE_INIT_COMPRESSED_FILE);
	(void) sys_close((int) fd); /* read only */
	return r == -EEXIST ? 0 : (int) r;
}

/* What is needed stands behind it, the first to load last. */
static int load_line(struct part line)
{
	struct part file, needs, piece;
	int r = 0;

	if (!next(&line, ':', ':', &file))
		return -EINVAL;
	while (line.n > 0) {
		needs = line;
		while (needs.n > 0 && needs.p[needs.n - 1] != ' ')
			needs.n--;
		piece = (struct part) { line.p + needs.n, line.n - needs.n };
		line.n = needs.n > 0 ? needs.n - 1 : 0;
		if (piece.n > 0 && (r = load_file(piece)) < 0)
			return r;
	}
	return load_file(file);
}

static int load(const struct lists *l, struct part module)
{
	struct part rest = l->needs, line;

	while (next(&rest, '\n', '\n', &line)) {
		struct part copy = line, file;

		if (next(&copy, ':', ':', &file) && is_module(file, module))
			return load_line(line);
	}
	return -ENOENT;
}

/* The directory is mounted when it is wanted first; two that do so at once harm nobody. */
static int open_lists(struct lists *l)
{
	int r = read_list(DIR "/modules.dep", &l->needs);

	if (r == -ENOENT) {
		r = (int) os_mkdir(DIR, 0700);
		if (r == 0 || r == -EEXIST)
			r = (int) os_mount(GUEST_MODULES, DIR, "virtiofs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
		if (r == 0)
			r = read_list(DIR "/modules.dep", &l->needs);
	}
	if (r == 0)
		(void) read_list(DIR "/modules.alias", &l->aliases); /* without it there are names only */
	return r;
}

int modprobe(const char *name)
{
	struct lists l = { 0 };
	struct part rest, line, word, pattern, module;
	int r = open_lists(&l), found = r == 0 ? load(&l, (struct part) { name, text_len(name) }) : r;

	for (rest = l.aliases; next(&rest, '\n', '\n', &line);)
		if (next(&line, ' ', '\t', &word) && next(&line, ' ', '\t', &pattern) && next(&line, ' ', '\t', &module) && matches(pattern, name)) {
			r = load(&l, module);
			found = found != 0 ? r : 0;
		}
	return found;
}
