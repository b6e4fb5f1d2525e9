/* SPDX-License-Identifier: MIT */
/**
 * DOC: path resolution inside a root
 *
 * The input is a script of lines that first builds a tree in a temporary root and then resolves in
 * it: d PATH          make a directory, as text below the root f PATH          make an empty file
 *   l TARGET PATH   make a symbolic link
 *   o PATH          path_open()
 *   p PATH          path_open_plain()
 *   m PATH          path_make() a directory
 *   r PATH          path_make() a file
 *   n PATH          path_make_parent()
 * Whatever is in it, what is opened lies below the root, nothing appears beside the root, and
 * path_clean() returns clean paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fuzz.h"
#include "sys/path.h"

#define LINES_MAX 64

static void need(bool holds)
{
	if (!holds)
		abort();
}

struct tree {
	char top[64];    /* holds "root" only */
	char prefix[80]; /* host path of the root */
	int fd;
};

static void check_fd(const struct tree *t, int fd)
{
	char link[64], path[PATH_MAX + 1];
	ssize_t n;

	if (fd < 0)
		return;
	(void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	(void) close(fd);
	if (n < 0) { /* the kernel cannot print paths as long as it can open */
		need(errno == ENAMETOOLONG);
		return;
	}
	path[n] = '\0';
	need(path_below(t->prefix, path) != NULL);
}

static void check_clean(const char *path)
{
	char clean[PATH_MAX];
	int n = path_clean(path, clean, sizeof(clean));

	if (n < 0)
		return;
	need(clean[0] == '/' && strlen(clean) == (size_t) n);
	need(n == 1 || clean[n - 1] != '/');
	for (const char *p = clean; *p != '\0'; p++) {
		size_t len = strcspn(p + 1, "/");

		if (*p != '/' || n == 1)
			continue;
		need(len > 0 && !(len == 1 && p[1] == '.') &&
		     !(len == 2 && p[1] == '.' && p[2] == '.'));
	}
}

/* Building: plain paths only, the kernel resolves them below the root */
static void build(const struct tree *t, char verb, char *arg)
{
	char name[NAME_MAX + 1], *space = strchr(arg, ' ');
	const char *path = verb == 'l' && space != NULL ? space + 1 : arg;
	int dir = path_make_parent(t->fd, path, name);

	if (dir < 0)
		return;
	if (verb == 'd') {
		(void) mkdirat(dir, name, 0755); /* it may exist */
	} else if (verb == 'f') {
		int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

		cleanup_closep(&fd);
	} else if (space != NULL) {
		*space = '\0';
		(void) symlinkat(arg, dir, name); /* it may exist */
	}
	check_fd(t, dir);
}

static void run_line(const struct tree *t, char *line)
{
	char name[NAME_MAX + 1], *arg = line + 2;

	if (strlen(line) < 3 || line[1] != ' ')
		return;
	check_clean(arg);
	switch (line[0]) {
	case 'd':
	case 'f':
	case 'l':
		build(t, line[0], arg);
		break;
	case 'o':
		check_fd(t, path_open(t->fd, arg, O_PATH));
		break;
	case 'p':
		check_fd(t, path_open_plain(t->fd, arg, O_PATH));
		break;
	case 'm':
		check_fd(t, path_make(t->fd, arg, S_IFDIR));
		break;
	case 'r':
		check_fd(t, path_make(t->fd, arg, S_IFREG));
		break;
	case 'n':
		check_fd(t, path_make_parent(t->fd, arg, name));
		break;
	default:
		break;
	}
}

static void run_script(const struct tree *t, char *script)
{
	char *save = NULL;
	int lines = 0;

	for (char *line = strtok_r(script, "\n", &save); line != NULL && lines < LINES_MAX;
	     lines++) {
		run_line(t, line);
		line = strtok_r(NULL, "\n", &save);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree t = { .top = "/tmp/fuzz_path.XXXXXX" };
	char *script = malloc(size + 1);

	if (script == NULL || mkdtemp(t.top) == NULL)
		abort();
	memcpy(script, data, size);
	script[size] = '\0';
	(void) snprintf(t.prefix, sizeof(t.prefix), "%s/root", t.top);
	need(mkdir(t.prefix, 0755) == 0);
	t.fd = open(t.prefix, O_PATH | O_DIRECTORY | O_CLOEXEC);
	need(t.fd >= 0);
	run_script(&t, script);
	(void) close(t.fd);                    /* O_PATH */
	(void) dir_remove(AT_FDCWD, t.prefix); /* checked by the next line */
	need(rmdir(t.top) == 0);               /* nothing else was made there */
	free(script);
	return 0;
}
