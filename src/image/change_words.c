/* SPDX-License-Identifier: MIT */
#include "image/change_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#define WORD_MAX (1u << 20) /* bytes, after expansion */

int change_add(struct arena *a, struct img_words *list, const char *word, struct err *err)
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

int change_set(struct arena *a, struct img_words *list, const char *word, struct err *err)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], word, n) == 0 &&
		    (list->v[i][n] == '=' || list->v[i][n] == '\0')) {
			list->v[i] = word;
			return 0;
		}
	return change_add(a, list, word, err);
}

int change_list(struct arena *a, const char *text, struct img_words *ret, struct err *err)
{
	struct json_in in;
	int r;

	if (*text != '[')
		return 0;
	r = json_parse(&in, "list", a, text, strlen(text), NULL);
	if (r == 0 && (in.root->kind != JSON_KIND_ARRAY || in.root->len > CHANGE_WORDS_MAX))
		r = -EINVAL;
	for (const struct json *it = r == 0 ? in.root->first : NULL; r == 0 && it != NULL;
	     it = it->next) {
		const char *word = json_to_str(&in, it);

		r = word != NULL ? change_add(a, ret, word, err) : -EINVAL;
	}
	json_fini(&in);
	return r == 0 ? 1 : r == -ENOMEM ? r : 0;
}

static const char *environment(const struct img_config *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->env.n; i++)
		if (strncmp(c->env.v[i], name, n) == 0 && c->env.v[i][n] == '=')
			return c->env.v[i] + n + 1;
	return NULL;
}

static size_t name_len(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char) p[n]) || p[n] == '_')
		n++;
	return isdigit((unsigned char) *p) ? 0 : n;
}

/* @p: behind "$".  $NAME, ${NAME}, ${NAME:-else}, ${NAME:+instead}.  Return: what follows; NULL refused. */
static const char *variable(const struct img_config *c, const char *p, struct str *to)
{
	bool brace = *p == '{';
	size_t n = name_len(p + brace);
	const char *value = environment(c, p + brace, n), *end = p + brace + n;

	if (n == 0 && !brace) {
		str_puts(to, "$");
		return p;
	}
	if (brace && end[0] == ':' && (end[1] == '-' || end[1] == '+')) {
		bool has = value != NULL && *value != '\0', instead = end[1] == '+';
		const char *word = end + 2;

		end = word + strcspn(word, "}");
		if (has && !instead)
			str_puts(to, value);
		else if (has == instead)
			str_add(to, word, (size_t) (end - word));
	} else {
		str_puts(to, value != NULL ? value : "");
	}
	if (brace && (n == 0 || *end != '}'))
		return NULL;
	return end + brace;
}

int change_word(struct img_config *c, const char **p, int blanks, const char **ret,
		struct err *err)
{
	_cleanup_(str_fini) struct str to = { 0 };
	const char *q = *p + strspn(*p, " \t"), *begin = q;
	char quote = '\0';

	if (*q == '\0')
		return 0;
	for (; *q != '\0' && (blanks || quote != '\0' || (*q != ' ' && *q != '\t')); q++) {
		if (quote == '\0' && (*q == '"' || *q == '\'')) {
			quote = *q;
		} else if (quote != '\0' && *q == quote) {
			quote = '\0';
		} else if (*q == '\\' && quote != '\'' && q[1] != '\0') {
			str_add(&to, ++q, 1);
		} else if (*q == '$' && quote != '\'') {
			q = variable(c, q + 1, &to);
			if (q == NULL)
				return err_msg(err, -EINVAL,
					       "change '%.200s': no valid ${NAME}", begin);
			q--;
		} else {
			str_add(&to, q, 1);
		}
		if (to.len > WORD_MAX)
			return err_msg(err, -EINVAL, "change '%.100s...': a word over %u bytes",
				       begin, WORD_MAX);
	}
	if (quote != '\0')
		return err_msg(err, -EINVAL, "change '%.200s': a quote is not closed", begin);
	*p = q;
	*ret = to.failed ? NULL : arena_strndup(&c->arena, to.p != NULL ? to.p : "", to.len);
	return *ret != NULL ? 1 : err_set(err, -ENOMEM, "change the image");
}

int change_split(struct img_config *c, const char *text, struct img_words *ret, struct err *err)
{
	const char *word;
	int r;

	while ((r = change_word(c, &text, false, &word, err)) == 1) {
		r = ret->n < CHANGE_WORDS_MAX
			    ? change_add(&c->arena, ret, word, err)
			    : err_msg(err, -EINVAL, "change '%.100s': too many words", text);
		if (r < 0)
			return r;
	}
	return r;
}
