/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading JSON
 *
 * A recursive descent over the text, one pass, nodes from one arena and all strings in one buffer:
 * a decoded string and its terminator are never longer than its quoted form, so a buffer as large as
 * the text holds them all.  Libraries were tried first: the common one keeps integers as signed
 * 64-bit numbers and so cannot read the limits of config.json (RLIM_INFINITY is 2^64 - 1).
 */
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "bare/utf8.h"

struct json_lexer {
	struct json_in *in;
	const char *text, *p, *end;
	char *out; /* where the next decoded string goes */
	unsigned int depth;
};

static int syntax_error(struct json_lexer *lx, const char *at, const char *what)
{
	unsigned int line = 1;
	const char *bol = lx->text;

	for (const char *p = lx->text; p < at; p++) {
		if (*p != '\n')
			continue;
		line++;
		bol = p + 1;
	}
	lx->in->code = err_msg(lx->in->err, -EINVAL, "%s: line %u column %u: %s", lx->in->file, line,
			       (unsigned int) (at - bol) + 1, what);
	return lx->in->code;
}

static void skip_space(struct json_lexer *lx)
{
	while (lx->p < lx->end &&
	       (*lx->p == ' ' || *lx->p == '\n' || *lx->p == '\t' || *lx->p == '\r'))
		lx->p++;
}

static char *utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char) c;
	} else if (c < 0x800) {
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char) (0xe0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	} else {
		*out++ = (char) (0xf0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 0x3f));
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	return out;
}

/* Four hexadecimal digits at lx->p; -1 if they are not there */
static int32_t hex4(struct json_lexer *lx)
{
	int32_t v = 0;

	if (lx->end - lx->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *lx->p++;

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static int parse_escape(struct json_lexer *lx)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *start = lx->p++;
	const char *hit;
	int32_t c, low;

	if (lx->p == lx->end)
		return syntax_error(lx, start, "string without end");
	if (*lx->p != 'u') {
		hit = memchr(from, *lx->p, sizeof(from) - 1);
		if (hit == NULL)
			return syntax_error(lx, start, "unknown escape in a string");
		*lx->out++ = to[hit - from];
		lx->p++;
		return 0;
	}
	lx->p++;
	c = hex4(lx);
	if (c < 0)
		return syntax_error(lx, start, "\\u needs four hexadecimal digits");
	if (c >= 0xd800 && c <= 0xdfff) {
		if (c > 0xdbff || lx->end - lx->p < 2 || lx->p[0] != '\\' || lx->p[1] != 'u')
			return syntax_error(lx, start, "half of a surrogate pair");
		lx->p += 2;
		low = hex4(lx);
		if (low < 0xdc00 || low > 0xdfff)
			return syntax_error(lx, start, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	lx->out = utf8_put(lx->out, (uint32_t) c);
	return 0;
}

/* lx->p is at the opening quote */
static int parse_string(struct json_lexer *lx, char **ret, uint32_t *ret_len)
{
	const char *start = lx->p++;
	char *text = lx->out;
	int r;

	for (;;) {
		const char *run = lx->p;

		while (lx->p < lx->end && *lx->p != '"' && *lx->p != '\\' &&
		       (unsigned char) *lx->p >= 0x20 && (unsigned char) *lx->p < 0x80)
			lx->p++;
		memcpy(lx->out, run, (size_t) (lx->p - run));
		lx->out += lx->p - run;
		if (lx->p == lx->end)
			return syntax_error(lx, start, "string without end");
		if (*lx->p == '"')
			break;
		if (*lx->p == '\\') {
			r = parse_escape(lx);
			if (r < 0)
				return r;
			continue;
		}
		if ((unsigned char) *lx->p < 0x20)
			return syntax_error(lx, lx->p, "control character in a string");

		size_t n = utf8_len((const unsigned char *) lx->p, (size_t) (lx->end - lx->p));
		if (n == 0)
			return syntax_error(lx, lx->p, "invalid UTF-8");
		memcpy(lx->out, lx->p, n);
		lx->out += n;
		lx->p += n;
	}
	lx->p++;
	*ret = text;
	*ret_len = (uint32_t) (lx->out - text);
	*lx->out++ = '\0';
	return 0;
}

static bool is_digit(const struct json_lexer *lx)
{
	return lx->p < lx->end && *lx->p >= '0' && *lx->p <= '9';
}

static int parse_number(struct json_lexer *lx, struct json *node)
{
	const char *start = lx->p;

	node->kind = JSON_KIND_NUMBER;
	node->flag = true;
	if (*lx->p == '-') {
		node->negative = true;
		lx->p++;
	}
	if (!is_digit(lx))
		return syntax_error(lx, start, "unexpected character");
	if (*lx->p == '0' && lx->p + 1 < lx->end && lx->p[1] >= '0' && lx->p[1] <= '9')
		return syntax_error(lx, start, "number with a leading zero");
	for (; is_digit(lx); lx->p++) {
		if (__builtin_mul_overflow(node->magnitude, (uint64_t) 10, &node->magnitude) ||
		    __builtin_add_overflow(node->magnitude, (uint64_t) (*lx->p - '0'),
					   &node->magnitude))
			node->flag = false;
	}
	if (lx->p < lx->end && *lx->p == '.') {
		node->flag = false;
		lx->p++;
		if (!is_digit(lx))
			return syntax_error(lx, lx->p, "expected a digit");
		while (is_digit(lx))
			lx->p++;
	}
	if (lx->p < lx->end && (*lx->p == 'e' || *lx->p == 'E')) {
		node->flag = false;
		lx->p++;
		if (lx->p < lx->end && (*lx->p == '+' || *lx->p == '-'))
			lx->p++;
		if (!is_digit(lx))
			return syntax_error(lx, lx->p, "expected a digit");
		while (is_digit(lx))
			lx->p++;
	}
	node->text = (char *) start;
	node->len = (uint32_t) (lx->p - start);
	return 0;
}

static int parse_word(struct json_lexer *lx, struct json *node)
{
	static const struct {
		const char *word;
		size_t len;
		enum json_kind kind;
		bool flag;
	} words[] = {
		{ "null", 4, JSON_KIND_NULL, false },
		{ "true", 4, JSON_KIND_BOOL, true },
		{ "false", 5, JSON_KIND_BOOL, false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((size_t) (lx->end - lx->p) < words[i].len ||
		    memcmp(lx->p, words[i].word, words[i].len) != 0)
			continue;
		node->kind = words[i].kind;
		node->flag = words[i].flag;
		lx->p += words[i].len;
		return 0;
	}
	return syntax_error(lx, lx->p, "unexpected character");
}

static int parse_value(struct json_lexer *lx, struct json *node);

/* name and colon of an object's member */
static int parse_key(struct json_lexer *lx, struct json *node)
{
	char *key;
	int r;

	if (lx->p == lx->end || *lx->p != '"')
		return syntax_error(lx, lx->p, "expected a name in double quotes");
	r = parse_string(lx, &key, &node->key_len);
	if (r < 0)
		return r;
	node->key = key;
	skip_space(lx);
	if (lx->p == lx->end || *lx->p != ':')
		return syntax_error(lx, lx->p, "expected ':'");
	lx->p++;
	return 0;
}

/* lx->p is at the opening bracket */
static int parse_container(struct json_lexer *lx, struct json *node, bool object)
{
	const char close = object ? '}' : ']';
	struct json **tail = &node->first;
	int r;

	node->kind = object ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;
	if (++lx->depth > JSON_NESTING_MAX)
		return syntax_error(lx, lx->p, "nested too deeply, the limit is 64");
	lx->p++;
	skip_space(lx);
	while (lx->p == lx->end || *lx->p != close || node->len > 0) {
		struct json *item = arena_alloc(&lx->in->nodes, 1, sizeof(*item));

		if (item == NULL)
			return lx->in->code = err_set(lx->in->err, -ENOMEM, "read %s", lx->in->file);
		item->up = node;
		if (object) {
			r = parse_key(lx, item);
			if (r < 0)
				return r;
		}
		r = parse_value(lx, item);
		if (r < 0)
			return r;
		*tail = item;
		tail = &item->next;
		node->len++;
		skip_space(lx);
		if (lx->p < lx->end && *lx->p == close)
			break;
		if (lx->p == lx->end || *lx->p != ',')
			return syntax_error(lx, lx->p, object ? "expected ',' or '}'"
							      : "expected ',' or ']'");
		lx->p++;
		skip_space(lx);
	}
	lx->p++;
	lx->depth--;
	return 0;
}

static int parse_value(struct json_lexer *lx, struct json *node)
{
	skip_space(lx);
	if (lx->p == lx->end)
		return syntax_error(lx, lx->p, "unexpected end");
	switch (*lx->p) {
	case '{':
		return parse_container(lx, node, true);
	case '[':
		return parse_container(lx, node, false);
	case '"':
		node->kind = JSON_KIND_STRING;
		return parse_string(lx, &node->text, &node->len);
	case '-':
	case '0' ... '9':
		return parse_number(lx, node);
	default:
		return parse_word(lx, node);
	}
}

int json_parse(struct json_in *in, const char *file, struct arena *strings, const char *text,
	       size_t len, struct err *err)
{
	struct json_lexer lx = { .in = in, .text = text, .p = text, .end = text + len };
	int r;

	*in = (struct json_in) { .file = file, .strings = strings, .err = err };
	if (len > JSON_SIZE_MAX)
		return in->code = err_msg(err, -EFBIG, "%s: %zu bytes are over the limit %u", file,
					  len, JSON_SIZE_MAX);
	lx.out = arena_alloc(strings, len + 1, 1);
	in->root = arena_alloc(&in->nodes, 1, sizeof(*in->root));
	if (lx.out == NULL || in->root == NULL)
		return in->code = err_set(err, -ENOMEM, "read %s", file);
	r = parse_value(&lx, in->root);
	if (r < 0)
		return r;
	skip_space(&lx);
	if (lx.p < lx.end)
		return syntax_error(&lx, lx.p, "text after the end");
	return 0;
}

void json_fini(struct json_in *in)
{
	arena_fini(&in->nodes);
}
