/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/docs_parts.h"
#include "cli/verbs.h"

static const char script[] =
	"#compdef cleave\n"
	"# zsh completion for cleave, made of its tables of options\n"
	"\n"
	"_cleave_add() {\n"
	"\tlocal -a found\n"
	"\tlocal expl what=$1\n"
	"\tshift\n"
	"\tfound=(${(f)\"$(command cleave \"$@\" 2>/dev/null)\"})\n"
	"\tfound=(${found:#*<none>*})\n"
	"\t_wanted $what expl $what compadd -a found\n"
	"}\n"
	"_cleave_instance() { _cleave_add instance ps -a --format '{{.Names}}' }\n"
	"_cleave_image() { _cleave_add image image ls --format '{{.Repository}}:{{.Tag}}' }\n"
	"_cleave_volume() { _cleave_add volume volume ls -q }\n"
	"_cleave_object() { _alternative 'i:instance:_cleave_instance' 'm:image:_cleave_image' 'v:volume:_cleave_volume' }\n";

static const char *const actions[] = {
	"", "_files", "_cleave_instance", "_cleave_image", "_cleave_volume", "_cleave_object",
};

static void function_name(struct str *s, const char *verb)
{
	str_puts(s, "_cleave__");
	for (; *verb != '\0'; verb++)
		str_add(s, *verb == ' ' || *verb == '-' ? "_" : verb, 1);
}

static void option_spec(struct str *s, const struct opt *o, const char *name, const char *joint)
{
	str_printf(s, " \\\n\t\t'%s%s%s[", o->kind == OPT_STRINGS ? "*" : "", name,
		   docs_has_value(o) ? joint : "");
	docs_quoted(s, o->help, "[]\\");
	str_puts(s, "]");
	if (docs_has_value(o)) {
		str_puts(s, ":");
		docs_quoted(s, o->arg, ":\\");
		str_printf(s, ":%s", actions[docs_value(o)]);
	}
	str_puts(s, "'");
}

static void options(struct str *s, const struct opt *table)
{
	char name[80];

	for (const struct opt *o = table; o != NULL && o->kind != OPT_END; o++) {
		if (o->help == NULL)
			continue;
		(void) snprintf(name, sizeof(name), "--%.64s", o->name);
		option_spec(s, o, name, "=");
		(void) snprintf(name, sizeof(name), "-%c", o->letter);
		if (o->letter != 0)
			option_spec(s, o, name, "+");
	}
	str_puts(s, " \\\n\t\t'--help[print help]'");
}

static void verb_function(struct str *s, const struct cli_verb *v)
{
	bool many;
	enum docs_kind kind = docs_operand(v, &many);

	function_name(s, v->name);
	str_puts(s, "() {\n\t_arguments -s -S");
	if (!v->interspersed)
		str_puts(s, " -A '-*'");
	options(s, v->opts);
	if (v->args[0] != '\0' && !many)
		str_printf(s, " \\\n\t\t'1:operand:%s'", actions[kind]);
	if (v->max_args != 1 && v->args[0] != '\0')
		str_printf(s, " \\\n\t\t'*:operand:%s'", many ? actions[kind] : "_files");
	str_puts(s, "\n}\n");
}

/* The words that follow @group, or the top level */
static void dispatch(const struct cli_names *names, const char *group, struct str *s)
{
	size_t n = group != NULL ? strlen(group) : 0;

	str_puts(s, "\tcase $state in\n\tcommand)\n\t\tcommands=(");
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i].name + (n > 0 ? n + 1 : 0);

		if (n > 0 ? strncmp(names->v[i].name, group, n) != 0 || names->v[i].name[n] != ' '
			  : strchr(name, ' ') != NULL)
			continue;
		str_printf(s, "\n\t\t\t'%s:", name);
		docs_quoted(s, names->v[i].verb->summary, "");
		str_puts(s, "'");
	}
}

static void dispatch_calls(const struct cli_names *names, const char *group, struct str *s)
{
	size_t n = group != NULL ? strlen(group) : 0;

	str_puts(s, ")\n\t\t_describe command commands ;;\n\targument)\n\t\tcase $words[1] in\n");
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i].name + (n > 0 ? n + 1 : 0);

		if (n > 0 ? strncmp(names->v[i].name, group, n) != 0 || names->v[i].name[n] != ' '
			  : strchr(name, ' ') != NULL)
			continue;
		str_printf(s, "\t\t%s) ", name);
		function_name(s, names->v[i].verb->name);
		str_puts(s, " ;;\n");
	}
}

static void group_function(const struct cli_names *names, const char *group, struct str *s)
{
	str_printf(s,
		   "_cleave_group_%s() {\n\tlocal curcontext=$curcontext state line\n\tlocal -a commands\n"
		   "\t_arguments -C '1:command:->command' '*::argument:->argument'\n",
		   group);
	dispatch(names, group, s);
	dispatch_calls(names, group, s);
	str_puts(s, "\t\tesac ;;\n\tesac\n}\n");
}

static void group_name(const struct cli_names *names, const char *group, struct str *s)
{
	(void) names;
	str_printf(s, "\n\t\t\t'%s:", group);
	docs_quoted(s, cli_group_summary(group), ":");
	str_puts(s, "'");
}

static void group_call(const struct cli_names *names, const char *group, struct str *s)
{
	(void) names;
	str_printf(s, "\t\t%s) _cleave_group_%s ;;\n", group, group);
}

void docs_zsh(const struct cli_names *names, struct str *ret)
{
	str_puts(ret, script);
	for (size_t i = 0; i < names->n; i++)
		if (!names->v[i].alias)
			verb_function(ret, names->v[i].verb);
	docs_groups(names, ret, group_function);
	str_puts(ret, "_cleave() {\n\tlocal curcontext=$curcontext state line\n\tlocal -a commands\n\t_arguments -C");
	options(ret, cli_global_options());
	str_puts(ret, " \\\n\t\t'1:command:->command' '*::argument:->argument'\n");
	dispatch(names, NULL, ret);
	docs_groups(names, ret, group_name);
	dispatch_calls(names, NULL, ret);
	docs_groups(names, ret, group_call);
	str_puts(ret, "\t\tesac ;;\n\tesac\n}\n_cleave \"$@\"\n");
}
