/* SPDX-License-Identifier: MIT */
/**
 * DOC: kernels from Debian's archive
 *
 * APT knows where packages are, and checks their signatures; it is asked to download one, nothing more.
 * linux-image-cloud-amd64 has no files: it depends on the package of the current kernel, by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"
#include "image/store.h"
#include "sys/proc.h"

#define ANSWER_MAX (1u << 20) /* bytes that apt-cache may print */
#define PACKAGE_MAX 200 /* bytes of a package's name */
#define PREFIX "linux-image-" /* of a package with a kernel */

extern char **environ;

/* Run a program in a directory.  @out: what it prints; NULL: to our standard error */
static int run(const char *const *argv, const char *dir, struct str *out, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int pipes[2] = { -1, -1 }, r, status;
	pid_t pid = 0;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	r = -posix_spawn_file_actions_init(&actions);
	if (r == 0)
		r = -posix_spawn_file_actions_addchdir_np(&actions, dir);
	if (r == 0)
		r = -posix_spawn_file_actions_adddup2(&actions, out != NULL ? pipes[1] : STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = -posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *) (uintptr_t) argv, environ);
	(void) posix_spawn_file_actions_destroy(&actions); /* memory */
	(void) close(pipes[1]); /* the child's */
	if (r < 0) {
		(void) close(pipes[0]); /* nothing was read */
		return r == -ENOENT ? err_msg(err, r,
					      "there is no program '%s': get a kernel another way, and use 'cleave kernel add'",
					      argv[0])
				    : err_set(err, r, "run '%s'", argv[0]);
	}
	r = out != NULL ? fd_read_str(pipes[0], ANSWER_MAX, out) : 0;
	(void) close(pipes[0]); /* was read */
	status = proc_wait(pid);
	if (r < 0)
		return err_set(err, r, "read what '%s' prints", argv[0]);
	if (status != 0)
		return err_msg(err, -EIO, "'%s %s' failed with status %d", argv[0], argv[1],
			       status < 0 ? status : proc_exit_code(status));
	return 0;
}

static bool is_package(const char *name, size_t n)
{
	return n > strlen(PREFIX) && n <= PACKAGE_MAX && strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.+-") >= n;
}

/* The first package with a kernel that the first "Depends:" names; @package itself if it names none */
static const char *real_package(const char *shown, const char *package, struct arena *arena)
{
	const char *p = strstr(shown, "\nDepends: "), *end;

	if (p == NULL)
		return package;
	p += strlen("\nDepends: ");
	end = p + strcspn(p, "\n");
	while (p < end) {
		size_t n = strcspn(p, " ,|\n(");

		if (is_package(p, n))
			return arena_strndup(arena, p, n);
		p += strcspn(p, ",|\n") + 1;
		p += strspn(p, " ");
	}
	return package;
}

static int resolve(const char *package, struct arena *arena, const char **ret, struct err *err)
{
	const char *const show[] = { "apt-cache", "show", "--no-all-versions", package, NULL };
	_cleanup_(str_fini) struct str text = { 0 };
	int r = is_package(package, strlen(package))
			? run(show, "/", &text, err)
			: err_msg(err, -EINVAL, "'%.200s' is no name of a package with a kernel (" PREFIX "...)", package);

	if (r == -EIO)
		return err_msg(err, -ENOENT, "APT knows no package '%s' (run 'apt-get update')", package);
	if (r < 0)
		return r;
	*ret = real_package(text.p != NULL ? text.p : "", package, arena);
	return *ret == NULL ? err_set(err, -ENOMEM, "find package '%s'", package) : 0;
}

/* The only file that was downloaded */
static int find_file(const char *dir, struct arena *arena, const char **ret, struct err *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;

	if (d == NULL)
		return err_set(err, -errno, "open '%s'", dir);
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n <= 4 || strcmp(e->d_name + n - 4, ".deb") != 0)
			continue;
		*ret = arena_printf(arena, "%s/%s", dir, e->d_name);
		return *ret == NULL ? err_set(err, -ENOMEM, "find the package") : 0;
	}
	return err_msg(err, -ENOENT, "apt-get downloaded nothing");
}

/* Without APT's own user, which may not write to our directory. */
static int download(struct engine *e, struct eng_kernel_new *new, struct arena *arena, const char **ret_name,
		    struct err *err)
{
	const char *const get[] = { "apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", new->source, NULL };
	struct img_work work;
	const char *dir;
	int r = img_work_begin(e->images, &work, err);

	if (r < 0)
		return r;
	dir = arena_printf(arena, "%s/tmp/%s", e->root, work.name);
	r = dir == NULL ? err_set(err, -ENOMEM, "fetch a kernel") : run(get, dir, NULL, err);
	if (r == 0)
		r = find_file(dir, arena, &new->file, err);
	if (r == 0)
		r = eng_kernel_add(e, new, arena, ret_name, err);
	img_work_end(&work);
	return r;
}

int eng_kernel_fetch(struct engine *e, const char *package, const char *name, struct arena *arena,
		     const char **ret_name, struct err *err)
{
	struct eng_kernel_new new = { .name = name };
	struct eng_kernel k;
	int r = resolve(package, arena, &new.source, err);

	if (r < 0)
		return r;
	*ret_name = name != NULL ? name : new.source + strlen(PREFIX);
	if (eng_kernel_find(e, *ret_name, arena, &k, NULL) == 0)
		return err_msg(err, -EEXIST, "kernel '%s' exists", *ret_name);
	return download(e, &new, arena, ret_name, err);
}
