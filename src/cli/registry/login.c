/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/registry/reach.h"
#include "cli/registry/verbs.h"
#include "registry/creds.h"
#include "registry/place.h"
#include "registry/session.h"

#define PASSWORD_MAX 65536 /* bytes: tokens are long */

static int read_stdin(struct arena *arena, const char **ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = fd_read_str(STDIN_FILENO, PASSWORD_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read the password");
	*ret = arena_strndup(arena, text.p != NULL ? text.p : "",
			     text.p != NULL ? strcspn(text.p, "\r\n") : 0);
	if (*ret == NULL)
		return err_set(err, -ENOMEM, "read the password");
	return **ret != '\0' ? 0 : err_msg(err, -EINVAL, "standard input has no password");
}

static int ask_user(struct arena *arena, const char **ret, struct err *err)
{
	char line[1024];

	if (!isatty(STDIN_FILENO))
		return err_msg(err, -ENOTTY,
			       "there is no terminal to ask for a user: use --username and --password-stdin");
	printf("Username: ");
	(void) fflush(stdout); /* the terminal */
	if (fgets(line, sizeof(line), stdin) == NULL || line[strcspn(line, "\r\n")] == '\0' ||
	    strcspn(line, "\r\n") == 0)
		return err_msg(err, -EINVAL, "no user was given");
	*ret = arena_strndup(arena, line, strcspn(line, "\r\n"));
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read the user");
}

/* From the options, or asked for; @ret->user stays NULL where what is kept will do */
static int read_creds(const struct login_opts *o, const char *host, struct arena *arena,
		      struct reg_creds *ret, struct err *err)
{
	struct reg_creds kept;
	int r;

	*ret = (struct reg_creds) { .user = o->user, .password = o->password };
	if (o->password != NULL && o->password_stdin)
		return err_msg(err, -EINVAL, "--password and --password-stdin exclude each other");
	if (o->password_stdin && o->user == NULL)
		return err_msg(err, -EINVAL, "--password-stdin needs --username");
	if (o->password_stdin)
		return read_stdin(arena, &ret->password, err);
	if (o->user == NULL && o->password == NULL) {
		r = reg_creds_find(o->reach.authfile, host, "", arena, &kept, err);
		if (r < 0 || kept.user != NULL || kept.token != NULL)
			return r;
	}
	r = ret->user == NULL ? ask_user(arena, &ret->user, err) : 0;
	return r == 0 && ret->password == NULL ? reach_password(arena, &ret->password, err) : r;
}

/* @c->user: NULL: as is kept */
static int log_in(struct reach *reach, const struct reg_place *place, const struct reg_creds *c, struct err *err)
{
	_cleanup_(reg_session_freep) struct reg_session *s = NULL;
	const struct reg_want want = { .settings = &reach->settings, .place = place, .access = &reach->access };
	int r;

	if (c->user != NULL) {
		reach->access.creds = arena_printf(&reach->arena, "%s:%s", c->user, c->password);
		if (reach->access.creds == NULL)
			return err_set(err, -ENOMEM, "log in");
	}
	r = reg_session_open(&want, &s, err);
	if (r == 0)
		r = reg_session_log_in(s, err);
	return r == -EACCES ? err_wrap(err, r, "log in to '%s'", place->host) : r;
}

int registry_login(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reach_end) struct reach reach = { 0 };
	const struct login_opts *o = opts;
	struct reg_place place;
	struct reg_creds creds;
	const char *where = "";
	bool had;
	int r = reach_begin(&reach, &o->reach, NULL, err);

	(void) cli; /* the store is not touched */
	if (r == 0)
		r = reg_place_host(&reach.settings, argc > 0 ? argv[0] : "", &place, err);
	if (r == 0 && o->password != NULL)
		fputs("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n", stderr);
	if (r == 0)
		r = read_creds(o, place.host, &reach.arena, &creds, err);
	if (r == 0 && creds.user == NULL)
		puts("Authenticating with existing credentials...");
	if (r == 0)
		r = log_in(&reach, &place, &creds, err);
	if (r == 0 && creds.user != NULL)
		r = reg_creds_keep(o->reach.authfile, place.host, &creds, &reach.arena, &where, &had, err);
	if (r < 0)
		return r;
	if (*where != '\0')
		fprintf(stderr, "WARNING! Your password is stored unencrypted in '%s'; a credential helper of "
				"Docker's kind keeps it safer.\n", where);
	puts("Login Succeeded");
	return 0;
}

int registry_logout(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reach_end) struct reach reach = { 0 };
	const struct reach_opts *o = opts;
	struct reg_place place;
	const char *where;
	bool had = false;
	int r = reach_begin(&reach, o, NULL, err);

	(void) cli; /* the store is not touched */
	if (r == 0)
		r = reg_place_host(&reach.settings, argc > 0 ? argv[0] : "", &place, err);
	if (r == 0)
		r = reg_creds_keep(o->authfile, place.host, NULL, &reach.arena, &where, &had, err);
	if (r == 0)
		printf("%s %s\n", had ? "Removing login credentials for" : "Not logged in to",
		       reg_dockercfg_key(place.host));
	return r;
}
