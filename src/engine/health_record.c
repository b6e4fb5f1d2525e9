/* SPDX-License-Identifier: MIT */
#include "engine/health_record.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/health.h"

#define FILE_MAX (1u << 20) /* bytes */

static const char *known_status(const char *text)
{
	static const char *const known[] = { "healthy", "unhealthy" };

	for (size_t i = 0; text != NULL && i < ARRAY_LEN(known); i++)
		if (strcmp(text, known[i]) == 0)
			return known[i];
	return "starting";
}

static void copy(char *to, size_t size, const char *text)
{
	(void) snprintf(to, size, "%s", text != NULL ? text : "");
}

static void read_all(struct json_in *in, struct health_record *ret)
{
	const struct json *log = json_get_array(in, in->root, "Log", HEALTH_RESULTS);

	ret->status = known_status(json_get_str(in, in->root, "Status"));
	(void) json_get_u64(in, in->root, "FailingStreak", UINT32_MAX, &ret->failures);
	for (const struct json *m = log != NULL ? log->first : NULL; m != NULL; m = m->next) {
		struct health_result *result = &ret->results[ret->n++];

		copy(result->start, sizeof(result->start), json_get_str(in, m, "Start"));
		copy(result->end, sizeof(result->end), json_get_str(in, m, "End"));
		(void) json_get_i64(in, m, "ExitCode", INT32_MIN, INT32_MAX, &result->code);
		copy(result->output, sizeof(result->output), json_get_str(in, m, "Output"));
		result->len = strlen(result->output);
	}
}

void health_record_read(int dir, struct health_record *ret)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct json_in in;

	memset(ret, 0, sizeof(*ret));
	ret->status = "starting";
	if (file_read(dir, ENG_HEALTH_FILE, FILE_MAX, &text) < 0 || text.p == NULL)
		return;
	if (json_parse(&in, ENG_HEALTH_FILE, &strings, text.p, text.len, NULL) == 0 &&
	    in.root->kind == JSON_KIND_OBJECT)
		read_all(&in, ret);
	json_fini(&in);
}

void health_record_add(struct health_record *r, const struct health_result *result)
{
	if (r->n == HEALTH_RESULTS)
		memmove(r->results, r->results + 1, --r->n * sizeof(*result));
	r->results[r->n++] = *result;
}

void health_record_write(int dir, const struct health_record *r)
{
	_cleanup_(str_fini) struct str s = { 0 };

	json_open(&s, NULL, '{');
	json_text(&s, "Status", r->status);
	json_uint(&s, "FailingStreak", r->failures);
	json_open(&s, "Log", '[');
	for (size_t i = 0; i < r->n; i++) {
		json_open(&s, NULL, '{');
		json_text(&s, "Start", r->results[i].start);
		json_text(&s, "End", r->results[i].end);
		json_int(&s, "ExitCode", r->results[i].code);
		json_text(&s, "Output", r->results[i].output);
		json_close(&s, '}');
	}
	json_close(&s, ']');
	json_close(&s, '}');
	if (!s.failed)
		(void) file_replace(dir, ENG_HEALTH_FILE, s.p, s.len, 0600); /* the row says it too */
}
