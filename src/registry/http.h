/* SPDX-License-Identifier: MIT */
/*
 * One request of HTTP after the other, by libcurl.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;
struct http;

#define HTTP_TEXT_MAX (4u << 20) /* bytes of an answer that is kept in memory */
#define HTTP_REDIRECTS_MAX 10
#define HTTP_CONNECT_SECONDS 20
#define HTTP_TEXT_SECONDS 120 /* for the whole of an answer that is kept in memory */

/**
 * struct http_tls - whom to trust
 * @verify: check the server's certificate
 * @ca: certificates in PEM, in addition to the system's; NULL for none
 * @cert, @key: files of our own certificate, NULL for none
 */
struct http_tls {
	bool verify;
	const char *ca, *cert, *key;
};

/**
 * struct http_sink - where a large answer goes
 * @take: bytes of the whole that begin at @at; -errno with a message ends the transfer
 */
struct http_sink {
	void *data;
	int (*take)(void *data, uint64_t at, const void *p, size_t n, struct err *err);
};

/**
 * struct http_request - what is asked; NULL and 0 for what is not needed
 * @method: "GET", ...
 * @accept, @content_type, @authorization: values of headers
 * @content_range: value of a header
 * @from, @to: the bytes that are wanted, up to the one before @to; 0: to the end
 * @body: @body_len bytes, a form or JSON
 * @file: descriptor of a file, of which @file_size bytes at @file_at are sent; -1 for none
 * @sent: counts bytes of @file
 * @sink: gets answers with status 200 and 206; else all is text
 * @stall: seconds without a byte after which it is given up
 * @loopback: no proxy
 * @cancel: given up when it becomes true
 */
struct http_request {
	const char *method, *url;
	const char *accept, *content_type, *authorization, *content_range;
	uint64_t from, to;
	const char *body;
	size_t body_len;
	int file;
	uint64_t file_at, file_size;
	atomic_uint_least64_t *sent;
	const struct http_sink *sink;
	const struct http_tls *tls;
	unsigned stall;
	bool loopback;
	const atomic_bool *cancel;
};

/**
 * struct http_answer - what came back; release with http_answer_fini()
 * @status: 0 when there is no answer
 * @again: what failed may work in a moment
 * @from: position of the first byte, of Content-Range
 * @retry_after: seconds; more than a minute counts as none
 * @location, @type, @digest, @range, @link: headers, "" without; a longer one counts as missing
 * @challenge: all WWW-Authenticate headers, separated by commas
 * @text: the answer that did not go to a sink
 */
struct http_answer {
	long status;
	bool again;
	uint64_t from, retry_after;
	char location[4096], type[256], digest[80], range[64], link[2048];
	struct str challenge, text;
};

/** http_new() - a connection that is kept between requests; NULL without memory; free with http_free() */
struct http *http_new(void);

/**
 * http_send() - ask, and wait for the answer
 * Follows redirects, without the Authorization header to another host, and never from https to http.
 * Context: blocks; one thread per @h.
 * Return: 0 there is an answer, whatever its status; -errno of a sink; -ECANCELED; -ECOMM the transfer failed,
 *         @ret->again says whether it may work in a moment; with a message.
 */
int http_send(struct http *h, const struct http_request *request, struct http_answer *ret,
	      struct err *err);

/** http_answer_fini() - release */
void http_answer_fini(struct http_answer *a);

/** http_header() - note one header line of an answer; @line: @n bytes, not terminated */
void http_header(struct http_answer *a, const char *line, size_t n);

/** http_free() - close; NULL is fine */
void http_free(struct http *h);
