/* SPDX-License-Identifier: MIT */
#include "image/edit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "image/config.h"

#define WORDS_MAX 4096 /* in one instruction or list */

static int add(struct arena *a, struct img_words *list, const char *word, struct err *err)
{
	const char **v = arena_alloc(a, list->n + 2, sizeof(*v));

	if (v == NULL || word == NULL)
		return err_set(err, -ENOMEM, "change the image");
	if (list->n > 0)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n++] = word;
	list->v = v;
	return 0;
}

/* Replace the entry with the same text in front of "=", or append */
static int set(struct arena *a, struct img_words *list, const char *word, struct err *err)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], word, n) == 0 &&
		    (list->v[i][n] == '=' || list->v[i][n] == '\0')) {
			list->v[i] = word;
			return 0;
		}
	return add(a, list, word, err);
}

/* ["a", "b"].  Return: 1; 0 it is no list; -ENOMEM. */
static int list_form(struct arena *a, const char *text, struct img_words *ret, struct err *err)
{
	struct json_in in;
	int r = *text == '[' ? json_parse(&in, "list", a, text, strlen(text), NULL) : 0;

	if (*text != '[')
		return 0;
	if (r == 0 && in.root->kind == JSON_KIND_ARRAY && in.root->len <= WORDS_MAX)
		for (const struct json *it = in.root->first; r == 0 && it != NULL; it = it->next) {
			const char *word = json_to_str(&in, it);

			r = word != NULL ? add(a, ret, word, err) : -EINVAL;
		}
	json_fini(&in);
	return r == 0 ? 1 : r == -ENOMEM ? r : 0;
}

/* Split at blanks; quotes and backslashes as in a shell */
static int split(struct arena *a, const char *text, struct img_words *ret, struct err *err)
{
	for (const char *p = text;;) {
		char *word, *to, quote = '\0';
		int r;

		p += strspn(p, " \t");
		if (*p == '\0')
			return 0;
		word = to = arena_alloc(a, strlen(p) + 1, 1);
		if (word == NULL)
			return err_set(err, -ENOMEM, "change the image");
		for (; *p != '\0' && (quote != '\0' || (*p != ' ' && *p != '\t')); p++) {
			if (quote == '\0' && (*p == '"' || *p == '\''))
				quote = *p;
			else if (quote != '\0' && *p == quote)
				quote = '\0';
			else if (*p == '\\' && quote != '\'' && p[1] != '\0')
				*to++ = *++p;
			else
				*to++ = *p;
		}
		if (quote != '\0')
			return err_msg(err, -EINVAL, "change '%.200s': a quote is not closed", text);
		r = ret->n < WORDS_MAX ? add(a, ret, word, err)
				       : err_msg(err, -EINVAL, "change '%.100s': too many words", text);
		if (r < 0)
			return r;
	}
}

static int change_command(struct img_config *c, struct img_words *to, const char *text,
			  struct err *err)
{
	struct img_words words = { 0 };
	int r = list_form(&c->arena, text, &words, err);

	if (r == 0) {
		r = add(&c->arena, &words, "/bin/sh", err);
		if (r == 0)
			r = add(&c->arena, &words, "-c", err);
		if (r == 0)
			r = add(&c->arena, &words, text, err);
	}
	if (r >= 0)
		*to = words;
	return r < 0 ? r : 0;
}

/* ENV and LABEL: NAME=VALUE..., or one NAME VALUE */
static int change_pairs(struct img_config *c, struct img_words *to, const char *text,
			struct err *err)
{
	struct img_words words = { 0 };
	int r = split(&c->arena, text, &words, err);

	if (r == 0 && words.n > 1 && strchr(words.v[0], '=') == NULL) {
		const char *rest = text + strcspn(text, " \t");
		const char *one = arena_printf(&c->arena, "%s=%s", words.v[0],
					       rest + strspn(rest, " \t"));

		return one != NULL ? set(&c->arena, to, one, err)
				   : err_set(err, -ENOMEM, "change the image");
	}
	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = strchr(words.v[i], '=') > words.v[i]
			    ? set(&c->arena, to, words.v[i], err)
			    : err_msg(err, -EINVAL, "change '%.200s': '%.100s' is not NAME=VALUE",
				      text, words.v[i]);
	return r;
}

/* EXPOSE and VOLUME */
static int change_set(struct img_config *c, struct img_words *to, const char *text, bool ports,
		      struct err *err)
{
	struct img_words words = { 0 };
	int r = list_form(&c->arena, text, &words, err);

	if (r == 0)
		r = split(&c->arena, text, &words, err);
	for (size_t i = 0; r >= 0 && i < words.n; i++) {
		const char *word = words.v[i];

		if (ports && strchr(word, '/') == NULL)
			word = arena_printf(&c->arena, "%s/tcp", word);
		if (word == NULL)
			return err_set(err, -ENOMEM, "change the image");
		if (ports && !isdigit((unsigned char) *word))
			return err_msg(err, -EINVAL, "change EXPOSE: '%.100s' is no port", word);
		r = set(&c->arena, to, word, err);
	}
	return r < 0 ? r : 0;
}

static int apply(struct img_config *c, const char *change, struct err *err)
{
	size_t n = strcspn(change, " \t=");
	const char *value = change + n + (change[n] != '\0');

	value += strspn(value, " \t");
#define IS(word) (n == sizeof(word) - 1 && strncasecmp(change, word, n) == 0)
	if (*value == '\0')
		return err_msg(err, -EINVAL, "change '%.200s': the instruction has no value", change);
	if (IS("CMD"))
		return change_command(c, &c->cmd, value, err);
	if (IS("ENTRYPOINT"))
		return change_command(c, &c->entrypoint, value, err);
	if (IS("ENV"))
		return change_pairs(c, &c->env, value, err);
	if (IS("LABEL"))
		return change_pairs(c, &c->labels, value, err);
	if (IS("EXPOSE"))
		return change_set(c, &c->ports, value, true, err);
	if (IS("VOLUME"))
		return change_set(c, &c->volumes, value, false, err);
	if (IS("USER"))
		c->user = value;
	else if (IS("WORKDIR"))
		c->workdir = value;
	else if (IS("STOPSIGNAL"))
		c->stop_signal = value;
	else
		return err_msg(err, -EINVAL,
			       "change '%.200s': known are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, "
			       "STOPSIGNAL, USER, VOLUME and WORKDIR",
			       change);
#undef IS
	return 0;
}

static bool one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static void write_set(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n == 0)
		return;
	json_open(s, key, '{');
	for (size_t i = 0; i < list->n; i++) {
		json_open(s, list->v[i], '{');
		json_close(s, '}');
	}
	json_close(s, '}');
}

static void write_words(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n > 0)
		json_texts(s, key, list->v, list->n);
}

static void write_config(struct json_in *in, const struct img_config *c, struct str *s)
{
	static const char *const own[] = { "User",	 "ExposedPorts", "Env",	   "Entrypoint",
					   "Cmd",	 "Volumes",	 "Labels", "WorkingDir",
					   "StopSignal" };
	const struct json *old = json_get_object(in, in->root, "config");

	json_open(s, "config", '{');
	if (c->user != NULL)
		json_text(s, "User", c->user);
	write_set(s, "ExposedPorts", &c->ports);
	write_words(s, "Env", &c->env);
	write_words(s, "Entrypoint", &c->entrypoint);
	write_words(s, "Cmd", &c->cmd);
	write_set(s, "Volumes", &c->volumes);
	if (c->workdir != NULL)
		json_text(s, "WorkingDir", c->workdir);
	if (c->labels.n > 0)
		json_pairs(s, "Labels", c->labels.v, c->labels.n);
	if (c->stop_signal != NULL)
		json_text(s, "StopSignal", c->stop_signal);
	for (const struct json *it = old != NULL ? old->first : NULL; it != NULL; it = it->next)
		if (!one_of(it->key, own, ARRAY_LEN(own)))
			json_node(s, it->key, it);
	json_close(s, '}');
}

static void write_history(struct json_in *in, const struct img_edit *e, const char *created,
			  struct str *s)
{
	const struct json *old = json_get_array(in, in->root, "history", WORDS_MAX);

	json_open(s, "history", '[');
	for (const struct json *it = old != NULL ? old->first : NULL; it != NULL; it = it->next)
		json_node(s, NULL, it);
	json_open(s, NULL, '{');
	json_text(s, "created", created);
	if (e->author != NULL)
		json_text(s, "author", e->author);
	if (e->created_by != NULL)
		json_text(s, "created_by", e->created_by);
	if (e->comment != NULL)
		json_text(s, "comment", e->comment);
	json_close(s, '}');
	json_close(s, ']');
}

/* What describes the container an old image was made from does not fit the new one. */
static void write_all(struct json_in *in, const struct img_config *c, const struct img_edit *e,
		      const char *diff_id, struct str *s)
{
	static const char *const own[] = { "created", "config",	   "rootfs",	       "history",
					   "id",      "parent",	   "container_config", "container",
					   "comment" };
	char created[TIME_TEXT_MAX];

	time_rfc3339(e->created, created);
	json_open(s, NULL, '{');
	json_text(s, "created", created);
	if (e->author != NULL)
		json_text(s, "author", e->author);
	for (const struct json *it = in->root->first; it != NULL; it = it->next)
		if (!one_of(it->key, own, ARRAY_LEN(own)) &&
		    !(e->author != NULL && strcmp(it->key, "author") == 0))
			json_node(s, it->key, it);
	write_config(in, c, s);
	json_open(s, "rootfs", '{');
	json_text(s, "type", "layers");
	json_open(s, "diff_ids", '[');
	for (size_t i = 0; i < c->diff_ids.n; i++)
		json_text(s, NULL, c->diff_ids.v[i]);
	json_text(s, NULL, diff_id);
	json_close(s, ']');
	json_close(s, '}');
	write_history(in, e, created, s);
	json_close(s, '}');
}

int img_edit_config(const char *base, size_t len, const struct img_edit *edit, const char *diff_id,
		    struct str *ret, struct err *err)
{
	_cleanup_(img_config_fini) struct img_config c = { 0 };
	struct json_in in;
	int r = img_config_parse("image configuration", base, len, &c, err);

	for (size_t i = 0; r == 0 && i < edit->nr_changes; i++)
		r = apply(&c, edit->changes[i], err);
	if (r < 0)
		return r;
	r = json_parse(&in, "image configuration", &c.arena, base, len, err);
	if (r == 0) {
		write_all(&in, &c, edit, diff_id, ret);
		r = in.code;
	}
	json_fini(&in);
	return r == 0 && ret->failed ? err_set(err, -ENOMEM, "change the image") : r;
}
