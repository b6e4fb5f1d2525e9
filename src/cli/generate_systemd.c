/* SPDX-License-Identifier: MIT */
/**
 * DOC: `generate systemd`
 *
 * The unit keeps the client in the foreground: systemd sees the exit status of the instance, its output
 * goes to the journal, and SIGTERM to the client reaches the instance.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/run_config.h"
#include "cli/stop_request.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define SPARE_SECONDS 60 /* for systemd beyond the instance's own time to stop */

struct generate_opts {
	bool new, files, name;
	const char *policy, *time;
};

#define FIELD(name) offsetof(struct generate_opts, name)

static const struct opt generate_table[] = {
	{ "files", 'f', OPT_BOOL, FIELD(files), NULL,
	  "write container-NAME.service here, print its path" },
	{ "name", 'n', OPT_BOOL, FIELD(name), NULL, "name the unit by the name, not the id" },
	{ "new", 0, OPT_BOOL, FIELD(new), NULL,
	  "make the instance anew at every start, remove it at every stop" },
	{ "restart-policy", 0, OPT_STRING, FIELD(policy), "POLICY",
	  "Restart= of the unit (default: on-failure, with --new that of the instance)" },
	{ "time", 't', OPT_STRING, FIELD(time), "SECONDS",
	  "until it is killed (default: of the instance, 10)" },
	{ "stop-timeout", 0, OPT_STRING, FIELD(time), "SECONDS", NULL },
	{ 0 },
};

/* One word of ExecStart=: systemd expands %, $ and backslashes. */
static void add_word(struct str *s, const char *word)
{
	bool plain = *word != '\0' && strpbrk(word, " \t\n\"'\\;") == NULL;

	str_puts(s, plain ? " " : " \"");
	for (; *word != '\0'; word++)
		switch (*word) {
		case '%':
		case '$':
			str_printf(s, "%c%c", *word, *word);
			break;
		case '"':
		case '\\':
			str_printf(s, "\\%c", *word);
			break;
		case '\n':
			str_puts(s, "\\n");
			break;
		default:
			str_add(s, word, 1);
		}
	str_puts(s, plain ? "" : "\"");
}

/* The program and the store, as given or by default */
static void add_program(struct str *s, const struct cli *cli, struct engine *e)
{
	const char *slash = strrchr(cli->monitor, '/');

	str_printf(s, "%.*s/cleave", (int) (slash - cli->monitor), cli->monitor);
	str_puts(s, " --root");
	add_word(s, e->root);
	str_puts(s, " --runroot");
	add_word(s, e->runroot);
}

static const struct opt *find_option(const char *word)
{
	size_t n = strcspn(word + 2, "=");

	for (const struct opt *o = run_table; o->kind != OPT_END; o++)
		if (word[1] == '-' ? strlen(o->name) == n && strncmp(o->name, word + 2, n) == 0
				   : o->letter == word[1])
			return o;
	return NULL;
}

static bool is_flag(const struct opt *o)
{
	return o->kind == OPT_BOOL || o->kind == OPT_OFF;
}

/* Those that the unit sets itself or that do not go with it */
static bool is_dropped(const struct opt *o)
{
	static const char *const names[] = { "detach", "rm", "restart", "name", "cidfile", "tty" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(o->name, names[i]) == 0)
			return true;
	return false;
}

/* "-dit".  Return: the last one takes the next word. */
static bool add_letters(struct str *s, const char *word)
{
	char one[3] = "-";

	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct opt *o;

		one[1] = *p;
		o = find_option(one);
		if (o == NULL)
			return false;
		if (is_flag(o) && is_dropped(o))
			continue;
		str_printf(s, " -%c", *p);
		if (is_flag(o))
			continue;
		if (p[1] != '\0')
			add_word(s, p[1] == '=' ? p + 2 : p + 1);
		return p[1] == '\0';
	}
	return false;
}

/* The words after "run" or "create" that made the instance */
static void add_command(struct str *s, const struct img_words *w, size_t i)
{
	for (; i < w->n && w->v[i][0] == '-' && w->v[i][1] != '\0' && strcmp(w->v[i], "--") != 0; i++) {
		const struct opt *o = find_option(w->v[i]);
		bool next;

		if (w->v[i][1] != '-') {
			if (add_letters(s, w->v[i]) && i + 1 < w->n)
				add_word(s, w->v[++i]);
			continue;
		}
		next = o != NULL && !is_flag(o) && strchr(w->v[i], '=') == NULL && i + 1 < w->n;
		if (o == NULL || !is_dropped(o)) {
			add_word(s, w->v[i]);
			if (next)
				add_word(s, w->v[i + 1]);
		}
		i += next;
	}
	for (; i < w->n; i++)
		add_word(s, w->v[i]);
}

/* Index of the word after the verb that made it; 0 when that is not known */
static size_t after_verb(const struct img_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i], "run") == 0 || strcmp(w->v[i], "create") == 0)
			return i + 1;
	return 0;
}

static int add_service(struct str *s, const struct cli *cli, struct engine *e,
		       const struct eng_instance *i, const struct eng_config *c, int64_t seconds,
		       bool new, struct err *err)
{
	size_t first = after_verb(&c->create_command);

	if (new && first == 0)
		return err_msg(err, -EINVAL,
			       "instance '%s' was not made by 'cleave run' or 'cleave create', which --new needs",
			       i->name);
	if (new) {
		str_puts(s, "ExecStartPre=-");
		add_program(s, cli, e);
		str_puts(s, " rm -f");
		add_word(s, i->name);
		str_puts(s, "\n");
	}
	str_puts(s, "ExecStart=");
	add_program(s, cli, e);
	str_puts(s, new ? " run --rm --name" : " start --attach");
	add_word(s, i->name);
	if (new)
		add_command(s, &c->create_command, first);
	str_puts(s, "\nExecStop=");
	add_program(s, cli, e);
	str_printf(s, " stop -t %lld", (long long) seconds);
	add_word(s, i->name);
	str_puts(s, "\n");
	return 0;
}

/* With --new what the instance has asked for; else both would start it again. */
static const char *unit_policy(const struct generate_opts *o, const struct eng_instance *i)
{
	if (o->policy != NULL)
		return o->policy;
	if (!o->new && strcmp(i->restart, "no") != 0)
		log_warning("instance '%s' has the restart policy '%s', which acts beside the unit's: "
			    "'cleave update --restart no %s' leaves it to systemd",
			    i->name, i->restart, i->name);
	return o->new && (strcmp(i->restart, "always") == 0 ||
			  strcmp(i->restart, "unless-stopped") == 0)
		       ? "always"
		       : "on-failure";
}

static int make_unit(struct str *s, const struct cli *cli, struct engine *e,
		     const struct eng_instance *i, const struct generate_opts *o, struct err *err)
{
	struct stop_request stop;
	struct eng_config c;
	int64_t seconds;
	int r = stop_request(NULL, o->time, &stop, err);

	if (r == 0)
		r = eng_instance_config(e, i, &c, err);
	if (r < 0)
		return r;
	seconds = o->time != NULL ? stop.timeout : c.stop_timeout;
	str_printf(s, "[Unit]\nDescription=Cleave instance %s\nDocumentation=man:cleave-generate-systemd(1)\n"
		      "Wants=network-online.target\nAfter=network-online.target\nRequiresMountsFor=",
		   i->name);
	str_printf(s, "%s\n", e->root);
	if (o->new && o->policy == NULL && i->restart_max > 0) /* on-failure:TIMES */
		str_printf(s, "StartLimitBurst=%d\nStartLimitIntervalSec=infinity\n", (int) i->restart_max);
	str_printf(s, "\n[Service]\nType=exec\nRestart=%s\n", unit_policy(o, i));
	if (seconds < 0)
		str_puts(s, "TimeoutStopSec=infinity\n");
	else
		str_printf(s, "TimeoutStopSec=%lld\n", (long long) seconds + SPARE_SECONDS);
	r = add_service(s, cli, e, i, &c, seconds, o->new, err);
	str_puts(s, "KillMode=mixed\nDelegate=yes\n\n[Install]\nWantedBy=default.target\n");
	eng_config_fini(&c);
	return r == 0 && s->failed ? err_set(err, -ENOMEM, "make the unit") : r;
}

static int check_policy(const char *policy, struct err *err)
{
	static const char *const known[] = { "no",	    "on-success",  "on-failure", "on-abnormal",
					     "on-watchdog", "on-abort",	   "always" };

	for (size_t i = 0; policy != NULL && i < ARRAY_LEN(known); i++)
		if (strcmp(policy, known[i]) == 0)
			return 0;
	return policy == NULL ? 0
			      : err_msg(err, -EINVAL,
					"--restart-policy '%.60s': systemd knows no, on-success, on-failure, "
					"on-abnormal, on-watchdog, on-abort, always",
					policy);
}

static int write_unit(const char *file, const struct str *text, struct err *err)
{
	char cwd[PATH_MAX];
	int r = file_replace(AT_FDCWD, file, text->p, text->len, 0644);

	if (r < 0)
		return err_set(err, r, "write '%s'", file);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set(err, -errno, "find the working directory");
	printf("%s/%s\n", strcmp(cwd, "/") == 0 ? "" : cwd, file);
	return 0;
}

static int generate_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	const struct generate_opts *o = opts;
	char file[ENG_NAME_MAX + 32];
	struct eng_instance i;
	int r = check_policy(o->policy, err);

	(void) argc;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r < 0)
		return r;
	(void) snprintf(file, sizeof(file), "container-%.128s.service", o->name ? i.name : i.id);
	str_printf(&text, "# %s\n# made by cleave %s\n\n", file, CLEAVE_VERSION);
	r = make_unit(&text, cli, e, &i, o, err);
	if (r == 0 && o->files)
		return write_unit(file, &text, err);
	if (r == 0)
		fputs(text.p, stdout);
	return r;
}

CLI_VERB(generate_systemd_verb) = {
	.name = "generate systemd",
	.args = "INSTANCE",
	.summary = "Make a unit of systemd that runs an instance",
	.min_args = 1,
	.max_args = 1,
	.opts = generate_table,
	.opts_size = sizeof(struct generate_opts),
	.interspersed = true,
	.run = generate_run,
};
