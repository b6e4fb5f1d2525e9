/* SPDX-License-Identifier: MIT */
#include "cli/registry/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/registry/verbs.h"
#include "engine/engine.h"

#define PASSWORD_MAX 4096 /* bytes */

int reach_password(struct arena *arena, const char **ret, struct err *err)
{
	struct termios old, silent;
	char line[PASSWORD_MAX];
	ssize_t n;

	_cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0 || tcgetattr(tty, &old) < 0)
		return err_msg(err, -ENOTTY,
			       "there is no terminal to ask for a password: use --password-stdin");
	silent = old;
	silent.c_lflag &= ~(tcflag_t) ECHO;
	(void) tcsetattr(tty, TCSAFLUSH, &silent); /* else it is shown */
	(void) dprintf(tty, "Password: ");
	n = read(tty, line, sizeof(line) - 1);
	(void) tcsetattr(tty, TCSAFLUSH, &old); /* as it was */
	(void) dprintf(tty, "\n");
	if (n <= 0)
		return err_msg(err, -EINVAL, "no password was given");
	line[n] = '\0';
	*ret = arena_strndup(arena, line, strcspn(line, "\r\n"));
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read the password");
}

static int read_access(const struct reach_opts *o, struct arena *arena, struct reg_access *ret, struct err *err)
{
	const char *password;
	int r = 0;

	*ret = (struct reg_access) { .no_verify = o->no_verify, .cert_dir = o->cert_dir, .creds = o->creds,
				     .authfile = o->authfile };
	if (o->creds == NULL || strchr(o->creds, ':') != NULL)
		return 0;
	r = reach_password(arena, &password, err);
	if (r == 0)
		ret->creds = arena_printf(arena, "%s:%s", o->creds, password);
	return r < 0 ? r : ret->creds != NULL ? 0 : err_set(err, -ENOMEM, "read the password");
}

int reach_begin(struct reach *ret, const struct reach_opts *o, struct cli *cli, struct err *err)
{
	int r = read_access(o, &ret->arena, &ret->access, err);

	(void) signal(SIGPIPE, SIG_IGN); /* never fails */
	if (r == 0)
		r = reg_settings_read(&ret->settings, err);
	return r == 0 && cli != NULL ? cli_engine(cli, &ret->engine, err) : r;
}

void reach_end(struct reach *r)
{
	eng_close(r->engine);
	reg_settings_fini(&r->settings);
	arena_fini(&r->arena);
}

const char *reach_name(const char *text)
{
	return str_starts(text, "docker://") ? text + strlen("docker://") : text;
}
