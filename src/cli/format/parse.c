/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading templates
 *
 * Text up to "{{" is a step; between "{{" and "}}" stands a keyword or a pipeline.  Blocks are read by
 * calling read_steps() again, to a depth of TEMPLATE_NESTING_MAX.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/format/template.h"
#include "cli/format/template_parts.h"

struct parser {
	struct arena *a;
	const char *p; /* not read yet */
	unsigned depth, loops;
	bool trim; /* the last action ended in "-}}" */
	struct err *err;
};

/* How a list of steps ended */
enum ending { END_TEXT, END_END, END_ELSE };

static int read_pipe(struct parser *t, struct tpl_pipe **ret);

static int bad(struct parser *t, const char *what)
{
	return err_msg(t->err, -EINVAL, "template parsing error: %s near '%.20s'", what, t->p);
}

static int nomem(struct parser *t)
{
	return err_set(t->err, -ENOMEM, "read the template");
}

static void skip_space(struct parser *t)
{
	t->p += strspn(t->p, " \t\r\n");
}

static size_t word_len(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char) p[n]) || p[n] == '_' || (unsigned char) p[n] >= 0x80)
		n++;
	return n;
}

/* "}}" or " -}}" */
static bool at_close(const struct parser *t)
{
	return str_starts(t->p, "}}") || str_starts(t->p, "-}}");
}

static int read_close(struct parser *t)
{
	skip_space(t);
	if (!at_close(t))
		return bad(t, *t->p == '\0' ? "unclosed action" : "unexpected text");
	t->trim = *t->p == '-';
	t->p += t->trim ? 3 : 2;
	return 0;
}

/* The escapes of Go that matter; the text of a raw string is taken as it is. */
static int read_quoted(struct parser *t, struct tpl_value *ret)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char quote = *t->p++;

	while (*t->p != quote) {
		char c = *t->p++;

		if (c == '\0' || (c == '\n' && quote == '"')) {
			t->p--;
			return bad(t, "unterminated quoted string");
		}
		if (c == '\\' && quote == '"') {
			static const char from[] = "ntr\\\"'", to[] = "\n\t\r\\\"'";
			const char *at = *t->p != '\0' ? strchr(from, *t->p) : NULL;

			if (at == NULL)
				return bad(t, "unknown escape");
			c = to[at - from];
			t->p++;
		}
		str_add(&s, &c, 1);
	}
	t->p++;
	ret->kind = TPL_TEXT;
	ret->text = s.failed ? NULL : arena_strdup(t->a, s.p != NULL ? s.p : "");
	return ret->text != NULL ? 0 : nomem(t);
}

static int read_number(struct parser *t, struct tpl_value *ret)
{
	char *end;

	errno = 0;
	ret->kind = TPL_INT;
	ret->number = strtoll(t->p, &end, 0);
	if (errno != 0 || word_len(end) != 0 || *end == '.')
		return bad(t, "bad number");
	t->p = end;
	return 0;
}

static int read_name(struct parser *t, struct tpl_operand *o)
{
	size_t n = word_len(t->p);

	o->kind = TPL_OP_LITERAL;
	if (n == 4 && strncmp(t->p, "true", n) == 0)
		o->literal = (struct tpl_value) { .kind = TPL_BOOL, .flag = true };
	else if (n == 5 && strncmp(t->p, "false", n) == 0)
		o->literal = (struct tpl_value) { .kind = TPL_BOOL };
	else if (n == 3 && strncmp(t->p, "nil", n) == 0)
		o->literal = (struct tpl_value) { .kind = TPL_NIL };
	else if (tpl_is_function(t->p, n))
		o->kind = TPL_OP_FUNCTION;
	else
		return err_msg(t->err, -EINVAL,
			       "template parsing error: function \"%.*s\" not defined", (int) n,
			       t->p);
	o->name = arena_strndup(t->a, t->p, n);
	t->p += n;
	return o->name != NULL ? 0 : nomem(t);
}

static int read_parenthesis(struct parser *t, struct tpl_operand *o)
{
	int r;

	o->kind = TPL_OP_PIPE;
	t->p++;
	if (++t->depth > TEMPLATE_NESTING_MAX)
		return bad(t, "too deep nesting");
	r = read_pipe(t, &o->pipe);
	t->depth--;
	if (r < 0)
		return r;
	skip_space(t);
	if (*t->p != ')')
		return bad(t, "unclosed left paren");
	t->p++;
	return 0;
}

static int read_variable(struct parser *t, struct tpl_operand *o)
{
	size_t n = word_len(++t->p);

	o->kind = TPL_OP_VARIABLE;
	o->name = arena_strndup(t->a, t->p, n); /* "" is "$" */
	t->p += n;
	return o->name != NULL ? 0 : nomem(t);
}

/* ".a.b" behind something, which began at @begin.  Return: 0; -errno. */
static int read_fields(struct parser *t, const char *begin, struct tpl_operand **o)
{
	struct tpl_place *place = *t->p == '.' ? arena_alloc(t->a, 1, sizeof(*place)) : NULL;

	if (*t->p == '.' && place == NULL)
		return nomem(t);
	if (place != NULL)
		place->text = place->at = begin;
	while (*t->p == '.') {
		struct tpl_operand *field = arena_alloc(t->a, 1, sizeof(*field));
		size_t n;

		if (place->at == begin)
			place->at = t->p; /* stays at @begin for the first word */
		n = word_len(++t->p);

		if (n == 0)
			return bad(t, "unexpected '.'");
		if (field == NULL || (field->name = arena_strndup(t->a, t->p, n)) == NULL)
			return nomem(t);
		field->kind = TPL_OP_FIELD;
		field->of = *o;
		field->place = place;
		*o = field;
		t->p += n;
		place->len = (size_t) (t->p - begin);
	}
	return 0;
}

static int read_operand(struct parser *t, struct tpl_operand **ret)
{
	struct tpl_operand *o = arena_alloc(t->a, 1, sizeof(*o));
	const char *begin = t->p;
	int r = 0;

	if (o == NULL)
		return nomem(t);
	if (*t->p == '.' && word_len(t->p + 1) == 0)
		t->p++; /* the value itself: TPL_OP_DOT is 0 */
	else if (*t->p == '"' || *t->p == '`') {
		o->kind = TPL_OP_LITERAL;
		r = read_quoted(t, &o->literal);
	} else if (isdigit((unsigned char) *t->p) || (*t->p == '-' && isdigit((unsigned char) t->p[1]))) {
		o->kind = TPL_OP_LITERAL;
		r = read_number(t, &o->literal);
	} else if (*t->p == '$')
		r = read_variable(t, o);
	else if (*t->p == '(')
		r = read_parenthesis(t, o);
	else if (word_len(t->p) > 0)
		r = read_name(t, o);
	else if (*t->p != '.')
		return bad(t, "unexpected text in command");
	if (r == 0)
		r = read_fields(t, begin, &o);
	*ret = o;
	return r;
}

static int read_command(struct parser *t, struct tpl_command **ret)
{
	struct tpl_command *c = arena_alloc(t->a, 1, sizeof(*c));
	struct tpl_operand **tail;
	size_t n = 0;

	if (c == NULL)
		return nomem(t);
	tail = &c->first;
	for (skip_space(t); *t->p != '\0' && *t->p != '|' && *t->p != ')' && !at_close(t);
	     skip_space(t)) {
		int r = read_operand(t, tail);

		if (r < 0)
			return r;
		if (++n > TPL_ARGS_MAX)
			return bad(t, "too many arguments");
		tail = &(*tail)->next;
	}
	if (n == 0)
		return bad(t, *t->p == '\0' ? "unclosed action" : "missing value for command");
	*ret = c;
	return 0;
}

/* "$x := " or "$k, $v := "; nothing is read when there is none. */
static int read_declaration(struct parser *t, struct tpl_pipe *pipe)
{
	const char *p = t->p, *names[2] = { NULL, NULL };
	size_t lens[2] = { 0 }, n = 0;

	while (n < 2 && *p == '$' && word_len(p + 1) > 0) {
		lens[n] = word_len(p + 1);
		names[n++] = p + 1;
		p += 1 + lens[n - 1];
		p += strspn(p, " \t");
		if (*p != ',')
			break;
		p++;
		p += strspn(p, " \t");
	}
	if (n == 0 || (!str_starts(p, ":=") && (*p != '=' || n > 1)))
		return 0;
	pipe->assign = *p == '=';
	t->p = p + (pipe->assign ? 1 : 2);
	pipe->value = arena_strndup(t->a, names[n - 1], lens[n - 1]);
	if (n == 2)
		pipe->key = arena_strndup(t->a, names[0], lens[0]);
	return pipe->value == NULL || (n == 2 && pipe->key == NULL) ? nomem(t) : 0;
}

static int read_pipe(struct parser *t, struct tpl_pipe **ret)
{
	struct tpl_pipe *pipe = arena_alloc(t->a, 1, sizeof(*pipe));
	struct tpl_command **tail;
	int r;

	if (pipe == NULL)
		return nomem(t);
	skip_space(t);
	r = read_declaration(t, pipe);
	tail = &pipe->first;
	while (r == 0) {
		r = read_command(t, tail);
		if (r < 0 || *t->p != '|')
			break;
		t->p++;
		tail = &(*tail)->next;
	}
	*ret = pipe;
	return r;
}

static int read_steps(struct parser *t, struct tpl_step **ret, enum ending *ret_end);

/* What stands behind "if", "range", "with", up to its end.  "else if" is an if inside the else. */
static int read_block(struct parser *t, struct tpl_step *step)
{
	enum ending end = END_TEXT;
	int r = read_pipe(t, &step->pipe);

	if (r == 0)
		r = read_close(t);
	if (r == 0 && ++t->depth > TEMPLATE_NESTING_MAX)
		return bad(t, "too deep nesting");
	t->loops += step->kind == TPL_RANGE;
	if (r == 0)
		r = read_steps(t, &step->then, &end);
	t->loops -= step->kind == TPL_RANGE;
	if (r == 0 && end == END_ELSE) {
		skip_space(t);
		if (str_starts(t->p, "if ") || str_starts(t->p, "with ")) {
			struct tpl_step *inner = arena_alloc(t->a, 1, sizeof(*inner));

			if (inner == NULL)
				return nomem(t);
			inner->kind = *t->p == 'i' ? TPL_IF : TPL_WITH;
			t->p += *t->p == 'i' ? 3 : 5;
			step->otherwise = inner;
			r = read_block(t, inner);
			t->depth--;
			return r; /* its end is ours */
		}
		r = read_close(t);
		if (r == 0)
			r = read_steps(t, &step->otherwise, &end);
		if (r == 0 && end == END_ELSE)
			return bad(t, "unexpected {{else}}");
	}
	t->depth--;
	if (r == 0 && end == END_TEXT)
		return bad(t, "unexpected end: {{end}} is missing");
	return r == 0 ? read_close(t) : r;
}

static bool take_word(struct parser *t, const char *word)
{
	size_t n = strlen(word);

	if (word_len(t->p) != n || strncmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

static int read_comment(struct parser *t)
{
	const char *end = strstr(t->p, "*/");

	if (end == NULL)
		return bad(t, "unclosed comment");
	t->p = end + 2;
	return read_close(t);
}

/* Behind "{{".  Return: 1 a step was read; 0 a comment; 2 @ret_end tells; -errno. */
static int read_action(struct parser *t, struct tpl_step *step, enum ending *ret_end)
{
	int r;

	skip_space(t);
	if (str_starts(t->p, "/*"))
		return read_comment(t);
	if (take_word(t, "end") || take_word(t, "else")) {
		*ret_end = t->p[-1] == 'd' ? END_END : END_ELSE;
		return 2;
	}
	step->kind = TPL_ACTION;
	if (take_word(t, "break") || take_word(t, "continue")) {
		step->kind = t->p[-1] == 'k' ? TPL_BREAK : TPL_CONTINUE;
		r = t->loops > 0 ? read_close(t) : bad(t, "break or continue outside of range");
		return r < 0 ? r : 1;
	}
	if (take_word(t, "if"))
		step->kind = TPL_IF;
	else if (take_word(t, "range"))
		step->kind = TPL_RANGE;
	else if (take_word(t, "with"))
		step->kind = TPL_WITH;
	if (step->kind != TPL_ACTION)
		r = read_block(t, step);
	else {
		r = read_pipe(t, &step->pipe);
		if (r == 0 && step->pipe->key != NULL)
			r = bad(t, "too many declarations");
		if (r == 0)
			r = read_close(t);
	}
	return r < 0 ? r : 1;
}

/*
 * Text up to the next action; @ret stays NULL when there is none left after trimming.
 * Return: 1 an action follows; 0 the end; -errno.
 */
static int read_text(struct parser *t, struct tpl_step **ret)
{
	const char *open = strstr(t->p, "{{"), *begin = t->p;
	const char *end = open != NULL ? open : begin + strlen(begin);

	t->p = open != NULL ? open + 2 : end;
	if (t->trim)
		begin += strspn(begin, " \t\r\n");
	t->trim = false;
	if (begin > end)
		begin = end;
	if (open != NULL && open[2] == '-' && isspace((unsigned char) open[3])) {
		t->p = open + 4;
		while (end > begin && isspace((unsigned char) end[-1]))
			end--;
	}
	if (begin == end)
		return open != NULL;
	*ret = arena_alloc(t->a, 1, sizeof(**ret));
	if (*ret == NULL)
		return nomem(t);
	(*ret)->kind = TPL_TEXT_STEP;
	(*ret)->text = begin;
	(*ret)->len = (size_t) (end - begin);
	return open != NULL;
}

static int read_steps(struct parser *t, struct tpl_step **ret, enum ending *ret_end)
{
	struct tpl_step **tail = ret;

	for (;;) {
		struct tpl_step *step;
		int r = read_text(t, tail);

		if (r < 0)
			return r;
		if (*tail != NULL)
			tail = &(*tail)->next;
		if (r == 0) {
			*ret_end = END_TEXT;
			return 0;
		}
		step = arena_alloc(t->a, 1, sizeof(*step));
		if (step == NULL)
			return nomem(t);
		r = read_action(t, step, ret_end);
		if (r < 0 || r == 2)
			return r < 0 ? r : 0;
		if (r == 1) {
			*tail = step;
			tail = &step->next;
		}
	}
}

int template_parse(const char *text, struct template **ret, struct err *err)
{
	_cleanup_(template_freep) struct template *tpl = calloc(1, sizeof(*tpl));
	struct parser t = { .p = text, .err = err };
	enum ending end = END_TEXT;
	int r;

	if (tpl == NULL)
		return err_set(err, -ENOMEM, "read the template");
	if (strlen(text) > TEMPLATE_SIZE_MAX)
		return err_msg(err, -EINVAL, "template parsing error: it is over %d bytes",
			       TEMPLATE_SIZE_MAX);
	tpl->text = text;
	t.a = &tpl->arena;
	r = read_steps(&t, &tpl->first, &end);
	if (r == 0 && end != END_TEXT)
		r = bad(&t, "unexpected {{end}} or {{else}}");
	if (r == 0)
		*ret = take_ptr(tpl);
	return r;
}

void template_free(struct template *t)
{
	if (t == NULL)
		return;
	arena_fini(&t->arena);
	free(t);
}

/* A field of "." is the innermost one: ".State.Status" names "State". */
static const char *field_of(const struct tpl_operand *o)
{
	while (o != NULL && o->kind == TPL_OP_FIELD && o->of != NULL && o->of->kind == TPL_OP_FIELD)
		o = o->of;
	return o != NULL && o->kind == TPL_OP_FIELD && o->of->kind == TPL_OP_DOT ? o->name : NULL;
}

const char *template_field(const struct template *t, size_t n)
{
	for (const struct tpl_step *s = t->first; s != NULL; s = s->next) {
		const char *name = NULL;

		if (s->kind == TPL_TEXT_STEP || s->pipe == NULL)
			continue;
		for (const struct tpl_command *c = s->pipe->first; c != NULL && name == NULL;
		     c = c->next)
			for (const struct tpl_operand *o = c->first; o != NULL && name == NULL;
			     o = o->next)
				name = field_of(o);
		if (n-- == 0)
			return name != NULL ? name : "";
	}
	return NULL;
}
