/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/instance.h"
#include "engine/rootless.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "image/store.h"

#define PATH_LIMIT 2048 /* bytes; leaves room for names below */

static const char *const schema[] = { IMG_SCHEMA ENG_SCHEMA, ENG_VOLUME_SCHEMA, ENG_USERNS_SCHEMA,
					     IMG_PULLED_SCHEMA, ENG_NETWORK_SCHEMA, ENG_NETWORK_SERVERS_SCHEMA,
					     ENG_NETWORK_AUX_SCHEMA };

static const char *default_root(struct arena *a)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return "/var/lib/cleave";
	if (data != NULL && data[0] == '/')
		return arena_printf(a, "%s/cleave", data);
	return home != NULL ? arena_printf(a, "%s/.local/share/cleave", home) : "/var/lib/cleave";
}

/* What logind makes is used also where the environment does not say so, as behind su(1). */
static const char *default_runroot(struct arena *a)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return "/run/cleave";
	if (run == NULL || run[0] != '/')
		run = arena_printf(a, "/run/user/%u", geteuid());
	if (run != NULL && access(run, W_OK) == 0)
		return arena_printf(a, "%s/cleave", run);
	return arena_printf(a, "/tmp/cleave-%u", geteuid());
}

/* Given, or from the environment, or the default; made absolute, created. */
static int open_dir(const char *given, const char *variable, const char *fallback, char **ret_path,
		    int *ret_fd, struct err *err)
{
	char cwd[PATH_MAX], path[PATH_MAX + PATH_LIMIT];
	int r;

	if (given == NULL)
		given = getenv(variable);
	if (given == NULL || *given == '\0')
		given = fallback;
	if (given == NULL)
		return err_set(err, -ENOMEM, "open the store");
	if (strlen(given) > PATH_LIMIT)
		return err_msg(err, -ENAMETOOLONG, "%s: the path is over %d bytes", variable,
			       PATH_LIMIT);
	if (given[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set(err, -errno, "find the working directory");
	(void) snprintf(path, sizeof(path), "%s%s%s", given[0] != '/' ? cwd : "",
			given[0] != '/' ? "/" : "", given);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = errno == ENOENT ? dir_make_all(path, 0700) : -errno;
		if (r < 0)
			return err_set(err, r,
				       "create directory '%s' (set another with --root, --runroot)",
				       path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, -errno, "open directory '%s'", path);
	}
	*ret_path = strdup(path);
	if (*ret_path == NULL)
		return err_set(err, -ENOMEM, "open the store");
	*ret_fd = take_fd(fd);
	return 0;
}

/* In /tmp somebody else may have been first. */
static int check_private(const struct engine *e, struct err *err)
{
	struct stat st;

	if (geteuid() == 0)
		return 0;
	if (fstat(e->run_fd, &st) < 0)
		return err_set(err, -errno, "stat '%s'", e->runroot);
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return err_msg(err, -EPERM,
			       "directory '%s' belongs to user %u with mode %04o: it must be yours, and nobody else may write to it",
			       e->runroot, st.st_uid, st.st_mode & 07777);
	return 0;
}

static int open_all(struct engine *e, const char *root, const char *runroot, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	char path[PATH_MAX];
	int r = open_dir(root, "CLEAVE_ROOT", default_root(&a), &e->root, &e->root_fd, err);

	if (r == 0)
		r = open_dir(runroot, "CLEAVE_RUNROOT", default_runroot(&a), &e->runroot,
			     &e->run_fd, err);
	if (r == 0)
		r = check_private(e, err);
	if (r == 0)
		r = eng_rootless_enter(e, err);
	if (r < 0)
		return r;
	/* it holds command lines, and the database's other files get the permissions of this one */
	_cleanup_close_ int fd = openat(e->root_fd, "state.db",
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return err_set(err, -errno, "create '%s/state.db'", e->root);
	(void) snprintf(path, sizeof(path), "%s/state.db", e->root); /* fits: PATH_LIMIT */
	r = db_open(path, schema, ARRAY_LEN(schema), &e->db, err);
	return r < 0 ? r : img_store_open(e->root, e->db, &e->images, err);
}

int eng_open(const char *root, const char *runroot, const char *monitor, struct engine **ret,
	     struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (e == NULL)
		return err_set(err, -ENOMEM, "open the store");
	e->root_fd = e->run_fd = e->keeper = e->netns = e->rules = -EBADF;
	e->monitor = strdup(monitor);
	e->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (e->monitor == NULL)
		return err_set(err, -ENOMEM, "open the store");
	if (e->program < 0)
		return err_set(err, -errno, "open /proc/self/exe");
	r = open_all(e, root, runroot, err);
	if (r == 0)
		*ret = take_ptr(e);
	return r;
}

void eng_close(struct engine *e)
{
	if (e == NULL)
		return;
	eng_net_free(e->net);
	img_store_free(e->images);
	db_close(e->db);
	eng_rootless_leave(e);
	cleanup_closep(&e->root_fd);
	cleanup_closep(&e->run_fd);
	cleanup_closep(&e->program);
	cleanup_closep(&e->netns);
	free(e->root);
	free(e->runroot);
	free(e->monitor);
	free(e);
}
