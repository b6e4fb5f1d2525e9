/* SPDX-License-Identifier: MIT */
/**
 * DOC: variables and labels, also from files
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"

#define LINES_MAX (1u << 20) /* bytes of a file of variables or labels */

typedef int set_fn(struct arena *a, struct img_words *list, const char *entry, struct err *err);

/* A name alone takes the value from here, or is left out. */
static int set_env(struct arena *a, struct img_words *env, const char *entry, struct err *err)
{
	const char *value;
	char *text;

	if (*entry == '\0' || *entry == '=')
		return err_msg(err, -EINVAL, "variable '%s' has no name", entry);
	if (strchr(entry, '=') == NULL) {
		value = getenv(entry);
		if (value == NULL)
			return 0;
		text = arena_printf(a, "%s=%s", entry, value);
		if (text == NULL)
			return run_nomem(err);
		entry = text;
	}
	return eng_env_set(a, env, entry) < 0 ? run_nomem(err) : 0;
}

/* NAME, NAME=VALUE */
static int set_label(struct arena *a, struct img_words *labels, const char *entry, struct err *err)
{
	const char *text = entry;

	if (*entry == '\0' || *entry == '=')
		return err_msg(err, -EINVAL, "label '%s' has no name", entry);
	if (strchr(entry, '=') == NULL)
		text = arena_printf(a, "%s=", entry);
	return text == NULL || eng_env_set(a, labels, text) < 0 ? run_nomem(err) : 0;
}

/* NAME=VALUE or NAME per line; lines that begin with "#" and empty ones are skipped. */
static int read_lines(struct arena *a, struct img_words *list, const char *option, const char *path,
		      set_fn *set, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;
	int r = file_read(AT_FDCWD, path, LINES_MAX, &text);

	if (r < 0)
		return err_set(err, r, "%s: read '%s'", option, path);
	if (text.p == NULL)
		return 0;
	if (strlen(text.p) != text.len)
		return err_msg(err, -EINVAL, "%s '%s': the file holds a zero byte", option, path);
	for (char *line = strtok_r(text.p, "\n", &save); r == 0 && line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			continue;
		line[strcspn(line, "\r")] = '\0';
		if (strcspn(line, " \t") < strcspn(line, "="))
			return err_msg(err, -EINVAL,
				       "%s '%s': variable '%.200s' contains whitespace", option,
				       path, line);
		r = set(a, list, line, err);
	}
	return r;
}

int run_env(struct arena *a, struct img_words *env, const struct opt_strings *files,
	    const struct opt_strings *entries, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++)
		r = read_lines(a, env, "--env-file", files->v[i], set_env, err);
	for (size_t i = 0; r == 0 && i < entries->n; i++)
		r = set_env(a, env, entries->v[i], err);
	return r;
}

int run_labels(struct arena *a, struct img_words *labels, const struct opt_strings *files,
	       const struct opt_strings *entries, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++)
		r = read_lines(a, labels, "--label-file", files->v[i], set_label, err);
	for (size_t i = 0; r == 0 && i < entries->n; i++)
		r = set_label(a, labels, entries->v[i], err);
	return r;
}
