/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/docs_parts.h"
#include "cli/verbs.h"

/* Text of a page: nothing in it is taken for a request or a special character. */
static void roff(struct str *s, const char *text)
{
	if (*text == '.' || *text == '\'')
		str_puts(s, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			str_puts(s, "\\e");
		else if (*text == '-')
			str_puts(s, "\\-");
		else
			str_add(s, text, 1);
	}
}

static void options(struct str *s, const struct opt *table)
{
	for (const struct opt *o = table; o->kind != OPT_END; o++) {
		if (o->help == NULL)
			continue;
		str_puts(s, ".TP\n");
		if (o->letter != 0)
			str_printf(s, "\\fB\\-%c\\fR, ", o->letter);
		str_puts(s, "\\fB\\-\\-");
		roff(s, o->name);
		str_puts(s, "\\fR");
		if (o->arg != NULL) {
			str_puts(s, " \\fI");
			roff(s, o->arg);
			str_puts(s, "\\fR");
		}
		str_puts(s, "\n");
		roff(s, o->help);
		str_puts(s, "\n");
	}
}

static void head(struct str *s, const struct cli_verb *v)
{
	_cleanup_(str_fini) struct str page = { 0 };

	str_puts(&page, "cleave\\-");
	for (const char *p = v->name; *p != '\0'; p++)
		str_add(&page, *p == ' ' || *p == '-' ? "\\-" : p, *p == ' ' || *p == '-' ? 2 : 1);
	if (page.failed)
		return;
	str_printf(s, ".TH \"%s\" 1 \"\" \"cleave %s\" \"Cleave\"\n.SH NAME\n%s \\- ", page.p,
		   CLEAVE_VERSION, page.p);
	roff(s, v->summary);
	str_puts(s, "\n.SH SYNOPSIS\n\\fBcleave ");
	roff(s, v->name);
}

static void program_page(const struct cli_names *names, struct str *s)
{
	str_printf(s,
		   ".TH \"cleave\" 1 \"\" \"cleave %s\" \"Cleave\"\n.SH NAME\ncleave \\- run containers\n"
		   ".SH SYNOPSIS\n\\fBcleave\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARG\\fR...]\n"
		   ".SH OPTIONS\n",
		   CLEAVE_VERSION);
	options(s, cli_global_options());
	str_puts(s, ".SH COMMANDS\n");
	for (size_t i = 0; i < names->n; i++) {
		if (names->v[i].alias)
			continue;
		str_puts(s, ".TP\n\\fB");
		roff(s, names->v[i].name);
		str_puts(s, "\\fR\n");
		roff(s, names->v[i].verb->summary);
		str_puts(s, "\n");
	}
	str_puts(s, ".PP\nEach has a page of its own, such as \\fBcleave\\-run\\fR(1).\n"
		    ".SH ENVIRONMENT\n.TP\n\\fBCLEAVE_ROOT\\fR\nDirectory of the store.\n"
		    ".TP\n\\fBCLEAVE_RUNROOT\\fR\nDirectory of what runs.\n"
		    ".TP\n\\fBNO_COLOR\\fR\nWhen it is not empty: no colours.\n");
}

void docs_man(const struct cli_names *names, const struct cli_verb *v, struct str *ret)
{
	bool alias = false;

	if (v == NULL) {
		program_page(names, ret);
		return;
	}
	head(ret, v);
	str_puts(ret, "\\fR");
	if (v->opts != NULL)
		str_puts(ret, " [\\fIOPTIONS\\fR]");
	if (v->args[0] != '\0')
		str_puts(ret, " ");
	roff(ret, v->args);
	str_puts(ret, "\n");
	for (size_t i = 0; i < names->n; i++) {
		if (!names->v[i].alias || names->v[i].verb != v)
			continue;
		str_puts(ret, alias ? ", " : ".SH DESCRIPTION\nAlso: ");
		str_puts(ret, "\\fBcleave ");
		roff(ret, names->v[i].name);
		str_puts(ret, "\\fR");
		alias = true;
	}
	if (alias)
		str_puts(ret, "\n");
	if (v->opts != NULL) {
		str_puts(ret, ".SH OPTIONS\n");
		options(ret, v->opts);
	}
	str_printf(ret, ".SH EXIT STATUS\n0, or %d after a failure%s\n.SH SEE ALSO\n\\fBcleave\\fR(1)\n",
		   v->fail_status != 0 ? v->fail_status : 1,
		   !v->as_program
			   ? "."
			   : " of cleave itself; 126: the program could not be run; 127: it was not found;"
			     " else as the program, 128 and a number for a signal.");
}
