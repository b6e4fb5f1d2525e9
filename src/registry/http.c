/* SPDX-License-Identifier: MIT */
#include "registry/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#define BUFFER_SIZE (256L << 10) /* bytes of one read */
#define SLOW_BYTES 32L /* per second: less than that is none */

struct http {
	CURL *curl;
	char message[CURL_ERROR_SIZE];
};

/* A request on its way */
struct transfer {
	CURL *curl;
	const struct http_request *request;
	struct http_answer *answer;
	uint64_t received, sent;
	int code; /* of a callback */
	struct err *err;
};

struct http *http_new(void)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->curl = curl_easy_init();
	if (h->curl == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

static size_t take_header(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;

	http_header(t->answer, p, size * n);
	return size * n;
}

static int take_text(struct transfer *t, const char *p, size_t n)
{
	if (t->answer->text.len + n > HTTP_TEXT_MAX)
		return err_msg(t->err, -EFBIG, "%.300s: the answer is over %u bytes", t->request->url,
			       HTTP_TEXT_MAX);
	str_add(&t->answer->text, p, n);
	return t->answer->text.failed ? err_set(t->err, -ENOMEM, "read an answer") : 0;
}

static size_t take_body(char *p, size_t size, size_t n, void *data)
{
	const struct http_sink *sink;
	struct transfer *t = data;
	long status = 0;

	n *= size;
	(void) curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status); /* 0 is fine */
	sink = status == 200 || status == 206 ? t->request->sink : NULL;
	if (sink != NULL && status == 206 && t->answer->from != t->request->from) {
		t->code = err_msg(t->err, -EBADMSG,
				  "%.300s: asked for bytes from %" PRIu64 " on, the server sent those from %" PRIu64,
				  t->request->url, t->request->from, t->answer->from);
		return 0;
	}
	t->code = sink != NULL ? sink->take(sink->data, (status == 206 ? t->answer->from : 0) + t->received,
					    p, n, t->err)
			       : take_text(t, p, n);
	t->received += n;
	return t->code == 0 ? n : 0;
}

static size_t give_body(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	uint64_t left = t->request->file_size - t->sent;
	ssize_t have;

	n *= size;
	have = pread(t->request->file, p, n < left ? n : (size_t) left,
		     (off_t) (t->request->file_at + t->sent));
	if (have < 0 || (have == 0 && left > 0)) {
		t->code = err_set(t->err, have < 0 ? -errno : -EIO, "read what is to be sent");
		return CURL_READFUNC_ABORT;
	}
	t->sent += (uint64_t) have;
	if (t->request->sent != NULL)
		(void) atomic_fetch_add(t->request->sent, (uint64_t) have);
	return (size_t) have;
}

/* After a redirect the body is sent once more */
static int rewind_body(void *data, curl_off_t at, int origin)
{
	struct transfer *t = data;

	if (origin != SEEK_SET || at < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	if (t->request->sent != NULL)
		(void) atomic_fetch_sub(t->request->sent, t->sent - (uint64_t) at);
	t->sent = (uint64_t) at;
	return CURL_SEEKFUNC_OK;
}

static int check_cancel(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	const struct transfer *t = data;

	(void) total;
	(void) now;
	(void) up_total;
	(void) up;
	return t->request->cancel != NULL && atomic_load(t->request->cancel);
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	_cleanup_(str_fini) struct str s = { 0 };
	struct curl_slist *more;

	if (value == NULL)
		return true;
	str_printf(&s, "%s: %s", name, value);
	more = s.failed ? NULL : curl_slist_append(*list, s.p);
	if (more == NULL)
		return false;
	*list = more;
	return true;
}

static struct curl_slist *headers(const struct http_request *r)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (list != NULL && add_header(&list, "Accept", r->accept) &&
	    add_header(&list, "Content-Type", r->content_type) &&
	    add_header(&list, "Content-Range", r->content_range) &&
	    add_header(&list, "Authorization", r->authorization))
		return list;
	curl_slist_free_all(list);
	return NULL;
}

static void set_trust(CURL *c, const struct http_tls *tls)
{
	struct curl_blob ca = { 0 };

	if (tls == NULL)
		return;
	(void) curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L); /* as those below */
	(void) curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
	if (tls->ca != NULL) {
		ca = (struct curl_blob) { (void *) (uintptr_t) tls->ca, strlen(tls->ca), CURL_BLOB_COPY };
		(void) curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
	}
	if (tls->cert != NULL)
		(void) curl_easy_setopt(c, CURLOPT_SSLCERT, tls->cert);
	if (tls->key != NULL)
		(void) curl_easy_setopt(c, CURLOPT_SSLKEY, tls->key);
}

/* libcurl reads this variable in lower case only */
static void set_proxy(CURL *c, const struct http_request *r)
{
	const char *proxy = getenv("HTTP_PROXY");

	if (r->loopback)
		(void) curl_easy_setopt(c, CURLOPT_PROXY, "");
	else if (proxy != NULL && getenv("http_proxy") == NULL && str_starts(r->url, "http://"))
		(void) curl_easy_setopt(c, CURLOPT_PROXY, proxy);
}

static void set_body(CURL *c, const struct http_request *r, struct transfer *t)
{
	if (r->file >= 0) {
		(void) curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		(void) curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t) r->file_size);
		(void) curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
		(void) curl_easy_setopt(c, CURLOPT_READDATA, t);
		(void) curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, rewind_body);
		(void) curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
		(void) curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
	} else if (r->body != NULL || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) {
		(void) curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long) r->body_len);
		(void) curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body != NULL ? r->body : "");
	} else if (strcmp(r->method, "HEAD") == 0) {
		(void) curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	}
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		(void) curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
}

/* The options fail for want of memory only, and libcurl says so again when it performs. */
static void set_up(struct http *h, const struct http_request *r, struct transfer *t)
{
	CURL *c = h->curl;
	char range[48];

	curl_easy_reset(c); /* connections stay */
	(void) curl_easy_setopt(c, CURLOPT_URL, r->url);
	(void) curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->message);
	(void) curl_easy_setopt(c, CURLOPT_USERAGENT, "cleave/" CLEAVE_VERSION);
	(void) curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR,
				str_starts(r->url, "https:") ? "https" : "http,https");
	(void) curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	(void) curl_easy_setopt(c, CURLOPT_POSTREDIR, CURL_REDIR_POST_ALL);
	(void) curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long) HTTP_REDIRECTS_MAX);
	(void) curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long) HTTP_CONNECT_SECONDS);
	(void) curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	(void) curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long) r->stall);
	if (r->sink == NULL && r->file < 0)
		(void) curl_easy_setopt(c, CURLOPT_TIMEOUT, (long) HTTP_TEXT_SECONDS);
	(void) curl_easy_setopt(c, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	(void) curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	(void) curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	(void) curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, check_cancel);
	(void) curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	(void) curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	if (r->to > 0)
		(void) snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, r->from, r->to - 1);
	else
		(void) snprintf(range, sizeof(range), "%" PRIu64 "-", r->from);
	if (r->from > 0 || r->to > 0)
		(void) curl_easy_setopt(c, CURLOPT_RANGE, range);
	set_trust(c, r->tls);
	set_proxy(c, r);
	set_body(c, r, t);
}

static bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WEIRD_SERVER_REPLY:
		return true;
	default:
		return false;
	}
}

static int failed(const struct http *h, const struct transfer *t, CURLcode code, struct err *err)
{
	int url = (int) strcspn(t->request->url, "?");

	if (t->code < 0)
		return t->code;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_msg(err, -ECANCELED, "canceled");
	t->answer->again = may_pass(code);
	return err_msg(err, -ECOMM, "%s \"%.*s\": %s", t->request->method, url < 300 ? url : 300,
		       t->request->url, h->message[0] != '\0' ? h->message : curl_easy_strerror(code));
}

int http_send(struct http *h, const struct http_request *request, struct http_answer *ret,
	      struct err *err)
{
	struct transfer t = { .curl = h->curl, .request = request, .answer = ret, .err = err };
	struct curl_slist *list = headers(request);
	CURLcode code;

	http_answer_fini(ret);
	*ret = (struct http_answer) { 0 };
	if (list == NULL)
		return err_set(err, -ENOMEM, "send a request");
	h->message[0] = '\0';
	set_up(h, request, &t);
	(void) curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, list); /* as in set_up() */
	code = curl_easy_perform(h->curl);
	curl_slist_free_all(list);
	(void) curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &ret->status); /* 0 is fine */
	if (code != CURLE_OK)
		return failed(h, &t, code, err);
	ret->again = ret->status == 408 || ret->status == 429 || ret->status >= 500;
	return 0;
}
