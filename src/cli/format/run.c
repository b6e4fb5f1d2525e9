/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/format/template.h"
#include "cli/format/template_parts.h"

struct variable {
	const char *name;
	struct tpl_value value;
	struct variable *outer;
};

struct runner {
	struct arena arena;
	const struct template *t;
	struct tpl_value root;
	struct variable *variables;
	struct str *out;
	size_t begin; /* of our output in @out */
	bool headings;
	struct err *err;
};

/* How a list of steps ended */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

static int eval_pipe(struct runner *r, const struct tpl_pipe *p, const struct tpl_value *dot,
		     struct tpl_value *ret);
static int run_steps(struct runner *r, const struct tpl_step *s, const struct tpl_value *dot,
		     enum flow *ret);

static int fail(struct runner *r, const char *what, const char *name)
{
	return err_msg(r->err, -EINVAL, "template: %s '%.60s'", what, name);
}

static int eval_variable(struct runner *r, const char *name, struct tpl_value *ret)
{
	if (*name == '\0') {
		*ret = r->root;
		return 0;
	}
	for (const struct variable *v = r->variables; v != NULL; v = v->outer)
		if (strcmp(v->name, name) == 0) {
			*ret = v->value;
			return 0;
		}
	return fail(r, "undefined variable", name);
}

static int set_variable(struct runner *r, const char *name, bool assign,
			const struct tpl_value *value)
{
	struct variable *v = r->variables;

	while (assign && v != NULL && strcmp(v->name, name) != 0)
		v = v->outer;
	if (assign && v == NULL)
		return fail(r, "undefined variable", name);
	if (!assign) {
		v = arena_alloc(&r->arena, 1, sizeof(*v));
		if (v == NULL)
			return err_set(r->err, -ENOMEM, "run the template");
		v->name = name;
		v->outer = r->variables;
		r->variables = v;
	}
	v->value = *value;
	return 0;
}

static int no_such_field(struct runner *r, const char *name)
{
	_cleanup_(str_fini) struct str known = { 0 };

	for (const struct json *m = r->root.node->first; m != NULL; m = m->next)
		str_printf(&known, "%s%s", known.len > 0 ? ", " : "", m->key);
	return err_msg(r->err, -EINVAL, "template: there is no field '%.60s', but %s", name,
		       known.p != NULL ? known.p : "none");
}

/* As Go says it; lines and columns count from 1 and 0. */
static int no_entry(struct runner *r, const struct tpl_place *place, const char *name)
{
	const char *line = r->t->text;
	unsigned lines = 1;

	for (const char *p = line; p < place->at; p++)
		if (*p == '\n') {
			lines++;
			line = p + 1;
		}
	return err_msg(r->err, -EINVAL,
		       "template parsing error: template: :%u:%d: executing \"\" at <%.*s>: map has no entry for key \"%.60s\"",
		       lines, (int) (place->at - line), place->len < 200 ? (int) place->len : 200,
		       place->text, name);
}

static int eval_field(struct runner *r, const struct tpl_operand *o, const struct tpl_value *of,
		      struct tpl_value *ret)
{
	int code = tpl_field(of, o->name, ret);

	if (code == -EINVAL)
		return fail(r, "can't evaluate field", o->name);
	if (code == -ENOENT && r->t->strict == TPL_STRICT_ROW && of->node == r->root.node)
		return no_such_field(r, o->name);
	if (r->t->strict != TPL_STRICT_DATA)
		return 0;
	if (code == -ENOENT && !tpl_may_lack(of->node, o->name))
		return no_entry(r, o->place, o->name);
	if (of->kind == TPL_NIL) /* what may be missing has no fields then */
		return no_entry(r, o->place, o->of->name != NULL ? o->of->name : o->name);
	return 0;
}

static int eval_operand(struct runner *r, const struct tpl_operand *o, const struct tpl_value *dot,
			struct tpl_value *ret)
{
	struct tpl_value of;
	int code;

	switch (o->kind) {
	case TPL_OP_DOT:
		*ret = *dot;
		return 0;
	case TPL_OP_LITERAL:
		*ret = o->literal;
		return 0;
	case TPL_OP_VARIABLE:
		return eval_variable(r, o->name, ret);
	case TPL_OP_PIPE:
		return eval_pipe(r, o->pipe, dot, ret);
	case TPL_OP_FUNCTION:
		return tpl_function(o->name, NULL, 0, &r->arena, ret, r->err);
	case TPL_OP_FIELD:
		code = eval_operand(r, o->of, dot, &of);
		return code < 0 ? code : eval_field(r, o, &of, ret);
	}
	return -EINVAL;
}

/* ".Label "name"" of lists: a field that is called takes its argument as key. */
static int call_field(struct runner *r, struct tpl_value *v, const struct tpl_value *args, size_t n,
		      const char *name, struct tpl_value *ret)
{
	if (n == 1 && r->headings && args[0].kind == TPL_TEXT) { /* {{.Label "x"}} is below "x" */
		*ret = args[0];
		return 0;
	}
	if (n != 1 || v->kind != TPL_NODE)
		return fail(r, "this is no function:", name);
	return tpl_index(v, &args[0], ret, r->err);
}

/* @piped: value of the command before, NULL for the first */
static int eval_command(struct runner *r, const struct tpl_command *c, const struct tpl_value *dot,
			const struct tpl_value *piped, struct tpl_value *ret)
{
	struct tpl_value args[TPL_ARGS_MAX + 1];
	const struct tpl_operand *f = c->first;
	size_t n = 0;
	int code = 0;

	for (const struct tpl_operand *o = f->next; code == 0 && o != NULL; o = o->next)
		code = eval_operand(r, o, dot, &args[n++]);
	if (code < 0)
		return code;
	if (piped != NULL)
		args[n++] = *piped;
	if (f->kind == TPL_OP_FUNCTION)
		return tpl_function(f->name, args, n, &r->arena, ret, r->err);
	code = eval_operand(r, f, dot, ret);
	if (code == 0 && n > 0) {
		struct tpl_value v = *ret;

		code = call_field(r, &v, args, n, f->name != NULL ? f->name : "", ret);
	}
	return code;
}

static int eval_pipe(struct runner *r, const struct tpl_pipe *p, const struct tpl_value *dot,
		     struct tpl_value *ret)
{
	struct tpl_value last = { .kind = TPL_NIL };
	bool first = true;

	for (const struct tpl_command *c = p->first; c != NULL; c = c->next) {
		struct tpl_value piped = last;
		int code = eval_command(r, c, dot, first ? NULL : &piped, &last);

		if (code < 0)
			return code;
		first = false;
	}
	*ret = last;
	return 0;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const struct json *const *) a)->key, (*(const struct json *const *) b)->key);
}

/* One turn of a loop.  Return: 0; -errno; @ret as of run_steps(). */
static int turn(struct runner *r, const struct tpl_step *s, const struct tpl_value *key,
		const struct tpl_value *value, enum flow *ret)
{
	struct variable *outer = r->variables;
	int code = 0;

	if (s->pipe->key != NULL)
		code = set_variable(r, s->pipe->key, false, key);
	if (code == 0 && s->pipe->value != NULL)
		code = set_variable(r, s->pipe->value, s->pipe->assign, value);
	if (code == 0)
		code = run_steps(r, s->then, value, ret);
	r->variables = outer;
	return code;
}

static int range_map(struct runner *r, const struct tpl_step *s, const struct json *map)
{
	_cleanup_free_ const struct json **members = calloc((size_t) map->len + 1, sizeof(*members));
	enum flow flow = FLOW_ON;
	size_t n = 0;
	int code = 0;

	if (members == NULL)
		return err_set(r->err, -ENOMEM, "run the template");
	for (const struct json *m = map->first; m != NULL; m = m->next)
		members[n++] = m;
	qsort(members, n, sizeof(*members), compare_members);
	for (size_t i = 0; code == 0 && i < n && flow != FLOW_BREAK; i++) {
		struct tpl_value key = { .kind = TPL_TEXT, .text = members[i]->key };
		struct tpl_value value = tpl_value_of(members[i]);

		code = turn(r, s, &key, &value, &flow);
	}
	return code;
}

static int range_list(struct runner *r, const struct tpl_step *s, const struct tpl_value *list)
{
	const struct json *m = list->kind == TPL_NODE ? list->node->first : NULL;
	enum flow flow = FLOW_ON;
	int64_t n = tpl_len(list);
	int code = 0;

	for (int64_t i = 0; code == 0 && i < n && flow != FLOW_BREAK; i++) {
		struct tpl_value key = { .kind = TPL_INT, .number = i };
		struct tpl_value value = m != NULL ? tpl_value_of(m) : list->list[i];

		m = m != NULL ? m->next : NULL;
		code = turn(r, s, &key, &value, &flow);
	}
	return code;
}

static int run_range(struct runner *r, const struct tpl_step *s, const struct tpl_value *v,
		     const struct tpl_value *dot, enum flow *ret)
{
	if (v->kind == TPL_NIL || ((v->kind == TPL_NODE || v->kind == TPL_LIST) && !tpl_true(v)))
		return run_steps(r, s->otherwise, dot, ret);
	if (v->kind == TPL_LIST || (v->kind == TPL_NODE && v->node->kind == JSON_KIND_ARRAY))
		return range_list(r, s, v);
	if (v->kind == TPL_NODE && v->node->kind == JSON_KIND_OBJECT)
		return range_map(r, s, v->node);
	return fail(r, "range can't iterate over a value that is no list or map", "");
}

static int run_step(struct runner *r, const struct tpl_step *s, const struct tpl_value *dot,
		    enum flow *ret)
{
	struct variable *outer = r->variables;
	struct tpl_value v;
	int code;

	if (s->kind == TPL_TEXT_STEP) {
		str_add(r->out, s->text, s->len);
		return 0;
	}
	if (s->kind == TPL_BREAK || s->kind == TPL_CONTINUE) {
		*ret = s->kind == TPL_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
		return 0;
	}
	code = eval_pipe(r, s->pipe, dot, &v);
	if (code < 0)
		return code;
	if (s->kind == TPL_RANGE)
		return run_range(r, s, &v, dot, ret);
	if (s->pipe->value != NULL)
		code = set_variable(r, s->pipe->value, s->pipe->assign, &v);
	else if (s->kind == TPL_ACTION)
		tpl_print(&v, r->out);
	if (code < 0 || s->kind == TPL_ACTION)
		return code;
	if (tpl_true(&v))
		code = run_steps(r, s->then, s->kind == TPL_WITH ? &v : dot, ret);
	else
		code = run_steps(r, s->otherwise, dot, ret);
	r->variables = outer;
	return code;
}

static int run_steps(struct runner *r, const struct tpl_step *s, const struct tpl_value *dot,
		     enum flow *ret)
{
	struct variable *outer = r->variables;
	int code = 0;

	*ret = FLOW_ON;
	for (; code == 0 && s != NULL && *ret == FLOW_ON; s = s->next) {
		code = run_step(r, s, dot, ret);
		if (r->out->failed)
			return err_set(r->err, -ENOMEM, "run the template");
		if (r->out->len - r->begin > TEMPLATE_OUTPUT_MAX)
			return err_msg(r->err, -E2BIG, "template: the output is over %u bytes",
				       TEMPLATE_OUTPUT_MAX);
	}
	r->variables = outer;
	return code;
}

int template_run(const struct template *t, const struct json *data, struct str *ret, struct err *err)
{
	struct runner r = {
		.root = tpl_value_of(data),
		.t = t,
		.headings = t->headings,
		.out = ret,
		.begin = ret->len,
		.err = err,
	};
	enum flow flow;
	int code = run_steps(&r, t->first, &r.root, &flow);

	arena_fini(&r.arena);
	return code;
}
