/* SPDX-License-Identifier: MIT */
/**
 * DOC: sessions
 *
 * The first request of a session finds out whether the registry speaks TLS and what it wants to see.  What it
 * accepted goes with every request; when it is no longer accepted (a token has expired) the thread that
 * notices gets another one, once per request, while the others wait for it.
 */
#include "registry/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "registry/challenge.h"
#include "registry/creds.h"
#include "registry/place.h"
#include "registry/settings.h"
#include "registry/token.h"
#include "registry/trust.h"

#define CONNECTIONS_MAX 32 /* that are kept */
#define WAIT_MS_MAX 8000
#define STEP_MS 20 /* between looks at whether it is canceled */
#define RENEWALS_MAX 3 /* of what a request shows: another thread may have used it up */

struct reg_session {
	struct reg_want want;
	struct arena arena;
	struct http_tls tls;
	struct reg_creds creds;
	char base[512]; /* "https://host:port" */
	bool loopback;
	pthread_mutex_t mutex; /* of what follows */
	struct reg_challenge challenge;
	struct str scopes;
	char *authorization;
	unsigned generation; /* of it */
	struct http *idle[CONNECTIONS_MAX];
	size_t nr_idle;
};

const struct reg_settings *reg_session_settings(const struct reg_session *s)
{
	return s->want.settings;
}

static struct http *take_connection(struct reg_session *s)
{
	struct http *h = NULL;

	(void) pthread_mutex_lock(&s->mutex); /* these fail for a bad mutex only */
	if (s->nr_idle > 0)
		h = s->idle[--s->nr_idle];
	(void) pthread_mutex_unlock(&s->mutex);
	return h != NULL ? h : http_new();
}

static void give_connection(struct reg_session *s, struct http *h)
{
	(void) pthread_mutex_lock(&s->mutex); /* as above */
	if (s->nr_idle < CONNECTIONS_MAX) {
		s->idle[s->nr_idle++] = h;
		h = NULL;
	}
	(void) pthread_mutex_unlock(&s->mutex);
	http_free(h);
}

int reg_wait(const struct reg_settings *settings, unsigned attempt, uint64_t after,
	     const atomic_bool *cancel)
{
	uint64_t ms = settings->wait << (attempt < 10 ? attempt : 10);

	ms = ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX;
	ms = after * 1000 > ms ? after * 1000 : ms;
	for (uint64_t done = 0; done < ms; done += STEP_MS) {
		const struct timespec step = { 0, STEP_MS * 1000 * 1000 };

		if (cancel != NULL && atomic_load(cancel))
			return -ECANCELED;
		(void) nanosleep(&step, NULL); /* a signal makes it shorter */
	}
	return 0;
}

/* {"errors": [{"code": "DENIED", "message": "..."}]}, or {"details": "..."} of Docker Hub */
static const char *said(const struct http_answer *a, struct arena *arena)
{
	struct json_in in;
	const struct json *list, *first;
	const char *text = NULL, *code = NULL;

	if (a->text.p != NULL && json_parse(&in, "answer", arena, a->text.p, a->text.len, NULL) == 0) {
		if (in.root->kind == JSON_KIND_OBJECT) {
			list = json_get_array(&in, in.root, "errors", 1024);
			first = list != NULL && list->first->kind == JSON_KIND_OBJECT ? list->first : NULL;
			code = first != NULL ? json_get_str(&in, first, "code") : NULL;
			text = first != NULL ? json_get_str(&in, first, "message")
					     : json_get_str(&in, in.root, "details");
		}
		if (in.code < 0)
			text = code = NULL;
		json_fini(&in);
	}
	return text != NULL && *text != '\0' ? text : code;
}

int reg_refused(const struct http_answer *a, const char *what, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const char *text = said(a, &arena);
	int r = a->status == 404				? -ENOENT
		: a->status == 401 || a->status == 403 ? -EACCES
						       : -ECOMM;

	if (a->status == 404 || a->status == 401 || a->status == 403)
		return err_msg(err, r, "%s: %.300s", what,
			       text != NULL	    ? text
			       : a->status == 404   ? "not found"
			       : a->status == 401   ? "unauthorized: authentication required"
						    : "denied");
	return err_msg(err, r, "%s: the registry answered with status %ld%s%.300s", what, a->status,
		       text != NULL ? ": " : "", text != NULL ? text : "");
}

static void fill(struct reg_session *s, struct http_request *q)
{
	q->tls = &s->tls;
	q->loopback = s->loopback;
	if (q->stall == 0)
		q->stall = (unsigned) s->want.settings->stall;
}

/* Make @s->authorization of the challenge; the caller holds the mutex. */
static int authorize(struct reg_session *s, struct http *h, const struct http_request *q, struct err *err)
{
	_cleanup_(str_fini) struct str value = { 0 };
	int r = 0;

	if (s->challenge.scheme == REG_SCHEME_BEARER)
		r = reg_token_get(h, s->want.settings, q, &s->challenge, &s->creds, s->scopes.p != NULL ? s->scopes.p : "",
				  &value, err);
	else if (s->challenge.scheme == REG_SCHEME_BASIC && s->creds.user != NULL)
		reg_token_basic(&value, s->creds.user, s->creds.password != NULL ? s->creds.password : "");
	else
		return -EACCES; /* nothing that could be shown */
	if (r < 0)
		return r;
	free(s->authorization);
	s->authorization = str_steal(&value);
	s->generation++;
	return s->authorization != NULL ? 0 : err_set(err, -ENOMEM, "log in");
}

/*
 * The registry wants to see something else than that of @generation.
 * Return: 0 there is something else now; -EACCES there is not; -errno with a message.
 */
static int renew(struct reg_session *s, struct http *h, const struct http_request *q,
		 const struct http_answer *a, unsigned generation, struct err *err)
{
	struct reg_challenge c;
	int r = 0;

	(void) pthread_mutex_lock(&s->mutex); /* fails for a bad mutex only */
	if (s->generation == generation && s->authorization != NULL &&
	    s->challenge.scheme == REG_SCHEME_BASIC) {
		r = -EACCES; /* the same password would be refused again */
	} else if (s->generation == generation) {
		r = reg_challenge_parse(a->challenge.p != NULL ? a->challenge.p : "", &c, err);
		if (r == 0) {
			s->challenge = c;
			r = authorize(s, h, q, err);
		}
	}
	(void) pthread_mutex_unlock(&s->mutex); /* as above */
	return r;
}

/* What the registry is known to want is shown at once; @ret: a copy, or NULL */
static int show_authorization(struct reg_session *s, struct http *h, const struct http_request *q,
			      char **ret, unsigned *ret_generation, struct err *err)
{
	int r = 0;

	(void) pthread_mutex_lock(&s->mutex); /* as above */
	if (s->authorization == NULL && s->challenge.scheme == REG_SCHEME_BEARER)
		r = authorize(s, h, q, err);
	*ret = s->authorization != NULL ? strdup(s->authorization) : NULL;
	*ret_generation = s->generation;
	(void) pthread_mutex_unlock(&s->mutex); /* as above */
	return r;
}

/* Another host gets no password of this one */
static bool is_own(const struct reg_session *s, const char *url)
{
	size_t n = strlen(s->base);

	return strncmp(url, s->base, n) == 0 && (url[n] == '/' || url[n] == '?' || url[n] == '\0');
}

static int send_once(struct reg_session *s, struct http *h, struct http_request *q,
		     struct http_answer *ret, struct err *err)
{
	bool own = is_own(s, q->url);
	int r;

	for (int renewals = 0;; renewals++) {
		_cleanup_free_ char *authorization = NULL;
		unsigned generation = 0;

		r = own ? show_authorization(s, h, q, &authorization, &generation, err) : 0;
		if (r < 0)
			return r;
		q->authorization = authorization;
		r = http_send(h, q, ret, err);
		q->authorization = NULL;
		if (r < 0 || ret->status != 401 || !own || renewals == RENEWALS_MAX)
			return r;
		r = renew(s, h, q, ret, generation, err);
		if (r == -EACCES && s->challenge.scheme != REG_SCHEME_BEARER)
			return 0; /* the answer says so */
		if (r < 0)
			return r;
	}
}

/* A path, or an address that the registry named: never from https to http, and nothing but these two */
static int resolve(const struct reg_session *s, const char *url, struct str *ret, struct err *err)
{
	const char *host = strstr(s->base, "://") + 3;
	bool plain = str_starts(s->base, "http:");

	if (url[0] == '/' && url[1] == '/')
		str_printf(ret, "%s:%s", plain ? "http" : "https", url);
	else if (url[0] == '/')
		str_printf(ret, "%s%s", s->base, url);
	else if (str_starts(url, "https://") || (plain && str_starts(url, "http://")))
		str_puts(ret, url);
	else if (str_starts(url, "http://") && str_starts(url + 7, host) && url[7 + strlen(host)] == '/')
		str_printf(ret, "%s%s", s->base, url + 7 + strlen(host)); /* it does not know what is in front of it */
	else
		return err_msg(err, -EBADMSG, "the registry sends us to '%.200s', which is not safe", url);
	return ret->failed ? err_set(err, -ENOMEM, "send a request") : 0;
}

int reg_send(struct reg_session *s, struct http_request *request, struct http_answer *ret,
	     struct err *err)
{
	_cleanup_(str_fini) struct str url = { 0 };
	struct http_request q = *request;
	int r = resolve(s, q.url, &url, err);
	struct http *h = r == 0 ? take_connection(s) : NULL;

	if (h == NULL)
		return r < 0 ? r : err_set(err, -ENOMEM, "send a request");
	q.url = url.p;
	fill(s, &q);
	for (unsigned attempt = 0;; attempt++) {
		r = send_once(s, h, &q, ret, err);
		if (!ret->again || q.sink != NULL || q.file >= 0 || (r < 0 && r != -ECOMM) ||
		    attempt + 1 >= s->want.settings->attempts)
			break;
		if (reg_wait(s->want.settings, attempt, ret->retry_after, q.cancel) < 0) {
			r = err_msg(err, -ECANCELED, "canceled");
			break;
		}
	}
	give_connection(s, h);
	return r;
}

void reg_path(const struct reg_session *s, struct str *ret, const char *rest)
{
	str_printf(ret, "/v2/%s/%s", s->want.place->path, rest);
}

void reg_session_scope(struct reg_session *s, const char *scope)
{
	(void) pthread_mutex_lock(&s->mutex); /* as above */
	if (s->scopes.p == NULL || strstr(s->scopes.p, scope) == NULL) {
		str_printf(&s->scopes, "%s%s", s->scopes.len > 0 ? " " : "", scope);
		free(s->authorization); /* a token is asked for anew */
		s->authorization = NULL;
		s->generation++;
	}
	(void) pthread_mutex_unlock(&s->mutex); /* as above */
}

static int ping(struct reg_session *s, const char *scheme, const char *address, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	struct http_request q = { .method = "GET", .url = "/v2/", .file = -1 };
	_cleanup_(str_fini) struct str url = { 0 };
	struct http *h = http_new();
	int r;

	(void) snprintf(s->base, sizeof(s->base), "%s://%s", scheme, address); /* fits: a host name */
	str_printf(&url, "%s/v2/", s->base);
	if (h == NULL || url.failed) {
		http_free(h);
		return err_set(err, -ENOMEM, "reach the registry");
	}
	q.url = url.p;
	fill(s, &q);
	for (unsigned attempt = 0;; attempt++) {
		r = http_send(h, &q, &a, err);
		if (!a.again || attempt + 1 >= s->want.settings->attempts || (r < 0 && r != -ECOMM))
			break;
		(void) reg_wait(s->want.settings, attempt, a.retry_after, NULL); /* nobody cancels it */
	}
	give_connection(s, h);
	if (r == 0 && a.status == 401)
		r = reg_challenge_parse(a.challenge.p != NULL ? a.challenge.p : "", &s->challenge, err);
	else if (r == 0 && a.status >= 500)
		r = reg_refused(&a, address, err);
	return r;
}

static int reach(struct reg_session *s, struct err *err)
{
	const struct reg_place *p = s->want.place;
	bool plain = p->scheme == NULL && !s->tls.verify;
	struct err first = { 0 };
	int r;

	if (p->scheme != NULL)
		return ping(s, p->scheme, p->address, err);
	r = ping(s, "https", p->address, plain ? &first : err);
	if (r == -ECOMM && plain)
		r = ping(s, "http", p->address, err);
	return r;
}

/* Of --creds, which a mirror does not get, or what is kept */
static int find_creds(struct reg_session *s, struct err *err)
{
	const struct reg_place *p = s->want.place;
	const char *creds = p->mirror ? NULL : s->want.access->creds;
	const char *colon = creds != NULL ? strchr(creds, ':') : NULL, *authfile = s->want.access->authfile;

	if (creds == NULL && authfile != NULL && access(authfile, F_OK) < 0)
		return err_set(err, -errno, "read '%s'", authfile); /* who names it expects something of it */
	if (creds == NULL)
		return reg_creds_find(authfile, p->host, p->path, &s->arena, &s->creds, err);
	s->creds.user = arena_strndup(&s->arena, creds, colon != NULL ? (size_t) (colon - creds)
								      : strlen(creds));
	s->creds.password = colon != NULL ? colon + 1 : "";
	return s->creds.user != NULL ? 0 : err_set(err, -ENOMEM, "log in");
}

int reg_session_open(const struct reg_want *want, struct reg_session **ret, struct err *err)
{
	_cleanup_(reg_session_freep) struct reg_session *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "reach the registry");
	s->want = *want;
	(void) pthread_mutex_init(&s->mutex, NULL); /* never fails */
	s->tls.verify = !(want->place->insecure || want->access->no_verify);
	s->loopback = reg_place_loopback(want->place->address);
	if (want->actions != NULL)
		str_printf(&s->scopes, "repository:%s:%s", want->place->path, want->actions);
	r = find_creds(s, err);
	if (r == 0)
		r = reg_trust_read(want->access->cert_dir, want->place->host, &s->arena, &s->tls, err);
	if (r == 0)
		r = reach(s, err);
	if (r == 0)
		*ret = take_ptr(s);
	return r;
}

int reg_session_log_in(struct reg_session *s, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	struct http_request q = { .method = "GET", .url = "/v2/", .file = -1 };
	int r = reg_send(s, &q, &a, err);

	if (r == 0 && a.status != 200)
		r = reg_refused(&a, s->base, err);
	return r;
}

void reg_session_free(struct reg_session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nr_idle; i++)
		http_free(s->idle[i]);
	(void) pthread_mutex_destroy(&s->mutex); /* never fails */
	str_fini(&s->scopes);
	free(s->authorization);
	arena_fini(&s->arena);
	free(s);
}
