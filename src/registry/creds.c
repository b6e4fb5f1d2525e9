/* SPDX-License-Identifier: MIT */
/**
 * DOC: credentials
 *
 * A helper is "docker-credential-NAME" of $PATH: `get` reads an address from standard input and writes JSON,
 * `store` reads JSON, `erase` reads an address.
 */
#include "registry/creds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"

/* What the helper says on its standard output, and its status; both through files in memory: no dead lock */
static int run_helper(const char *helper, const char *verb, const char *input, struct str *ret,
		      int *ret_status, struct err *err)
{
	char program[NAME_MAX + 1], *argv[] = { program, (char *) (uintptr_t) verb, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;
	int r;

	_cleanup_close_ int in = memfd_create("input", MFD_CLOEXEC);
	_cleanup_close_ int out = memfd_create("output", MFD_CLOEXEC);
	if (in < 0 || out < 0)
		return err_set(err, -errno, "create a file in memory");
	r = fd_write_full(in, input, strlen(input));
	if (r < 0 || lseek(in, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? r : -errno, "write to a file in memory");
	(void) snprintf(program, sizeof(program), "docker-credential-%s", helper); /* longer: not found */
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, -ENOMEM, "start '%s'", program);
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
	(void) posix_spawn_file_actions_destroy(&actions); /* never fails */
	if (r != 0)
		return err_set(err, -r, "start credential helper '%s'", program);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for '%s'", program);
	if (lseek(out, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "read from a file in memory");
	r = fd_read_str(out, REG_HELPER_MAX, ret);
	return r < 0 ? err_set(err, r, "read what '%s' said", program) : 0;
}

static int helper_failed(const char *helper, const char *verb, const struct str *said, struct err *err)
{
	const char *text = said->p != NULL ? said->p : "it said nothing";

	return err_msg(err, -EIO, "credential helper 'docker-credential-%s %s' failed: %.*s", helper, verb,
		       (int) strcspn(text, "\n"), text);
}

static int get_from_helper(const struct reg_dockercfg *c, struct arena *arena,
			   struct reg_creds *ret, struct err *err)
{
	_cleanup_(str_fini) struct str said = { 0 };
	struct json_in in;
	int status, r = run_helper(c->helper, "get", c->key, &said, &status, err);

	if (r < 0)
		return r;
	if (status != 0 && said.p != NULL && strstr(said.p, "not found") != NULL)
		return 0; /* it has none: nobody is logged in */
	if (status != 0)
		return helper_failed(c->helper, "get", &said, err);
	r = json_parse(&in, "credential helper", arena, said.p != NULL ? said.p : "", said.len, err);
	if (r == 0 && json_to_object(&in, in.root)) {
		ret->user = json_get_str(&in, in.root, "Username");
		ret->password = json_get_str(&in, in.root, "Secret");
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0 && ret->user != NULL && strcmp(ret->user, "<token>") == 0) {
		ret->token = ret->password;
		ret->user = ret->password = NULL;
	}
	return r;
}

/* The file that passwords are written to, in @arena; NULL there is no place for it */
static const char *main_file(const char *authfile, struct arena *arena)
{
	const char *given = authfile != NULL ? authfile : getenv("REGISTRY_AUTH_FILE"),
		   *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

	if (given != NULL && *given != '\0')
		return given;
	if (dir != NULL && *dir != '\0')
		return arena_printf(arena, "%s/config.json", dir);
	return home != NULL ? arena_printf(arena, "%s/.docker/config.json", home) : NULL;
}

#define OTHER_FILES 2

/* Those of Podman, in @arena; NULL for one that cannot be */
static void other_files(const char *authfile, struct arena *arena, const char *ret[OTHER_FILES])
{
	const char *given = getenv("REGISTRY_AUTH_FILE"), *run = getenv("XDG_RUNTIME_DIR"),
		   *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	ret[0] = ret[1] = NULL;
	if (authfile != NULL || (given != NULL && *given != '\0'))
		return; /* who names a file means that one */
	ret[0] = run != NULL && *run == '/'
			 ? arena_printf(arena, "%s/containers/auth.json", run)
			 : arena_printf(arena, "/run/containers/%u/auth.json", (unsigned) geteuid());
	if (config != NULL && *config == '/')
		ret[1] = arena_printf(arena, "%s/containers/auth.json", config);
	else if (home != NULL)
		ret[1] = arena_printf(arena, "%s/.config/containers/auth.json", home);
}

static int read_config(const char *path, struct str *ret, struct err *err)
{
	int r = file_read(AT_FDCWD, path, REG_CONFIG_MAX, ret);

	if (r == -ENOENT || (r == 0 && ret->len == 0)) {
		str_puts(ret, "{}");
		r = ret->failed ? -ENOMEM : 0;
	}
	return r < 0 ? err_set(err, r, "read '%s'", path) : 0;
}

/* What one file says, or the helper that it names; nothing when @ret stays empty */
static int find_in(const char *path, const char *host, const char *repository, struct arena *arena,
		   struct reg_creds *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct reg_dockercfg c;
	int r = read_config(path, &text, err);

	if (r == 0)
		r = reg_dockercfg_parse(path, text.p, text.len, host, repository, arena, &c, err);
	if (r < 0 || c.helper != NULL)
		return r < 0 ? r : get_from_helper(&c, arena, ret, err);
	*ret = c.creds;
	return 0;
}

int reg_creds_find(const char *authfile, const char *host, const char *path, struct arena *arena,
		   struct reg_creds *ret, struct err *err)
{
	const char *files[1 + OTHER_FILES];
	int r = 0;

	*ret = (struct reg_creds) { 0 };
	files[0] = main_file(authfile, arena);
	other_files(authfile, arena, files + 1);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files) && ret->user == NULL && ret->token == NULL; i++)
		if (files[i] != NULL)
			r = find_in(files[i], host, path, arena, ret, err);
	return r;
}

static int keep_in_helper(const struct reg_dockercfg *c, const struct reg_creds *creds, bool *found,
			  struct err *err)
{
	_cleanup_(str_fini) struct str said = { 0 }, input = { 0 };
	const char *verb = creds != NULL ? "store" : "erase";
	int status, r;

	if (creds == NULL) {
		str_puts(&input, c->key);
	} else {
		json_open(&input, NULL, '{');
		json_text(&input, "ServerURL", c->key);
		json_text(&input, "Username", creds->token != NULL ? "<token>" : creds->user);
		json_text(&input, "Secret", creds->token != NULL ? creds->token : creds->password);
		json_close(&input, '}');
	}
	if (input.failed)
		return err_set(err, -ENOMEM, "keep a password");
	r = run_helper(c->helper, verb, input.p, &said, &status, err);
	if (r == 0 && status != 0)
		r = helper_failed(c->helper, verb, &said, err);
	*found = r == 0;
	return r;
}

/* Replaces the file itself where the name is a link to it */
static int write_config(const char *path, const struct str *text, struct err *err)
{
	_cleanup_free_ char *real = realpath(path, NULL), *dir = strdup(real != NULL ? real : path);
	char *slash = dir != NULL ? strrchr(dir, '/') : NULL;
	const char *in = slash == NULL ? "." : slash == dir ? "/" : dir;
	const char *name = slash != NULL ? slash + 1 : path;
	int r;

	if (dir == NULL)
		return err_set(err, -ENOMEM, "write '%s'", path);
	if (slash != NULL)
		*slash = '\0';
	r = dir_make_all(in, 0700);
	_cleanup_close_ int fd = r < 0 ? r : open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, r < 0 ? r : -errno, "open directory '%s'", in);
	r = file_replace(fd, name, text->p, text->len, 0600);
	return r < 0 ? err_set(err, r, "write '%s'", path) : 0;
}

int reg_creds_keep(const char *authfile, const char *host, const struct reg_creds *creds, struct arena *arena,
		   const char **ret_where, bool *ret_found, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 }, edited = { 0 };
	const char *path = main_file(authfile, arena), *key = reg_dockercfg_key(host);
	struct reg_dockercfg c;
	bool in_helper = false;
	int r;

	if (path == NULL)
		return err_msg(err, -ENOENT, "there is no place for passwords: set DOCKER_CONFIG or HOME");
	r = read_config(path, &text, err);
	if (r == 0)
		r = reg_dockercfg_parse(path, text.p, text.len, host, "", arena, &c, err);
	if (r == 0 && c.helper != NULL) {
		c.key = key;
		r = keep_in_helper(&c, creds, &in_helper, err);
		creds = NULL; /* and not in the file */
	}
	if (r == 0)
		r = reg_dockercfg_edit(path, text.p, text.len, key, creds, &edited, ret_found, err);
	if (r == 0 && (creds != NULL || *ret_found))
		r = write_config(path, &edited, err);
	*ret_found = *ret_found || in_helper;
	*ret_where = creds != NULL ? path : "";
	return r;
}
