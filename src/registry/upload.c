/* SPDX-License-Identifier: MIT */
#include "registry/upload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "registry/session.h"
#include "registry/settings.h"

#define UPLOAD_STALL_TIMES 10 /* a registry may take its time with the last byte */

/* Where an upload goes on */
struct place_of_upload {
	char location[4096];
};

static int check(const struct reg_upload *u, const struct http_answer *a, long want, struct err *err)
{
	char what[64];

	(void) snprintf(what, sizeof(what), "upload of %.19s", u->digest); /* fits */
	return a->status == want ? 0 : reg_refused(a, what, err);
}

static int ask(struct reg_session *s, const struct reg_upload *u, const char *method, const char *url,
	       struct http_answer *ret, struct err *err)
{
	struct http_request q = { .method = method, .url = url, .file = -1, .cancel = u->cancel };

	return reg_send(s, &q, ret, err);
}

static int is_there(struct reg_session *s, const struct reg_upload *u, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	_cleanup_(str_fini) struct str url = { 0 };
	int r;

	reg_path(s, &url, "blobs/");
	str_puts(&url, u->digest);
	if (url.failed)
		return err_set(err, -ENOMEM, "ask the registry");
	r = ask(s, u, "HEAD", url.p, &a, err);
	if (r == 0 && (a.status == 401 || a.status == 403))
		r = check(u, &a, 200, err);
	return r < 0 ? r : a.status == 200;
}

static int keep_location(const struct reg_upload *u, const struct http_answer *a,
			 struct place_of_upload *p, struct err *err)
{
	if (*a->location == '\0')
		return err_msg(err, -EBADMSG, "upload of %.19s: the registry does not say where to send it",
			       u->digest);
	memcpy(p->location, a->location, sizeof(p->location));
	return 0;
}

/* Return: 1 it was mounted; 0 @ret is where it goes; -errno with a message. */
static int begin(struct reg_session *s, const struct reg_upload *u, bool mount,
		 struct place_of_upload *ret, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	_cleanup_(str_fini) struct str url = { 0 };
	int r;

	reg_path(s, &url, "blobs/uploads/");
	if (mount)
		str_printf(&url, "?mount=%s&from=%s", u->digest, u->from);
	if (url.failed)
		return err_set(err, -ENOMEM, "ask the registry");
	r = ask(s, u, "POST", url.p, &a, err);
	if (r < 0)
		return r;
	if (mount && a.status == 201)
		return 1;
	r = check(u, &a, 202, err);
	return r < 0 ? r : keep_location(u, &a, ret, err);
}

/* The last request of an upload; @size: bytes that it brings */
static int finish(struct reg_session *s, const struct reg_upload *u, const struct place_of_upload *p,
		  uint64_t size, struct http_answer *a, struct err *err)
{
	struct http_request q = { .method = "PUT", .content_type = "application/octet-stream", .file = -1,
				  .cancel = u->cancel };
	_cleanup_(str_fini) struct str url = { 0 };
	int r;

	str_printf(&url, "%s%sdigest=%s", p->location, strchr(p->location, '?') != NULL ? "&" : "?",
		   u->digest);
	if (url.failed)
		return err_set(err, -ENOMEM, "ask the registry");
	q.url = url.p;
	q.stall = (unsigned) reg_session_settings(s)->stall * UPLOAD_STALL_TIMES;
	if (size > 0) {
		q.file = u->fd;
		q.file_size = size;
		q.sent = u->sent;
	}
	r = reg_send(s, &q, a, err);
	return r < 0 ? r : check(u, a, 201, err);
}

static int send_chunk(struct reg_session *s, const struct reg_upload *u, struct place_of_upload *p,
		      uint64_t at, struct http_answer *a, struct err *err)
{
	uint64_t n = u->size - at < REG_CHUNK ? u->size - at : REG_CHUNK;
	struct http_request q = { .method = "PATCH", .url = p->location,
				  .content_type = "application/octet-stream", .file = u->fd,
				  .file_at = at, .file_size = n, .sent = u->sent, .cancel = u->cancel };
	char range[64];
	int r;

	(void) snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long) at, /* fits */
			(unsigned long long) (at + n - 1));
	q.content_range = range;
	q.stall = (unsigned) reg_session_settings(s)->stall * UPLOAD_STALL_TIMES;
	r = reg_send(s, &q, a, err);
	if (r == 0)
		r = check(u, a, 202, err);
	return r < 0 ? r : keep_location(u, a, p, err);
}

/* "0-1023": the registry has that many bytes; 0 when it does not say */
static uint64_t range_end(const char *range)
{
	uint64_t end = 0;

	if (!str_starts(range, "0-") || str_to_u64(range + 2, &end) < 0)
		return 0;
	return end > 0 ? end + 1 : 0;
}

/* How far the registry has got, after something broke */
static int find_position(struct reg_session *s, const struct reg_upload *u, struct place_of_upload *p,
			 uint64_t *at, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	int r = ask(s, u, "GET", p->location, &a, err);

	if (r == 0)
		r = check(u, &a, 204, err);
	if (r < 0)
		return r;
	*at = range_end(a.range);
	if (*at > u->size)
		return err_msg(err, -EBADMSG, "upload of %.19s: the registry claims to have %llu of %llu bytes",
			       u->digest, (unsigned long long) *at, (unsigned long long) u->size);
	return *a.location != '\0' ? keep_location(u, &a, p, err) : 0;
}

static void count(const struct reg_upload *u, uint64_t at)
{
	if (u->sent != NULL)
		atomic_store(u->sent, at);
}

static int send_pieces(struct reg_session *s, const struct reg_upload *u, struct err *err)
{
	const struct reg_settings *settings = reg_session_settings(s);
	uint64_t at = 0;
	struct place_of_upload p;
	unsigned attempt = 0;
	int r = begin(s, u, false, &p, err);

	while (r == 0 && at < u->size) {
		_cleanup_(http_answer_fini) struct http_answer a = { 0 };
		uint64_t before = at;

		count(u, at);
		r = send_chunk(s, u, &p, at, &a, err);
		if (r == 0) {
			at += u->size - at < REG_CHUNK ? u->size - at : REG_CHUNK;
			attempt = 0;
			continue;
		}
		if ((!a.again && a.status != 416) || ++attempt >= settings->attempts ||
		    reg_wait(settings, attempt - 1, a.retry_after, u->cancel) < 0)
			return r;
		r = find_position(s, u, &p, &at, err);
		if (at > before)
			attempt = 0;
	}
	if (r == 0) {
		_cleanup_(http_answer_fini) struct http_answer a = { 0 };

		r = finish(s, u, &p, 0, &a, err);
	}
	return r;
}

int reg_upload(struct reg_session *s, const struct reg_upload *u, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	struct place_of_upload p;
	int r = is_there(s, u, err);

	if (r != 0)
		return r < 0 ? r : REG_UPLOAD_EXISTS;
	r = begin(s, u, u->from != NULL, &p, err);
	if (r != 0)
		return r < 0 ? r : REG_UPLOAD_MOUNTED;
	r = finish(s, u, &p, u->size, &a, err);
	if (r < 0 && a.again && r != -ECANCELED && reg_wait(reg_session_settings(s), 0, a.retry_after, u->cancel) == 0)
		r = send_pieces(s, u, err);
	return r < 0 ? r : REG_UPLOAD_SENT;
}

int reg_upload_text(struct reg_session *s, const char *text, size_t len, char *ret_digest, struct err *err)
{
	struct reg_upload u = { .digest = ret_digest, .size = len };
	_cleanup_close_ int fd = memfd_create("blob", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : fd_write_full(fd, text, len);

	if (r < 0)
		return err_set(err, r, "write to a file in memory");
	memcpy(ret_digest, "sha256:", 7);
	sha256_hex(text, len, ret_digest + 7);
	u.fd = fd;
	r = reg_upload(s, &u, err);
	return r < 0 ? r : 0;
}
