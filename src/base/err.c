/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

__attribute__((format(printf, 4, 0)))
static void err_vset(struct err *err, int code, const char *tail, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX]; /* the old text may be among the arguments */
	size_t n;

	err->code = code;
	(void) vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	str_plain(text, '?'); /* strangers wrote parts of it */
	n = strlen(text);
	memcpy(err->text, text, n + 1);
	if (tail == NULL)
		return;
	(void) snprintf(err->text + n, sizeof(err->text) - n, ": %s", tail);
	if (n + 3 < sizeof(err->text) && !isupper((unsigned char) err->text[n + 3]))
		err->text[n + 2] = (char) tolower((unsigned char) err->text[n + 2]); /* engines match on it */
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	va_start(ap, fmt);
	err_vset(err, code, strerror(-code), fmt, ap);
	va_end(ap);
	return code;
}

int err_msg(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	va_start(ap, fmt);
	err_vset(err, code, NULL, fmt, ap);
	va_end(ap);
	return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;

	if (err == NULL)
		return code;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	err_vset(err, code, old[0] != '\0' ? old : strerror(-code), fmt, ap);
	va_end(ap);
	return code;
}
