/* SPDX-License-Identifier: MIT */
/**
 * DOC: what is run: entry point, command, environment, user, working directory, labels
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"

/* The name of @entry is among those that --unsetenv leaves out. */
static bool left_out(const struct run_opts *o, const char *entry)
{
	size_t n = strcspn(entry, "=");

	for (size_t i = 0; i < o->unsetenv.n; i++)
		if (strlen(o->unsetenv.v[i]) == n && strncmp(o->unsetenv.v[i], entry, n) == 0)
			return true;
	return o->unsetenv_all;
}

static int set_default(struct eng_config *c, const struct run_opts *o, const char *entry)
{
	return left_out(o, entry) ? 0 : eng_env_set(&c->arena, &c->env, entry);
}

/* Variables of this process: all, or those that tell of proxies */
static int read_own_env(struct eng_config *c, const struct run_opts *o)
{
	static const char *const proxies[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy" };
	int r = 0;

	for (char **entry = environ; r == 0 && *entry != NULL; entry++) {
		bool wanted = o->env_host;
		size_t n = strcspn(*entry, "=");

		for (size_t i = 0; o->http_proxy && i < ARRAY_LEN(proxies); i++)
			wanted = wanted || (strlen(proxies[i]) == n &&
					    strncasecmp(proxies[i], *entry, n) == 0);
		if (wanted && !left_out(o, *entry)) {
			const char *copy = arena_strdup(&c->arena, *entry);

			r = copy != NULL ? eng_env_set(&c->arena, &c->env, copy) : -ENOMEM;
		}
	}
	return r;
}

static int read_env(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		    struct err *err)
{
	static const char path[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	int r = set_default(c, o, path);

	if (r == 0 && o->tty)
		r = set_default(c, o, "TERM=xterm");
	for (size_t i = 0; r == 0 && i < image->env.n; i++)
		r = set_default(c, o, image->env.v[i]);
	if (r == 0)
		r = read_own_env(c, o);
	return r < 0 ? run_nomem(err) : run_env(&c->arena, &c->env, &o->env_file, &o->env, err);
}

static int read_labels(struct eng_config *c, const struct run_opts *o,
		       const struct img_config *image, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->labels.n; i++)
		if (eng_env_set(&c->arena, &c->labels, image->labels.v[i]) < 0)
			r = run_nomem(err);
	if (r == 0)
		r = run_labels(&c->arena, &c->labels, &o->label_file, &o->label, err);
	for (size_t i = 0; r == 0 && i < o->annotation.n; i++) {
		const char *a = o->annotation.v[i];

		if (strchr(a, '=') == NULL || *a == '=')
			return err_msg(err, -EINVAL,
				       "--annotation '%.200s': expected NAME=VALUE", a);
		r = eng_env_set(&c->arena, &c->annotations, a) < 0 ? run_nomem(err) : 0;
	}
	return r;
}

static int add_words(struct eng_config *c, const struct img_words *from, struct img_words *to)
{
	for (size_t i = 0; i < from->n; i++)
		if (eng_words_add(&c->arena, to, from->v[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* A program, or a JSON list of it and its arguments, as in Podman */
static int read_entrypoint(struct eng_config *c, const char *text)
{
	const struct json *list;
	struct json_in in;
	int r = -EINVAL;

	if (text[0] != '[')
		return eng_words_add(&c->arena, &c->entrypoint, text);
	if (json_parse(&in, "--entrypoint", &c->arena, text, strlen(text), NULL) == 0) {
		list = in.root->kind == JSON_KIND_ARRAY ? in.root->first : NULL;
		for (r = 0; r == 0 && list != NULL; list = list->next) {
			const char *word = json_to_str(&in, list);

			r = word != NULL ? eng_words_add(&c->arena, &c->entrypoint, word) : -EINVAL;
		}
	}
	json_fini(&in);
	if (r == -EINVAL) { /* a strange name, then */
		c->entrypoint.n = 0;
		r = eng_words_add(&c->arena, &c->entrypoint, text);
	}
	return r;
}

/* An entry point of the user's drops the image's command; the image's [""] is none. */
static int read_args(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		     int argc, char **argv, struct err *err)
{
	int r = 0;

	if (o->entrypoint == NULL && (image->entrypoint.n != 1 || *image->entrypoint.v[0] != '\0'))
		r = add_words(c, &image->entrypoint, &c->entrypoint);
	else if (o->entrypoint != NULL && *o->entrypoint != '\0')
		r = read_entrypoint(c, o->entrypoint);
	for (int i = 0; r == 0 && i < argc; i++)
		r = eng_words_add(&c->arena, &c->cmd, argv[i]);
	if (r == 0 && argc == 0 && o->entrypoint == NULL)
		r = add_words(c, &image->cmd, &c->cmd);
	if (r == 0)
		r = add_words(c, &c->entrypoint, &c->args);
	if (r == 0)
		r = add_words(c, &c->cmd, &c->args);
	if (r < 0)
		return run_nomem(err);
	if (c->args.n == 0 || c->args.v[0][0] == '\0')
		return err_msg(err, -EINVAL,
			       "no command specified: the image '%s' names none, add one",
			       c->image);
	return 0;
}

static int read_place(struct eng_config *c, const struct run_opts *o,
		      const struct img_config *image, struct err *err)
{
	const char *dir = o->workdir != NULL       ? o->workdir
			  : image->workdir != NULL ? image->workdir
						   : "/";
	const char *user = o->user != NULL ? o->user : image->user != NULL ? image->user : "";
	int r;

	if (dir[0] != '/')
		return err_msg(err, -EINVAL,
			       "the working directory '%s' is invalid, it needs to be an absolute path",
			       dir);
	if (o->umask != NULL &&
	    (strlen(o->umask) == 0 || strlen(o->umask) > 4 ||
	     strspn(o->umask, "01234567") != strlen(o->umask) || strtoul(o->umask, NULL, 8) > 0777))
		return err_msg(err, -EINVAL, "--umask '%.32s': expected an octal number up to 0777",
			       o->umask);
	r = run_text(c, dir, &c->workdir, err);
	if (r == 0)
		r = run_text(c, o->umask, &c->umask, err);
	return r == 0 ? run_text(c, user, &c->user, err) : r;
}

int run_program(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		int argc, char **argv, struct err *err)
{
	int r = read_args(c, o, image, argc, argv, err);

	if (r == 0)
		r = read_env(c, o, image, err);
	if (r == 0)
		r = read_place(c, o, image, err);
	return r == 0 ? read_labels(c, o, image, err) : r;
}
