/* SPDX-License-Identifier: MIT */
/*
 * Go templates as people type them behind --format: "{{.Name}} {{range .Mounts}}{{.Source}} {{end}}".
 */
#pragma once

#include <stddef.h>

struct err;
struct json;
struct str;
struct template;

#define TEMPLATE_SIZE_MAX 65536 /* bytes of a template */
#define TEMPLATE_NESTING_MAX 64 /* blocks and parentheses inside each other */
#define TEMPLATE_OUTPUT_MAX (64u << 20) /* bytes of what one makes */

/**
 * template_parse() - read a template
 * @text: borrows; must outlive @ret
 * @ret: returns; free with template_free()
 *
 * Known: text, fields, variables, literals, pipelines, parentheses, comments, trim markers, if, else if,
 * else, range with one or two variables, break, continue, with, end; the functions of the language that make sense
 * for data (and or not len index slice print printf println html js urlquery eq ne lt le gt ge) and those
 * that Docker adds (json join split title lower upper pad truncate table).
 * Return: 0; -EINVAL with a message; -ENOMEM.
 * Spec: the documentation of Go's text/template.
 */
int template_parse(const char *text, struct template **ret, struct err *err);

/**
 * template_run() - append what a template makes of a value
 * @data: what "." is
 * Return: 0; -EINVAL with a message; -E2BIG over TEMPLATE_OUTPUT_MAX; -ENOMEM.
 */
int template_run(const struct template *t, const struct json *data, struct str *ret,
		 struct err *err);

/**
 * template_field() - field of "." that an action at the top level names, for the heading of its column
 * @n: which action, from 0
 * Return: "Name" for {{.Name}} and {{json .Name.First}}; "" for one that names none; NULL when there are no more.
 */
const char *template_field(const struct template *t, size_t n);

/** template_free() - release; NULL is fine */
void template_free(struct template *t);

static inline void template_freep(struct template **t)
{
	template_free(*t);
}
