/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "registry/http.h"

#define RETRY_AFTER_MAX 60 /* seconds */

/* "bytes 10-19/100"; what cannot be read is 0, and the bytes then do not fit */
static uint64_t range_start(const char *value)
{
	return strncasecmp(value, "bytes ", 6) == 0 ? strtoull(value + 6, NULL, 10) : 0;
}

static void keep(char *field, size_t size, const char *value, size_t n)
{
	n = n < size ? n : 0;
	memcpy(field, value, n);
	field[n] = '\0';
}

static void keep_number(struct http_answer *a, const char *name, const char *value, size_t n)
{
	char text[64];

	keep(text, sizeof(text), value, n);
	if (strcasecmp(name, "content-range") == 0)
		a->from = range_start(text);
	else if (str_to_u64(text, &a->retry_after) < 0 || a->retry_after > RETRY_AFTER_MAX)
		a->retry_after = 0; /* a date, or nonsense: our own time counts */
}

void http_header(struct http_answer *a, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n), *value;
	char name[32];

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	if (n >= 5 && strncmp(line, "HTTP/", 5) == 0) { /* of the next answer: this one was a redirect */
		str_fini(&a->challenge);
		a->location[0] = a->type[0] = a->digest[0] = a->range[0] = a->link[0] = '\0';
		a->from = a->retry_after = 0;
	}
	if (colon == NULL || (size_t) (colon - line) >= sizeof(name) || colon >= line + n)
		return;
	keep(name, sizeof(name), line, (size_t) (colon - line));
	for (value = colon + 1; value < line + n && (*value == ' ' || *value == '\t'); value++)
		;
	n -= (size_t) (value - line);
	if (strcasecmp(name, "location") == 0)
		keep(a->location, sizeof(a->location), value, n);
	else if (strcasecmp(name, "content-type") == 0)
		keep(a->type, sizeof(a->type), value, n);
	else if (strcasecmp(name, "docker-content-digest") == 0)
		keep(a->digest, sizeof(a->digest), value, n);
	else if (strcasecmp(name, "range") == 0)
		keep(a->range, sizeof(a->range), value, n);
	else if (strcasecmp(name, "link") == 0)
		keep(a->link, sizeof(a->link), value, n);
	else if (strcasecmp(name, "content-range") == 0 || strcasecmp(name, "retry-after") == 0)
		keep_number(a, name, value, n);
	else if (strcasecmp(name, "www-authenticate") == 0 && a->challenge.len < 8192) {
		str_puts(&a->challenge, a->challenge.len > 0 ? ", " : "");
		str_add(&a->challenge, value, n);
	}
}

void http_answer_fini(struct http_answer *a)
{
	str_fini(&a->challenge);
	str_fini(&a->text);
}
