/* SPDX-License-Identifier: MIT */
#include "cli/run_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/log.h"
#include "image/reference.h"
#include "image/store.h"
#include "image/tiny.h"

#define ENV_FILE_MAX (1u << 20) /* bytes */
#define MEMORY_MIN (6u << 20) /* bytes, as Docker: less cannot start a program */
#define HOSTNAME_MAX 63 /* bytes */

#define FIELD(name) offsetof(struct run_opts, name)

const struct opt run_table[] = {
	{ "attach", 'a', OPT_STRINGS, FIELD(attach), "STREAM",
	  "attach only to stdin, stdout or stderr" },
	{ "cpus", 0, OPT_STRING, FIELD(cpus), "NUMBER", "processors it may use, e.g. 1.5" },
	{ "detach", 'd', OPT_BOOL, FIELD(detach), NULL, "run in the background and print the id" },
	{ "detach-keys", 0, OPT_STRING, FIELD(detach_keys), "KEYS",
	  "keys that detach from a terminal (default: ctrl-p,ctrl-q)" },
	{ "entrypoint", 0, OPT_STRING, FIELD(entrypoint), "PROGRAM",
	  "program to run instead of the image's entry point" },
	{ "env", 'e', OPT_STRINGS, FIELD(env), "NAME[=VALUE]",
	  "set a variable, or take it from here" },
	{ "env-file", 0, OPT_STRINGS, FIELD(env_file), "FILE", "read variables from a file" },
	{ "hostname", 0, OPT_STRING, FIELD(hostname), "NAME",
	  "host name (default: beginning of the id)" },
	{ "interactive", 'i', OPT_BOOL, FIELD(interactive), NULL, "keep standard input open" },
	{ "log-driver", 0, OPT_STRING, FIELD(log_driver), "NAME",
	  "json-file (default), journald or none" },
	{ "log-opt", 0, OPT_STRINGS, FIELD(log_opts), "NAME=VALUE",
	  "of the log driver: max-size, max-file; tag" },
	{ "memory", 'm', OPT_STRING, FIELD(memory), "SIZE", "memory limit, e.g. 512m" },
	{ "name", 0, OPT_STRING, FIELD(name), "NAME", "name of the instance" },
	{ "pids-limit", 0, OPT_I64, FIELD(pids_limit), "NUMBER",
	  "processes it may have, -1 for no limit" },
	{ "read-only", 0, OPT_BOOL, FIELD(read_only), NULL, "make the root file system read-only" },
	{ "rm", 0, OPT_BOOL, FIELD(auto_remove), NULL, "remove the instance when it ends" },
	{ "sig-proxy", 0, OPT_BOOL_NOT, FIELD(no_sig_proxy), NULL,
	  "forward signals, unless =false or with a terminal" },
	{ "tty", 't', OPT_BOOL, FIELD(tty), NULL, "give it a terminal" },
	{ "user", 'u', OPT_STRING, FIELD(user), "USER[:GROUP]",
	  "who runs the program, names or numbers" },
	{ "volume", 'v', OPT_STRINGS, FIELD(volume), "SOURCE:TARGET[:OPTIONS]",
	  "mount a directory or file of the host; option ro" },
	{ "workdir", 'w', OPT_STRING, FIELD(workdir), "DIR", "working directory inside" },
	{ 0 },
};

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "read the options");
}

static int find_image(struct engine *e, const char *name, struct arena *a, struct img_image *ret,
		      struct err *err)
{
	struct img_reference ref;
	int r = img_store_find(e->images, name, a, ret, err);

	if (r != -ENOENT || img_reference_parse(name, &ref, NULL) < 0 ||
	    strcmp(ref.repository, IMG_TINY) != 0 || strcmp(ref.tag, "latest") != 0)
		return r;
	r = img_tiny_import(e->images, err);
	return r < 0 ? r : img_store_find(e->images, name, a, ret, err);
}

/* A name alone takes the value from here, or is left out. */
static int set_env(struct arena *a, struct img_words *env, const char *entry, struct err *err)
{
	const char *value;
	char *text;

	if (*entry == '\0' || *entry == '=')
		return err_msg(err, -EINVAL, "variable '%s' has no name", entry);
	if (strchr(entry, '=') == NULL) {
		value = getenv(entry);
		if (value == NULL)
			return 0;
		text = arena_printf(a, "%s=%s", entry, value);
		if (text == NULL)
			return nomem(err);
		entry = text;
	}
	return eng_env_set(a, env, entry) < 0 ? nomem(err) : 0;
}

/* NAME=VALUE or NAME per line; lines that begin with "#" and empty ones are skipped. */
static int read_env_file(struct arena *a, struct img_words *env, const char *path,
			 struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;
	int r = file_read(AT_FDCWD, path, ENV_FILE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "--env-file: read '%s'", path);
	for (char *line = strtok_r(text.p, "\n", &save); r == 0 && line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			continue;
		if (strcspn(line, " \t") < strcspn(line, "="))
			return err_msg(err, -EINVAL,
				       "--env-file '%s': variable '%s' contains whitespace", path,
				       line);
		r = set_env(a, env, line, err);
	}
	return r;
}

int run_env(struct arena *a, struct img_words *env, const struct opt_strings *files,
	    const struct opt_strings *entries, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++)
		r = read_env_file(a, env, files->v[i], err);
	for (size_t i = 0; r == 0 && i < entries->n; i++)
		r = set_env(a, env, entries->v[i], err);
	return r;
}

static int read_env(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		    struct err *err)
{
	static const char path[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	int r = eng_env_set(&c->arena, &c->env, path);

	if (r == 0 && o->tty)
		r = eng_env_set(&c->arena, &c->env, "TERM=xterm");
	for (size_t i = 0; r == 0 && i < image->env.n; i++)
		r = eng_env_set(&c->arena, &c->env, image->env.v[i]);
	return r < 0 ? nomem(err) : run_env(&c->arena, &c->env, &o->env_file, &o->env, err);
}

/* Entry point and command; an entry point of the user's drops the image's command. */
static int read_args(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		     int argc, char **argv, struct err *err)
{
	int r = 0;

	if (o->entrypoint != NULL && *o->entrypoint != '\0')
		r = eng_words_add(&c->arena, &c->args, o->entrypoint);
	else if (o->entrypoint == NULL)
		for (size_t i = 0; r == 0 && i < image->entrypoint.n; i++)
			r = eng_words_add(&c->arena, &c->args, image->entrypoint.v[i]);
	for (int i = 0; r == 0 && i < argc; i++)
		r = eng_words_add(&c->arena, &c->args, argv[i]);
	for (size_t i = 0; r == 0 && argc == 0 && o->entrypoint == NULL && i < image->cmd.n; i++)
		r = eng_words_add(&c->arena, &c->args, image->cmd.v[i]);
	if (r < 0)
		return nomem(err);
	if (c->args.n == 0 || c->args.v[0][0] == '\0')
		return err_msg(err, -EINVAL,
			       "no command specified: the image '%s' names none, add one",
			       c->image);
	return 0;
}

static int read_limits(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	if (o->memory != NULL && eng_size_parse(o->memory, &c->memory) < 0)
		return err_msg(err, -EINVAL, "--memory '%s': expected a number and b, k, m or g",
			       o->memory);
	if (c->memory != 0 && c->memory < MEMORY_MIN)
		return err_msg(err, -EINVAL, "--memory '%s': the minimum is %um", o->memory,
			       MEMORY_MIN >> 20);
	if (o->cpus != NULL && eng_cpus_parse(o->cpus, &c->nano_cpus) < 0)
		return err_msg(err, -EINVAL, "--cpus '%s': expected a number such as 1.5", o->cpus);
	if (c->nano_cpus != 0 && c->nano_cpus < 10000000)
		return err_msg(err, -EINVAL, "--cpus '%s': the minimum is 0.01", o->cpus);
	c->pids_limit = o->pids_limit;
	return 0;
}

static int read_mounts(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = 0;

	c->mounts = arena_alloc(&c->arena, o->volume.n + 1, sizeof(*c->mounts));
	if (c->mounts == NULL)
		return nomem(err);
	for (; r == 0 && c->nr_mounts < o->volume.n; c->nr_mounts++)
		r = eng_mount_parse(&c->arena, o->volume.v[c->nr_mounts], &c->mounts[c->nr_mounts],
				    err);
	return r;
}

static int read_names(struct eng_config *c, const struct run_opts *o,
		      const struct img_config *image, struct err *err)
{
	const char *dir = o->workdir != NULL       ? o->workdir
			  : image->workdir != NULL ? image->workdir
						   : "/";
	const char *user = o->user != NULL ? o->user : image->user != NULL ? image->user : "";

	if (dir[0] != '/')
		return err_msg(err, -EINVAL, "the working directory '%s' is not an absolute path",
			       dir);
	if (o->hostname != NULL && (*o->hostname == '\0' || strlen(o->hostname) > HOSTNAME_MAX))
		return err_msg(err, -EINVAL, "--hostname '%.80s': 1 to %d characters are allowed",
			       o->hostname, HOSTNAME_MAX);
	c->workdir = arena_strdup(&c->arena, dir);
	c->user = arena_strdup(&c->arena, user);
	c->hostname = o->hostname != NULL ? arena_strdup(&c->arena, o->hostname) : NULL;
	return c->workdir == NULL || c->user == NULL || (c->hostname == NULL && o->hostname != NULL)
		       ? nomem(err)
		       : 0;
}

static int read_log(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	struct eng_log log;
	int r = 0;

	c->log_driver = o->log_driver;
	for (size_t i = 0; r == 0 && i < o->log_opts.n; i++)
		r = eng_words_add(&c->arena, &c->log_opts, o->log_opts.v[i]);
	return r < 0 ? nomem(err) : eng_log_parse(c->log_driver, &c->log_opts, &log, err);
}

static int read_all(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		    int argc, char **argv, struct err *err)
{
	int r = read_args(c, o, image, argc, argv, err);

	if (r == 0)
		r = read_env(c, o, image, err);
	if (r == 0)
		r = read_names(c, o, image, err);
	if (r == 0)
		r = read_log(c, o, err);
	if (r == 0)
		r = read_limits(c, o, err);
	return r == 0 ? read_mounts(c, o, err) : r;
}

int run_config(struct engine *e, const struct run_opts *o, int argc, char **argv,
	       struct eng_config *ret, struct err *err)
{
	struct eng_config c = {
		.tty = o->tty,
		.open_stdin = o->interactive,
		.read_only = o->read_only,
		.auto_remove = o->auto_remove,
		.stop_timeout = ENG_STOP_TIMEOUT,
	};
	struct img_config config = { 0 };
	struct img_image image;
	int r = find_image(e, argv[0], &c.arena, &image, err);

	if (r == 0)
		r = img_store_config(e->images, &image, &config, err);
	if (r == 0) {
		c.image = arena_strdup(&c.arena, argv[0]);
		c.image_id = image.id;
		c.chain = image.chain;
		r = c.image == NULL ? nomem(err)
				    : read_all(&c, o, &config, argc - 1, argv + 1, err);
	}
	img_config_fini(&config);
	if (r < 0)
		eng_config_fini(&c);
	else
		*ret = c;
	return r;
}
