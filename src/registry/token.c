/* SPDX-License-Identifier: MIT */
#include "registry/token.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "registry/base64.h"
#include "registry/challenge.h"
#include "registry/creds.h"
#include "registry/http.h"
#include "registry/session.h"
#include "registry/settings.h"

static void escape(struct str *s, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char) text[i];

		if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
			str_add(s, &c, 1);
		else
			str_printf(s, "%%%02X", c);
	}
}

/* "&name=value"; in front of the first one there is @first */
static void add_field(struct str *s, const char *first, const char *name, const char *value, size_t n)
{
	str_printf(s, "%s%s=", first, name);
	escape(s, value, n);
}

void reg_token_basic(struct str *ret, const char *user, const char *password)
{
	_cleanup_(str_fini) struct str plain = { 0 };

	str_printf(&plain, "%s:%s", user, password);
	str_puts(ret, "Basic ");
	base64_add(ret, plain.p != NULL ? plain.p : "", plain.len);
}

int reg_token_parse(const char *text, size_t len, struct arena *arena, const char **ret, struct err *err)
{
	const char *token = NULL;
	struct json_in in;
	int r = json_parse(&in, "token", arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root)) {
		token = json_get_str(&in, in.root, "token");
		if (token == NULL || *token == '\0')
			token = json_get_str(&in, in.root, "access_token");
		if (in.code == 0 && (token == NULL || *token == '\0' || strlen(token) > REG_TOKEN_MAX))
			(void) json_fail(&in, in.root, "token", "it is missing or over %u bytes",
					 REG_TOKEN_MAX); /* kept in in.code */
		for (const char *p = token; in.code == 0 && p != NULL && *p != '\0'; p++)
			if (!isgraph((unsigned char) *p)) /* it goes into a header */
				(void) json_fail(&in, in.root, "token", "it is no token"); /* as above */
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0)
		*ret = token;
	return r;
}

static void build(const struct reg_challenge *c, const struct reg_creds *creds, const char *scopes,
		  bool form, struct str *s)
{
	if (form) {
		add_field(s, "", "grant_type", "refresh_token", strlen("refresh_token"));
		add_field(s, "&", "service", c->service, strlen(c->service));
		add_field(s, "&", "client_id", "cleave", strlen("cleave"));
		add_field(s, "&", "refresh_token", creds->token, strlen(creds->token));
		if (*scopes != '\0')
			add_field(s, "&", "scope", scopes, strlen(scopes));
		return;
	}
	str_puts(s, c->realm);
	add_field(s, strchr(c->realm, '?') != NULL ? "&" : "?", "service", c->service, strlen(c->service));
	if (creds->user != NULL)
		add_field(s, "&", "account", creds->user, strlen(creds->user));
	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		add_field(s, "&", "scope", scopes, n);
		scopes += n + strspn(scopes + n, " ");
	}
}

int reg_token_get(struct http *h, const struct reg_settings *settings, const struct http_request *base,
		  const struct reg_challenge *c, const struct reg_creds *creds, const char *scopes, struct str *ret,
		  struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 }, basic = { 0 };
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct http_request q = *base;
	const char *token;
	int r;

	if (!str_starts(c->realm, "https://") &&
	    !(str_starts(c->realm, "http://") && str_starts(base->url, "http://")))
		return err_msg(err, -EINVAL, "the registry sends us for a token to '%.200s', which is not safe",
			       c->realm);
	build(c, creds, scopes, creds->token != NULL, &text);
	if (creds->token == NULL && creds->user != NULL)
		reg_token_basic(&basic, creds->user, creds->password != NULL ? creds->password : "");
	if (text.failed || basic.failed)
		return err_set(err, -ENOMEM, "ask for a token");
	q.method = creds->token != NULL ? "POST" : "GET";
	q.url = creds->token != NULL ? c->realm : text.p;
	q.body = creds->token != NULL ? text.p : NULL;
	q.body_len = q.body != NULL ? text.len : 0;
	q.content_type = q.body != NULL ? "application/x-www-form-urlencoded" : NULL;
	q.authorization = basic.p;
	q.accept = q.content_range = NULL;
	q.sink = NULL;
	q.sent = NULL;
	q.file = -1;
	q.from = 0;
	for (unsigned attempt = 0;; attempt++) {
		r = http_send(h, &q, &a, err);
		if (!a.again || attempt + 1 >= settings->attempts || (r < 0 && r != -ECOMM))
			break;
		r = reg_wait(settings, attempt, a.retry_after, base->cancel);
		if (r < 0)
			return err_msg(err, r, "canceled");
	}
	if (r < 0)
		return err_wrap(err, r, "get a token");
	if (a.status != 200)
		return reg_refused(&a, "get a token", err);
	r = reg_token_parse(a.text.p != NULL ? a.text.p : "", a.text.len, &arena, &token, err);
	if (r == 0)
		str_printf(ret, "Bearer %s", token);
	return r < 0 ? r : ret->failed ? err_set(err, -ENOMEM, "get a token") : 0;
}
