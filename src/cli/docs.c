/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave _docs`
 *
 * Run by the build on the program that it has just made: manual pages and completions say what the
 * program itself says.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/docs_parts.h"
#include "cli/verbs.h"

static enum docs_kind kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum docs_kind kind;
	} kinds[] = {
		{ "INSTANCE", DOCS_INSTANCE }, { "IMAGE", DOCS_IMAGE }, { "VOLUME", DOCS_VOLUME },
		{ "NAME...", DOCS_OBJECT },    { "FILE", DOCS_FILE },	{ "DIR", DOCS_FILE },
		{ "PATH", DOCS_FILE },	       { "TAR", DOCS_FILE },	{ "SOURCE", DOCS_FILE },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_starts(word, kinds[i].word))
			return kinds[i].kind;
	return DOCS_NOTHING;
}

enum docs_kind docs_operand(const struct cli_verb *v, bool *many)
{
	const char *word = v->args + strspn(v->args, "[");

	*many = strncmp(word + strcspn(word, " ."), "...", 3) == 0;
	return kind_of(word);
}

enum docs_kind docs_value(const struct opt *o)
{
	return o->arg != NULL ? kind_of(o->arg) : DOCS_NOTHING;
}

bool docs_has_value(const struct opt *o)
{
	return o->kind != OPT_BOOL && o->kind != OPT_OFF;
}

void docs_groups(const struct cli_names *names, struct str *ret,
		 void (*each)(const struct cli_names *names, const char *group, struct str *ret))
{
	char group[64], last[64] = "";

	for (size_t i = 0; i < names->n; i++) {
		const char *space = strchr(names->v[i].name, ' ');

		if (space == NULL)
			continue;
		(void) snprintf(group, sizeof(group), "%.*s", (int) (space - names->v[i].name),
				names->v[i].name);
		if (strcmp(group, last) != 0)
			each(names, group, ret);
		memcpy(last, group, sizeof(last));
	}
}

void docs_quoted(struct str *ret, const char *text, const char *escape)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			str_puts(ret, "'\\''");
		else if (strchr(escape, *text) != NULL)
			str_printf(ret, "\\%c", *text);
		else
			str_add(ret, text, 1);
	}
}

static int write_file(int dir, const char *folder, const char *name, struct str *text,
		      struct err *err)
{
	if (text->failed)
		return err_set(err, -ENOMEM, "write '%s/%s'", folder, name);
	if (mkdirat(dir, folder, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s'", folder);
	_cleanup_close_ int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "open directory '%s'", folder);
	int r = file_replace(fd, name, text->p, text->len, 0644);
	return r < 0 ? err_set(err, r, "write '%s/%s'", folder, name) : 0;
}

static int write_page(int dir, const struct cli_names *names, const struct cli_name *name,
		      struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char file[80];

	(void) snprintf(file, sizeof(file), "cleave%s%.64s.1", name != NULL ? "-" : "",
			name != NULL ? name->name : "");
	for (char *p = file; *p != '\0'; p++)
		if (*p == ' ')
			*p = '-';
	docs_man(names, name != NULL ? name->verb : NULL, &text);
	return write_file(dir, "man1", file, &text, err);
}

static int write_completions(int dir, const struct cli_names *names, struct err *err)
{
	static const struct {
		const char *folder, *file;
		void (*make)(const struct cli_names *names, struct str *ret);
	} shells[] = {
		{ "completions", "cleave", docs_bash },
		{ "site-functions", "_cleave", docs_zsh },
		{ "vendor_completions.d", "cleave.fish", docs_fish },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(shells); i++) {
		_cleanup_(str_fini) struct str text = { 0 };

		shells[i].make(names, &text);
		r = write_file(dir, shells[i].folder, shells[i].file, &text, err);
	}
	return r;
}

static int docs_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(cli_names_fini) struct cli_names names;
	int r = cli_names(&names);

	(void) cli;
	(void) opts;
	(void) argc;
	if (r < 0)
		return err_set(err, r, "list the commands");
	_cleanup_close_ int dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open directory '%s'", argv[0]);
	r = write_page(dir, &names, NULL, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (!names.v[i].alias)
			r = write_page(dir, &names, &names.v[i], err);
	return r == 0 ? write_completions(dir, &names, err) : r;
}

CLI_VERB(docs_verb) = {
	.name = "_docs",
	.args = "DIR",
	.summary = "Write manual pages and completions",
	.min_args = 1,
	.max_args = 1,
	.run = docs_run,
};
