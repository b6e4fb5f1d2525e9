/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/format/template.h"
#include "cli/format/template_parts.h"

static const char data[] =
	"{\"Name\":\"box\",\"Size\":12,\"Neg\":-3,\"On\":true,\"Off\":false,\"None\":null,\"Empty\":\"\","
	"\"State\":{\"Status\":\"running\",\"Pid\":7},\"List\":[\"a\",\"b\",\"c\"],\"No\":[],"
	"\"Map\":{\"b\":\"2\",\"a\":\"1\"},\"Mounts\":[{\"Source\":\"/x\"},{\"Source\":\"/y\"}],"
	"\"Labels\":{\"a.b\":\"c\"},\"F\":1.5}";

static int render_as(enum tpl_strict strict, const char *text, struct str *out, struct err *err)
{
	_cleanup_(template_freep) struct template *t = NULL;
	_cleanup_(arena_fini) struct arena strings = { 0 };
	struct json_in in;
	int r = template_parse(text, &t, err);

	if (r < 0)
		return r;
	assert_int_equal(json_parse(&in, "data", &strings, data, sizeof(data) - 1, NULL), 0);
	t->strict = strict;
	r = template_run(t, in.root, out, err);
	json_fini(&in);
	return r;
}

static int render(const char *text, struct str *out, struct err *err)
{
	return render_as(TPL_LENIENT, text, out, err);
}

/* The results are those of Go 1.20's text/template with Docker's functions. */
static void results(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain { text } }}", "plain { text } }}" },
		{ "{{.Name}}", "box" },
		{ "{{ .Name }}-{{.Size}}", "box-12" },
		{ "{{.State.Status}} {{.State.Pid}}", "running 7" },
		{ "{{.None}} {{.Nothing}}", "<no value> <no value>" },
		{ "{{.Nothing.More}}", "<no value>" },
		{ "{{.List}} {{.Map}} {{.F}}", "[a b c] map[a:1 b:2] 1.5" },
		{ "{{json .}}", data },
		{ "{{json .Name}} {{json .None}} {{.State | json}}",
		  "\"box\" null {\"Status\":\"running\",\"Pid\":7}" },
		{ "{{range .Mounts}}{{.Source}} {{end}}", "/x /y " },
		{ "{{range $i, $m := .Mounts}}{{$i}}={{$m.Source}};{{end}}", "0=/x;1=/y;" },
		{ "{{range $k, $v := .Map}}{{$k}}{{$v}}{{end}}", "a1b2" },
		{ "{{range .No}}x{{else}}none{{end}}", "none" },
		{ "{{range .Nothing}}x{{else}}none{{end}}", "none" },
		{ "{{range .List}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a" },
		{ "{{range .List}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}", "ac" },
		{ "{{if .On}}yes{{else}}no{{end}}{{if .Off}}yes{{else}}no{{end}}", "yesno" },
		{ "{{if .Empty}}a{{else if .On}}b{{else}}c{{end}}", "b" },
		{ "{{if eq .State.Status \"running\"}}up{{end}}", "up" },
		{ "{{if and .On (gt .Size 10)}}big{{end}}", "big" },
		{ "{{with .State}}{{.Status}} {{$.Name}}{{end}}", "running box" },
		{ "{{with .None}}x{{else}}y{{end}}", "y" },
		{ "{{index .List 1}} {{index .Map \"b\"}} {{index .Labels \"a.b\"}}", "b 2 c" },
		{ "{{len .List}} {{len .Map}} {{len .Name}}", "3 2 3" },
		{ "{{join .List \",\"}} {{upper .Name}} {{title .Name}}", "a,b,c BOX Box" },
		{ "{{.Name | upper | printf \"%q\"}}", "\"BOX\"" },
		{ "{{printf \"%s %05d|%-5s|%v%%\" .Name .Size .Name .On}}", "box 00012|box  |true%" },
		{ "{{range split \"a:b\" \":\"}}<{{.}}>{{end}}", "<a><b>" },
		{ "{{slice .Name 1 3}} {{pad .Name 1 2}}.", "ox  box  ." },
		{ "{{println \"a\" 1}}{{print 1 2 \"x\"}}", "a 1\n1 2x" },
		{ "{{truncate .Name 2}} {{lower \"ABC\"}}", "bo abc" },
		{ "{{$x := .Size}}{{$x}}{{$x = 3}}{{$x}}", "123" },
		{ "a {{- /* comment */ -}} b", "ab" },
		{ "a {{- .Name -}} b", "aboxb" },
		{ "{{\"x\\ty\\\"\"}}{{`raw\\n`}}", "x\ty\"raw\\n" },
		{ "{{or .Empty .Name}} {{and .On .Size}} {{not .On}}", "box 12 false" },
		{ "{{ne .Name \"x\"}} {{lt .Size 5}} {{ge .Neg -3}}", "true false true" },
		{ "{{.Labels \"a.b\"}}", "c" },
		{ "{{index .Labels \"x\"}}.{{index .State \"x\"}}", ".<no value>" },
		{ "{{eq .Size 1 12}}", "true" },
		{ "{", "{" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(str_fini) struct str out = { 0 };
		struct err err = { 0 };

		if (render(cases[i][0], &out, &err) < 0)
			fail_msg("%s: %s", cases[i][0], err.text);
		assert_string_equal(out.p != NULL ? out.p : "", cases[i][1]);
	}
}

static void refusals(void **state)
{
	static const char *const cases[][2] = {
		{ "{{", "unclosed action" },
		{ "{{.Name", "unclosed action" },
		{ "{{nope}}", "function \"nope\" not defined" },
		{ "{{end}}", "unexpected {{end}}" },
		{ "{{if .On}}x", "{{end}} is missing" },
		{ "{{range}}x{{end}}", "missing value" },
		{ "{{.Name.First}}", "can't evaluate field 'First'" },
		{ "{{index .List 3}}", "out of range" },
		{ "{{\"x}}", "unterminated" },
		{ "{{break}}", "outside of range" },
		{ "{{len .Size}}", "no length" },
		{ "{{lt .Name 1}}", "incompatible types" },
		{ "{{$x}}", "undefined variable" },
		{ "{{(.Name}}", "unclosed left paren" },
		{ "{{eq .Name}}", "wrong number of args" },
		{ "{{.Name}} }} {{)}}", "missing value" },
		{ "{{printf \"%d\" .Name}}", "does not fit" },
		{ "{{/* x", "unclosed comment" },
		{ "{{range .Size}}{{end}}", "can't iterate" },
		{ "{{if .On}}{{else}}{{else}}{{end}}", "unexpected {{else}}" },
	};
	_cleanup_(str_fini) struct str deep = { 0 };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(str_fini) struct str out = { 0 };
		struct err err = { 0 };

		assert_int_equal(render(cases[i][0], &out, &err), -EINVAL);
		if (strstr(err.text, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], err.text);
	}
	for (int i = 0; i < 100; i++)
		str_puts(&deep, "{{if .On}}");
	assert_int_equal(render(deep.p, &deep, NULL), -EINVAL);
	deep.len = 0;
	str_puts(&deep, "{{");
	for (int i = 0; i < 100; i++)
		str_puts(&deep, "(");
	assert_int_equal(render(deep.p, &deep, NULL), -EINVAL);
}

/* Messages of Docker 20.10, which go back to Go's "missingkey=error" */
static void strict_data(void **state)
{
#define MESSAGE "template parsing error: template: :"
	static const char *const errors[][2] = {
		{ "{{.X}}", MESSAGE "1:2: executing \"\" at <.X>: map has no entry for key \"X\"" },
		{ "{{.State.Nope}}",
		  MESSAGE "1:8: executing \"\" at <.State.Nope>: map has no entry for key \"Nope\"" },
		{ "a\nb{{ .State.Nope.More }}",
		  MESSAGE "2:10: executing \"\" at <.State.Nope.More>: map has no entry for key \"Nope\"" },
		{ "{{.State.Health.Status}}",
		  MESSAGE "1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\"" },
		{ "{{range .Mounts}}{{.Target}}{{end}}",
		  MESSAGE "1:19: executing \"\" at <.Target>: map has no entry for key \"Target\"" },
		{ "{{$.X}}", MESSAGE "1:3: executing \"\" at <$.X>: map has no entry for key \"X\"" },
	};
	static const char *const good[][2] = {
		{ "{{.State.Health}}", "<no value>" },
		{ "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none" },
		{ "{{.Labels.other}}", "<no value>" },
		{ "{{.None}} {{.name}}", "<no value> box" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		_cleanup_(str_fini) struct str out = { 0 };
		struct err err = { 0 };

		assert_int_equal(render_as(TPL_STRICT_DATA, errors[i][0], &out, &err), -EINVAL);
		assert_string_equal(err.text, errors[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(str_fini) struct str out = { 0 };
		struct err err = { 0 };

		if (render_as(TPL_STRICT_DATA, good[i][0], &out, &err) < 0)
			fail_msg("%s: %s", good[i][0], err.text);
		assert_string_equal(out.p, good[i][1]);
	}
}

static void fields(void **state)
{
	_cleanup_(template_freep) struct template *t = NULL;

	(void) state;
	assert_int_equal(template_parse("{{.ID}} x {{json .Names.A}}\t{{len \"x\"}}", &t, NULL), 0);
	assert_string_equal(template_field(t, 0), "ID");
	assert_string_equal(template_field(t, 1), "Names");
	assert_string_equal(template_field(t, 2), "");
	assert_null(template_field(t, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(refusals),
		cmocka_unit_test(strict_data),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
