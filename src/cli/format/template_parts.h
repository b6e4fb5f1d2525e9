/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of templates; nobody else includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct err;
struct json;
struct str;

enum tpl_kind {
	TPL_NIL,
	TPL_NODE,
	TPL_TEXT,
	TPL_INT,
	TPL_BOOL,
	TPL_LIST,
};

/**
 * struct tpl_value - what an expression is
 * @node: TPL_NODE: an object or a list of the data, or a number that is no integer
 * @text: TPL_TEXT: terminated
 * @list, @n: TPL_LIST: made by a function
 */
struct tpl_value {
	enum tpl_kind kind;
	union {
		const struct json *node;
		const char *text;
		int64_t number;
		bool flag;
		const struct tpl_value *list;
	};
	size_t n;
};

enum tpl_operand_kind {
	TPL_OP_DOT,
	TPL_OP_FIELD,
	TPL_OP_VARIABLE,
	TPL_OP_LITERAL,
	TPL_OP_FUNCTION,
	TPL_OP_PIPE,
};

/* Where an operand with fields stands, for messages: @at is what Go says, its second word if it has two */
struct tpl_place {
	const char *text, *at;
	size_t len;
};

/* @name: field or variable, or name of a function; @of, @place: what a field is taken of, and where */
struct tpl_operand {
	enum tpl_operand_kind kind;
	const char *name;
	struct tpl_operand *of;
	struct tpl_place *place;
	struct tpl_value literal;
	struct tpl_pipe *pipe;
	struct tpl_operand *next;
};

struct tpl_command {
	struct tpl_operand *first;
	struct tpl_command *next;
};

/* @key, @value: variables that are set, NULL for none */
struct tpl_pipe {
	const char *key, *value;
	bool assign; /* "=", not ":=" */
	struct tpl_command *first;
};

enum tpl_step_kind {
	TPL_TEXT_STEP,
	TPL_ACTION,
	TPL_IF,
	TPL_RANGE,
	TPL_WITH,
	TPL_BREAK,
	TPL_CONTINUE,
};

struct tpl_step {
	enum tpl_step_kind kind;
	const char *text;
	size_t len;
	struct tpl_pipe *pipe;
	struct tpl_step *then, *otherwise, *next;
};

/* Which fields that the data does not have are errors */
enum tpl_strict {
	TPL_LENIENT,
	TPL_STRICT_ROW, /* those of "$", which is the row of a list */
	TPL_STRICT_DATA, /* all, but of maps and what Docker leaves out: tpl_may_lack() */
};

struct template {
	struct arena arena;
	const char *text;
	struct tpl_step *first;
	enum tpl_strict strict;
	bool headings; /* "$" has headings, not values */
};

#define TPL_ARGS_MAX 64

/** tpl_may_lack() - @name is no mistake though the @object does not have it */
bool tpl_may_lack(const struct json *object, const char *name);

/**
 * tpl_function() - call a function
 * @name: terminated
 * @v, @n: its arguments; the value that was piped in is the last
 * @a: owns what is made
 * Return: 0; -EINVAL with a message; -ENOMEM.
 */
int tpl_function(const char *name, const struct tpl_value *v, size_t n, struct arena *a,
		 struct tpl_value *ret, struct err *err);

/** tpl_is_function() - there is one of this name */
bool tpl_is_function(const char *name, size_t len);

/** tpl_value_of() - a value of the data; NULL is nil */
struct tpl_value tpl_value_of(const struct json *node);

/** tpl_true() - as an "if" sees it */
bool tpl_true(const struct tpl_value *v);

/** tpl_print() - append as an action does */
void tpl_print(const struct tpl_value *v, struct str *ret);

/** tpl_json() - append as JSON */
void tpl_json(const struct tpl_value *v, struct str *ret);

/** tpl_len() - elements, members or bytes; -EINVAL for what has none */
int64_t tpl_len(const struct tpl_value *v);

/** tpl_field() - member of an object; -ENOENT and nil when there is none; -EINVAL for what has no fields */
int tpl_field(const struct tpl_value *of, const char *name, struct tpl_value *ret);

/**
 * tpl_index() - element of a list or member of an object; nil when there is none
 * Return: 0; -EINVAL with a message.
 */
int tpl_index(const struct tpl_value *v, const struct tpl_value *key, struct tpl_value *ret,
	      struct err *err);
