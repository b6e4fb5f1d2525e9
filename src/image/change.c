/* SPDX-License-Identifier: MIT */
/**
 * DOC: instructions
 *
 * What `docker commit --change` takes, with the meaning that a Dockerfile gives it.
 */
#include "image/change.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "image/change_words.h"
#include "image/config.h"

#define PORT_MAX 65535

struct change {
	struct img_config *c;
	const char *text; /* all of the instruction, for messages */
	bool command_given; /* by this or an earlier one */
};

static int refuse(const struct change *ch, const char *why, const char *what, struct err *err)
{
	return err_msg(err, -EINVAL, "change '%.200s': %s '%.100s'", ch->text, why, what);
}

/* List form, or words for a shell */
static int command_words(struct change *ch, const char *text, struct img_words *ret,
			 struct err *err)
{
	static const char *const usual[] = { "/bin/sh", "-c" };
	const struct img_words *shell = &ch->c->shell;
	const char *const *first = shell->n > 0 ? shell->v : usual;
	size_t n = shell->n > 0 ? shell->n : ARRAY_LEN(usual);
	int r = change_list(&ch->c->arena, text, ret, err);

	if (r != 0)
		return r < 0 ? r : 0;
	*ret = (struct img_words) { 0 };
	for (size_t i = 0; r == 0 && i < n; i++)
		r = change_add(&ch->c->arena, ret, first[i], err);
	return r < 0 ? r : change_add(&ch->c->arena, ret, text, err);
}

static int change_cmd(struct change *ch, const char *text, struct err *err)
{
	ch->command_given = true;
	ch->c->cmd = (struct img_words) { 0 };
	return command_words(ch, text, &ch->c->cmd, err);
}

static int change_entrypoint(struct change *ch, const char *text, struct err *err)
{
	if (!ch->command_given)
		ch->c->cmd = (struct img_words) { 0 };
	ch->c->entrypoint = (struct img_words) { 0 };
	return command_words(ch, text, &ch->c->entrypoint, err);
}

/* NAME=VALUE..., or one NAME VALUE */
static int change_pairs(struct change *ch, struct img_words *to, const char *text, struct err *err)
{
	size_t first = strcspn(text, " \t");
	struct img_words words = { 0 };
	int r;

	if (memchr(text, '=', first) == NULL) {
		const char *name = arena_strndup(&ch->c->arena, text, first), *value, *p = text + first;

		r = change_word(ch->c, &p, true, &value, err);
		if (r == 0)
			return refuse(ch, "there is no value for", name != NULL ? name : "", err);
		return r < 0 ? r
			     : change_set(&ch->c->arena, to,
					  name != NULL ? arena_printf(&ch->c->arena, "%s=%s", name,
								      value)
						       : NULL,
					  err);
	}
	r = change_split(ch->c, text, &words, err);
	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = strchr(words.v[i], '=') > words.v[i]
			    ? change_set(&ch->c->arena, to, words.v[i], err)
			    : refuse(ch, "no NAME=VALUE:", words.v[i], err);
	return r;
}

static int change_env(struct change *ch, const char *text, struct err *err)
{
	return change_pairs(ch, &ch->c->env, text, err);
}

static int change_label(struct change *ch, const char *text, struct err *err)
{
	return change_pairs(ch, &ch->c->labels, text, err);
}

/* PORT[-PORT][/PROTOCOL] */
static int expose(struct change *ch, const char *word, struct err *err)
{
	const char *protocol = strchr(word, '/');
	char *end = NULL;
	unsigned long from = isdigit((unsigned char) *word) ? strtoul(word, &end, 10) : 0, to = from;
	int r = 0;

	if (end != NULL && *end == '-' && isdigit((unsigned char) end[1]))
		to = strtoul(end + 1, &end, 10);
	if (protocol == NULL)
		protocol = "/tcp";
	if (from == 0 || from > PORT_MAX || to < from || to > PORT_MAX ||
	    (*end != '\0' && *end != '/') ||
	    (strcasecmp(protocol, "/tcp") != 0 && strcasecmp(protocol, "/udp") != 0 &&
	     strcasecmp(protocol, "/sctp") != 0))
		return refuse(ch, "no PORT[-PORT][/tcp|udp|sctp]:", word, err);
	if (to - from >= CHANGE_WORDS_MAX)
		return refuse(ch, "too many ports:", word, err);
	for (; r == 0 && from <= to; from++) {
		char *port = arena_printf(&ch->c->arena, "%lu%s", from, protocol);

		for (char *p = port; p != NULL && *p != '\0'; p++)
			*p = (char) tolower((unsigned char) *p);
		r = change_set(&ch->c->arena, &ch->c->ports, port, err);
	}
	return r;
}

static int change_expose(struct change *ch, const char *text, struct err *err)
{
	struct img_words words = { 0 };
	int r = change_split(ch->c, text, &words, err);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = expose(ch, words.v[i], err);
	return r;
}

static int change_volume(struct change *ch, const char *text, struct err *err)
{
	struct img_words words = { 0 };
	int r = change_list(&ch->c->arena, text, &words, err);

	if (r == 0)
		r = change_split(ch->c, text, &words, err);
	for (size_t i = 0; r >= 0 && i < words.n; i++)
		r = *words.v[i] != '\0' ? change_set(&ch->c->arena, &ch->c->volumes, words.v[i], err)
					: refuse(ch, "a volume has no name:", text, err);
	return r < 0 ? r : 0;
}

/* The rest of the line as one word */
static int one_word(struct change *ch, const char *text, const char **ret, struct err *err)
{
	int r = change_word(ch->c, &text, true, ret, err);

	return r == 1 && **ret != '\0' ? 0 : r < 0 ? r : refuse(ch, "it is empty:", text, err);
}

static int change_user(struct change *ch, const char *text, struct err *err)
{
	return one_word(ch, text, &ch->c->user, err);
}

static int change_workdir(struct change *ch, const char *text, struct err *err)
{
	const char *dir, *base = ch->c->workdir != NULL ? ch->c->workdir : "";
	int r = one_word(ch, text, &dir, err);

	if (r < 0)
		return r;
	if (*dir != '/') /* of a relative one as in a shell */
		dir = arena_printf(&ch->c->arena, "%s/%s", strcmp(base, "/") == 0 ? "" : base, dir);
	ch->c->workdir = dir;
	return dir != NULL ? 0 : err_set(err, -ENOMEM, "change the image");
}

static bool is_signal(const char *name)
{
	unsigned long n = isdigit((unsigned char) *name) ? strtoul(name, NULL, 10) : 0;

	if (isdigit((unsigned char) *name))
		return strspn(name, "0123456789") == strlen(name) && n > 0 && n < NSIG;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strncasecmp(name, "RTMIN", 5) == 0 || strncasecmp(name, "RTMAX", 5) == 0)
		return name[5] == '\0' || ((name[5] == '+' || name[5] == '-') &&
					   name[6 + strspn(name + 6, "0123456789")] == '\0');
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) != NULL && strcasecmp(sigabbrev_np(i), name) == 0)
			return true;
	return false;
}

static int change_stop_signal(struct change *ch, const char *text, struct err *err)
{
	int r = one_word(ch, text, &ch->c->stop_signal, err);

	return r < 0 || is_signal(ch->c->stop_signal)
		       ? r
		       : refuse(ch, "there is no signal", ch->c->stop_signal, err);
}

/* --NAME=VALUE in front of HEALTHCHECK's CMD */
static int health_option(struct change *ch, const char *option, struct err *err)
{
	struct img_config *c = ch->c;
	const struct {
		const char *name;
		uint64_t *to;
	} times[] = { { "--interval=", &c->health_interval },
		      { "--timeout=", &c->health_timeout },
		      { "--start-period=", &c->health_start_period },
		      { "--start-interval=", &c->health_start_interval } };

	if (str_starts(option, "--retries="))
		return str_to_u64(option + strlen("--retries="), &c->health_retries) == 0
			       ? 0
			       : refuse(ch, "no number:", option, err);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (str_starts(option, times[i].name))
			return time_duration_parse(option + strlen(times[i].name), times[i].to) == 0
				       ? 0
				       : refuse(ch, "no duration:", option, err);
	return refuse(ch, "there is no option", option, err);
}

/* [OPTION...] CMD COMMAND, or NONE */
static int change_health(struct change *ch, const char *text, struct err *err)
{
	struct img_config *c = ch->c;
	size_t n = strcspn(text, " \t");
	const char *rest;
	int r = 0;

	c->health_interval = c->health_timeout = c->health_start_period = 0;
	c->health_start_interval = c->health_retries = 0;
	c->health = (struct img_words) { 0 };
	for (; r == 0 && str_starts(text, "--"); n = strcspn(text, " \t")) {
		const char *option = arena_strndup(&c->arena, text, n);

		r = option != NULL ? health_option(ch, option, err)
				   : err_set(err, -ENOMEM, "change the image");
		text += n + strspn(text + n, " \t");
	}
	if (r < 0)
		return r;
	rest = text + n + strspn(text + n, " \t");
	if (n == 4 && strncasecmp(text, "NONE", 4) == 0 && *rest == '\0')
		return change_add(&c->arena, &c->health, "NONE", err);
	if (n != 3 || strncasecmp(text, "CMD", 3) != 0 || *rest == '\0')
		return refuse(ch, "neither CMD COMMAND nor NONE:", text, err);
	r = change_add(&c->arena, &c->health, *rest == '[' ? "CMD" : "CMD-SHELL", err);
	if (r == 0 && *rest == '[')
		r = change_list(&c->arena, rest, &c->health, err);
	else if (r == 0)
		r = change_add(&c->arena, &c->health, rest, err);
	return r < 0 ? r : *rest == '[' && r == 0 ? refuse(ch, "no list:", rest, err) : 0;
}

static int change_on_build(struct change *ch, const char *text, struct err *err)
{
	static const char *const refused[] = { "ONBUILD", "FROM", "MAINTAINER" };
	size_t n = strcspn(text, " \t");

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strlen(refused[i]) == n && strncasecmp(text, refused[i], n) == 0)
			return refuse(ch, "ONBUILD does not take", refused[i], err);
	return change_add(&ch->c->arena, &ch->c->on_build, text, err);
}

static int apply(struct change *ch, struct err *err)
{
	static const struct {
		const char *name;
		int (*apply)(struct change *ch, const char *text, struct err *err);
	} known[] = { { "CMD", change_cmd },	     { "ENTRYPOINT", change_entrypoint },
		      { "ENV", change_env },	     { "EXPOSE", change_expose },
		      { "HEALTHCHECK", change_health }, { "LABEL", change_label },
		      { "ONBUILD", change_on_build }, { "STOPSIGNAL", change_stop_signal },
		      { "USER", change_user },	     { "VOLUME", change_volume },
		      { "WORKDIR", change_workdir } };
	size_t n = strcspn(ch->text, " \t=");
	const char *value = ch->text + n + (ch->text[n] != '\0');

	value += strspn(value, " \t");
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != n || strncasecmp(ch->text, known[i].name, n) != 0)
			continue;
		return *value != '\0' ? known[i].apply(ch, value, err)
				      : err_msg(err, -EINVAL,
						"change '%.200s': the instruction has no value",
						ch->text);
	}
	return err_msg(err, -EINVAL,
		       "change '%.200s': known are CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
		       "ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR",
		       ch->text);
}

int img_change_all(struct img_config *c, const char *const *changes, size_t n, struct err *err)
{
	struct change ch = { .c = c };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		ch.text = changes[i];
		r = apply(&ch, err);
	}
	return r;
}
