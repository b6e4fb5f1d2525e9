/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/docs_parts.h"
#include "cli/verbs.h"

static const char script[] =
	"# fish completion for cleave, made of its tables of options\n"
	"\n"
	"function __cleave_words\n"
	"    set -l skip 0\n"
	"    set -l words\n"
	"    for w in (commandline -opc)[2..-1]\n"
	"        if test $skip = 1\n"
	"            set skip 0\n"
	"            continue\n"
	"        end\n"
	"        if contains -- $w (__cleave_values $words)\n"
	"            set skip 1\n"
	"        else if not string match -q -- '-*' $w\n"
	"            set words $words $w\n"
	"            echo $w\n"
	"        end\n"
	"    end\n"
	"end\n"
	"function __cleave_is\n"
	"    set -l have (__cleave_words)\n"
	"    test \"$have\" = \"$argv\"\n"
	"end\n"
	"function __cleave_in\n"
	"    set -l have (__cleave_words)\n"
	"    set -l n (count $argv)\n"
	"    test (count $have) -ge $n; and test \"$have[1..$n]\" = \"$argv\"\n"
	"end\n"
	"function __cleave_instances\n"
	"    command cleave ps -a --format '{{.Names}}' 2>/dev/null\n"
	"end\n"
	"function __cleave_images\n"
	"    command cleave image ls --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | string match -v '*<none>*'\n"
	"end\n"
	"function __cleave_volumes\n"
	"    command cleave volume ls -q 2>/dev/null\n"
	"end\n"
	"complete -c cleave -f\n";

static const char *const lists[] = {
	NULL,
	NULL,
	"(__cleave_instances)",
	"(__cleave_images)",
	"(__cleave_volumes)",
	"(__cleave_instances; __cleave_images; __cleave_volumes)",
};

static void text(struct str *s, const char *value)
{
	str_puts(s, " -d '");
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			str_puts(s, "\\");
		str_add(s, value, 1);
	}
	str_puts(s, "'");
}

static void option(struct str *s, const char *condition, const struct opt *o)
{
	enum docs_kind kind = docs_value(o);

	if (o->help == NULL)
		return;
	str_printf(s, "complete -c cleave -n '%s' -l %s", condition, o->name);
	if (o->letter != 0)
		str_printf(s, " -s %c", o->letter);
	if (docs_has_value(o))
		str_puts(s, kind == DOCS_FILE ? " -r -F" : " -x");
	if (lists[kind] != NULL)
		str_printf(s, " -a '%s'", lists[kind]);
	text(s, o->help);
	str_puts(s, "\n");
}

static void name_lines(struct str *s, const struct cli_name *c, const char *condition)
{
	const char *space = strchr(c->name, ' ');
	bool many;
	enum docs_kind kind = docs_operand(c->verb, &many);

	str_puts(s, "complete -c cleave -n '__cleave_is");
	if (space != NULL)
		str_printf(s, " %.*s", (int) (space - c->name), c->name);
	str_printf(s, "' -a %s", space != NULL ? space + 1 : c->name);
	text(s, c->verb->summary);
	str_puts(s, "\n");
	for (const struct opt *o = c->verb->opts; o != NULL && o->kind != OPT_END; o++)
		option(s, condition, o);
	if (lists[kind] != NULL)
		str_printf(s, "complete -c cleave -n '%s %s' -a '%s'\n", many ? "__cleave_in" : "__cleave_is",
			   c->name, lists[kind]);
	if (kind == DOCS_FILE)
		str_printf(s, "complete -c cleave -n '%s' -F\n", condition);
	else if (!many && kind != DOCS_NOTHING && c->verb->max_args != 1)
		str_printf(s, "complete -c cleave -n '%s; and not __cleave_is %s' -F\n", condition,
			   c->name);
}

static void group_line(const struct cli_names *names, const char *group, struct str *s)
{
	(void) names;
	str_printf(s, "complete -c cleave -n __cleave_is -a %s", group);
	text(s, cli_group_summary(group));
	str_puts(s, "\n");
}

static void value_case(struct str *s, const char *name, const struct opt *table)
{
	bool any = false;

	for (const struct opt *o = table; o != NULL && o->kind != OPT_END; o++) {
		if (!docs_has_value(o))
			continue;
		if (!any)
			str_printf(s, "        case '%s%s'\n            string split ' ' -- '",
				   name, *name != '\0' ? " *" : " ");
		str_printf(s, "%s--%s", any ? " " : "", o->name);
		if (o->letter != 0)
			str_printf(s, " -%c", o->letter);
		any = true;
	}
	str_puts(s, any ? "'\n" : "");
}

/* Prints the options that have a value, of the verb that the words begin with. */
static void value_options(const struct cli_names *names, struct str *s)
{
	str_puts(s, "function __cleave_values\n    switch \"$argv \"\n");
	value_case(s, "", cli_global_options());
	for (size_t i = 0; i < names->n; i++)
		value_case(s, names->v[i].name, names->v[i].verb->opts);
	str_puts(s, "    end\nend\n");
}

void docs_fish(const struct cli_names *names, struct str *ret)
{
	str_puts(ret, script);
	value_options(names, ret);
	for (const struct opt *o = cli_global_options(); o->kind != OPT_END; o++)
		option(ret, "__cleave_is", o);
	docs_groups(names, ret, group_line);
	for (size_t i = 0; i < names->n; i++) {
		_cleanup_(str_fini) struct str condition = { 0 };

		str_printf(&condition, "__cleave_in %s", names->v[i].name);
		if (!condition.failed)
			name_lines(ret, &names->v[i], condition.p);
	}
}
