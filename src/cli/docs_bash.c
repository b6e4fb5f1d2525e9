/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/docs_parts.h"
#include "cli/verbs.h"

/* Reads the words up to the one that is completed; the tables below tell which options have a value. */
static const char script[] =
	"_cleave_ask() {\n"
	"\tcommand cleave \"${roots[@]}\" \"$@\" 2>/dev/null\n"
	"}\n"
	"\n"
	"_cleave_list() {\n"
	"\tcase $1 in\n"
	"\tinstance | object) _cleave_ask ps -a --format '{{.Names}}' ;;&\n"
	"\timage | object) _cleave_ask image ls --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>' ;;&\n"
	"\tvolume | object) _cleave_ask volume ls -q ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_cleave_fill() {\n"
	"\tlocal IFS=$'\\n'\n"
	"\tcase $1 in\n"
	"\tfile) COMPREPLY=($(compgen -f -- \"$cur\")) && compopt -o filenames 2>/dev/null ;;\n"
	"\twords) COMPREPLY=($(IFS=' ' && compgen -W \"$2\" -- \"$cur\")) ;;\n"
	"\t*) COMPREPLY=($(compgen -W \"$(_cleave_list \"$1\")\" -- \"$cur\")) ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_cleave() {\n"
	"\tlocal cur cword i w verb='' done='' operands=0 words=() roots=() last=''\n"
	"\tlocal flags values files instances kind many mixed\n"
	"\tif declare -F _get_comp_words_by_ref >/dev/null; then\n"
	"\t\t_get_comp_words_by_ref -n =: cur words cword\n"
	"\telse\n"
	"\t\tcur=${COMP_WORDS[COMP_CWORD]} cword=$COMP_CWORD words=(\"${COMP_WORDS[@]}\")\n"
	"\tfi\n"
	"\tCOMPREPLY=()\n"
	"\t_cleave_verb ''\n"
	"\tfor ((i = 1; i < cword; i++)); do\n"
	"\t\tw=${words[i]} last=''\n"
	"\t\tif [[ $w == -* && ($operands == 0 || -n $mixed) ]]; then\n"
	"\t\t\t[[ \" $values \" == *\" $w \"* ]] || continue\n"
	"\t\t\tlast=$w\n"
	"\t\t\t[[ -n $done || $((i + 1)) -ge $cword ]] || roots+=(\"$w\" \"${words[i + 1]}\")\n"
	"\t\t\t((++i < cword)) && last=''\n"
	"\t\telif [[ -z $done ]]; then\n"
	"\t\t\tverb=${verb:+$verb }$w\n"
	"\t\t\t_cleave_verb \"$verb\" && done=1\n"
	"\t\telse\n"
	"\t\t\toperands=$((operands + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -n $last ]]; then\n"
	"\t\tif [[ \" $files \" == *\" $last \"* ]]; then\n"
	"\t\t\t_cleave_fill file\n"
	"\t\telif [[ \" $instances \" == *\" $last \"* ]]; then\n"
	"\t\t\t_cleave_fill instance\n"
	"\t\tfi\n"
	"\telif [[ $cur == -* && ($operands == 0 || -n $mixed) ]]; then\n"
	"\t\t_cleave_fill words \"$flags --help\"\n"
	"\telif [[ -z $done ]]; then\n"
	"\t\t_cleave_fill words \"$(_cleave_verbs \"$verb\")\"\n"
	"\telif [[ $operands == 0 || -n $many ]]; then\n"
	"\t\t[[ -z $kind ]] || _cleave_fill \"$kind\"\n"
	"\telse\n"
	"\t\t_cleave_fill file\n"
	"\tfi\n"
	"\t! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions \"$cur\"\n"
	"}\n"
	"complete -F _cleave cleave\n";

static const char *const kinds[] = { "", "file", "instance", "image", "volume", "object" };

static void option_names(struct str *s, const struct opt *o)
{
	if (o->letter != 0)
		str_printf(s, "-%c ", o->letter);
	str_printf(s, "--%s ", o->name);
}

/* @kind: only those whose value is of this kind; @value: only those that have one */
static void option_list(struct str *s, const char *variable, const struct opt *table, bool value,
			enum docs_kind kind)
{
	str_printf(s, "\t\t%s='", variable);
	for (const struct opt *o = table; o != NULL && o->kind != OPT_END; o++)
		if ((!value && o->help != NULL) ||
		    (value && docs_has_value(o) &&
		     (kind == DOCS_NOTHING || docs_value(o) == kind)))
			option_names(s, o);
	str_puts(s, "'\n");
}

static void tables(struct str *s, const struct opt *table)
{
	option_list(s, "flags", table, false, DOCS_NOTHING);
	option_list(s, "values", table, true, DOCS_NOTHING);
	option_list(s, "files", table, true, DOCS_FILE);
	option_list(s, "instances", table, true, DOCS_INSTANCE);
}

static void verb_case(const struct cli_names *names, const struct cli_verb *v, struct str *s)
{
	bool many = false;
	enum docs_kind kind = docs_operand(v, &many);

	str_printf(s, "\t'%s'", v->name);
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].alias && names->v[i].verb == v)
			str_printf(s, " | '%s'", names->v[i].name);
	str_puts(s, ")\n");
	tables(s, v->opts);
	str_printf(s, "\t\tkind='%s' many='%s' mixed='%s'\n\t\t;;\n", kinds[kind],
		   many ? "1" : "", v->interspersed ? "1" : "");
}

static void group_case(const struct cli_names *names, const char *group, struct str *s)
{
	size_t n = strlen(group);

	str_printf(s, "\t%s) echo '", group);
	for (size_t i = 0; i < names->n; i++)
		if (strncmp(names->v[i].name, group, n) == 0 && names->v[i].name[n] == ' ')
			str_printf(s, "%s ", names->v[i].name + n + 1);
	str_puts(s, "' ;;\n");
}

static void group_word(const struct cli_names *names, const char *group, struct str *s)
{
	(void) names;
	str_printf(s, "%s ", group);
}

void docs_bash(const struct cli_names *names, struct str *ret)
{
	str_puts(ret, "# bash completion for cleave, made of its tables of options\n"
		      "# shellcheck shell=bash disable=SC2034,SC2207\n\n_cleave_verbs() {\n\tcase $1 in\n\t'') echo '");
	for (size_t i = 0; i < names->n; i++)
		if (strchr(names->v[i].name, ' ') == NULL)
			str_printf(ret, "%s ", names->v[i].name);
	docs_groups(names, ret, group_word);
	str_puts(ret, "help' ;;\n");
	docs_groups(names, ret, group_case);
	str_puts(ret, "\tesac\n}\n\n_cleave_verb() {\n\tcase $1 in\n\t'')\n");
	tables(ret, cli_global_options());
	str_puts(ret, "\t\tkind='' many='' mixed=''\n\t\t;;\n");
	for (size_t i = 0; i < names->n; i++)
		if (!names->v[i].alias)
			verb_case(names, names->v[i].verb, ret);
	str_puts(ret, "\t*) return 1 ;;\n\tesac\n}\n\n");
	str_puts(ret, script);
}
