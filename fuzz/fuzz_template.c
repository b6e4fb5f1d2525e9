/* SPDX-License-Identifier: MIT */
/**
 * DOC: Go templates behind --format
 *
 * The input is a template, which is run over a value of every kind.  Beyond what the sanitizers see: a
 * refusal has a message, and the output stays below its limit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/format/template.h"
#include "fuzz.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char value[] = "{\"Name\":\"n\",\"Size\":-3,\"Big\":1e9,\"On\":true,\"No\":null,"
				    "\"List\":[1,\"two\",[3]],\"Map\":{\"a\":\"b\",\"c\":{\"d\":\"e\"}}}";
	char *text = malloc(size + 1);
	struct arena strings = { 0 };
	struct template *t = NULL;
	struct str out = { 0 };
	struct err err = { 0 };
	struct json_in in;

	need(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	need(json_parse(&in, "value", &strings, value, sizeof(value) - 1, &err) == 0);
	if (template_parse(text, &t, &err) < 0 || template_run(t, in.root, &out, &err) < 0)
		need(err.text[0] != '\0');
	need(out.len <= TEMPLATE_OUTPUT_MAX);
	for (size_t n = 0; t != NULL && template_field(t, n) != NULL; n++)
		;
	template_free(t);
	str_fini(&out);
	json_fini(&in);
	arena_fini(&strings);
	free(text);
	return 0;
}
