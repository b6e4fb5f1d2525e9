/* SPDX-License-Identifier: MIT */
#include "cli/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"

#define NAME_COLUMN 18 /* characters */

/* As in Docker's groups */
static const struct cli_alias aliases[] = {
	{ "container attach", "attach" },   { "container commit", "commit" },
	{ "container cp", "cp" },	    { "container create", "create" },
	{ "container diff", "diff" },	    { "container exec", "exec" },
	{ "container export", "export" },   { "container inspect", "inspect" },
	{ "container kill", "kill" },	    { "container list", "ps" },
	{ "container logs", "logs" },	    { "container ls", "ps" },
	{ "container pause", "pause" },	    { "container port", "port" },
	{ "container ps", "ps" },	    { "container remove", "rm" },
	{ "container rename", "rename" },
	{ "container restart", "restart" }, { "container rm", "rm" },
	{ "container run", "run" },	    { "container start", "start" },
	{ "container stats", "stats" },	    { "container stop", "stop" },
	{ "container top", "top" },	    { "container unpause", "unpause" },
	{ "container update", "update" },   { "container wait", "wait" },
	{ "image list", "image ls" },
	{ "image pull", "pull" },
	{ "image push", "push" },	    { "image search", "search" },
	{ "image remove", "image rm" },
	{ "kernel list", "kernel ls" },	    { "kernel remove", "kernel rm" },
	{ "network list", "network ls" },   { "network remove", "network rm" },
	{ "registry remove", "registry rm" },
	{ "system events", "events" },	    { "system info", "info" },
	{ "volume list", "volume ls" },
	{ "volume remove", "volume rm" },
};

static const struct {
	const char *name, *summary;
} groups[] = {
	{ "container", "Instances: the commands of the top level by Docker's names" },
	{ "generate", "Make files for other programs" },
	{ "healthcheck", "Health of instances" },
	{ "image", "Images" },
	{ "kernel", "Kernels that virtual machines boot" },
	{ "network", "Networks" },
	{ "registry", "What registries have" },
	{ "system", "The store as a whole" },
	{ "volume", "Volumes" },
};

static const struct cli_verb *by_name(const char *name, size_t n)
{
	REGISTRY_FOREACH (v, cli_verbs)
		if (strlen((*v)->name) == n && strncmp((*v)->name, name, n) == 0)
			return *v;
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct cli_name *) a)->name, ((const struct cli_name *) b)->name);
}

int cli_names(struct cli_names *ret)
{
	size_t room = (size_t) (__stop_cli_verbs - __start_cli_verbs) + ARRAY_LEN(aliases);

	*ret = (struct cli_names) { .v = calloc(room, sizeof(*ret->v)) };
	if (ret->v == NULL)
		return -ENOMEM;
	REGISTRY_FOREACH (v, cli_verbs)
		if ((*v)->name[0] != '_')
			ret->v[ret->n++] = (struct cli_name) { (*v)->name, *v, false };
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		const struct cli_verb *v = by_name(aliases[i].verb, strlen(aliases[i].verb));

		if (v != NULL && by_name(aliases[i].name, strlen(aliases[i].name)) == NULL)
			ret->v[ret->n++] = (struct cli_name) { aliases[i].name, v, true };
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), compare_names);
	return 0;
}

void cli_names_fini(struct cli_names *names)
{
	free(names->v);
}

/* "group verb" is one name of two words */
static bool is_words(const char *name, int argc, char **argv, int *ret_words)
{
	const char *space = strchr(name, ' ');
	size_t n = space != NULL ? (size_t) (space - name) : 0;

	*ret_words = space != NULL ? 2 : 1;
	if (space == NULL)
		return strcmp(name, argv[0]) == 0;
	return argc > 1 && strlen(argv[0]) == n && strncmp(name, argv[0], n) == 0 &&
	       strcmp(space + 1, argv[1]) == 0;
}

const struct cli_verb *cli_verb_find(int argc, char **argv, int *words)
{
	REGISTRY_FOREACH (v, cli_verbs)
		if (is_words((*v)->name, argc, argv, words))
			return *v;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (is_words(aliases[i].name, argc, argv, words))
			return by_name(aliases[i].verb, strlen(aliases[i].verb));
	return NULL;
}

const char *cli_group_summary(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (strcmp(groups[i].name, word) == 0)
			return groups[i].summary;
	return NULL;
}

void cli_help(const char *group, struct str *ret)
{
	struct cli_names names;
	size_t len = group != NULL ? strlen(group) : 0;
	const char *summary = group != NULL ? cli_group_summary(group) : "Run containers and virtual machines";

	if (summary == NULL || cli_names(&names) < 0)
		return;
	str_printf(ret, "Usage: cleave [OPTIONS] %s%sCOMMAND\n\n%s.\n\nCommands:\n",
		   group != NULL ? group : "", group != NULL ? " " : "", summary);
	for (size_t i = 0; i < names.n; i++) {
		const struct cli_name *c = &names.v[i];

		if (group == NULL ? !c->alias
				  : strncmp(c->name, group, len) == 0 && c->name[len] == ' ')
			str_printf(ret, "  %-*s %s\n", NAME_COLUMN, c->name, c->verb->summary);
	}
	if (group == NULL)
		str_printf(ret, "  %-*s %s\n", NAME_COLUMN, "container ...", groups[0].summary);
	cli_names_fini(&names);
	str_puts(ret, "\nOptions:\n");
	opt_help(cli_global_options(), ret);
	str_printf(ret, "\n'cleave %s%sCOMMAND --help' tells more about a command.\n",
		   group != NULL ? group : "", group != NULL ? " " : "");
}

void cli_verb_help(const struct cli_verb *v, struct str *ret)
{
	bool first = true;

	str_printf(ret, "Usage: cleave %s%s%s%s\n\n%s\n", v->name,
		   v->opts != NULL ? " [OPTIONS]" : "", v->args[0] != '\0' ? " " : "", v->args,
		   v->summary);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(aliases[i].verb, v->name) == 0) {
			str_printf(ret, first ? "\nAlso: cleave %s" : ", cleave %s",
				   aliases[i].name);
			first = false;
		}
	if (!first)
		str_puts(ret, "\n");
	if (v->opts == NULL)
		return;
	str_puts(ret, "\nOptions:\n");
	opt_help(v->opts, ret);
}

/* All that can follow @prefix ("" or "image "), the nearest to @word of them */
static const char *nearest(const char *prefix, const char *word)
{
	struct cli_names names;
	const char *best = NULL;
	size_t n = strlen(prefix), limit = opt_distance_max(strlen(word)) + 1;

	if (cli_names(&names) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.v[i].name + n;
		size_t d;

		if (strncmp(names.v[i].name, prefix, n) != 0 || strchr(name, ' ') != NULL)
			continue;
		d = opt_distance(word, name);
		if (d < limit) {
			limit = d;
			best = name;
		}
	}
	for (size_t i = 0; n == 0 && i < ARRAY_LEN(groups); i++)
		if (opt_distance(word, groups[i].name) < limit) {
			limit = opt_distance(word, groups[i].name);
			best = groups[i].name;
		}
	cli_names_fini(&names);
	return best;
}

int cli_unknown(int argc, char **argv, struct err *err)
{
	_cleanup_(str_fini) struct str prefix = { 0 };
	bool group = cli_group_summary(argv[0]) != NULL && argc > 1;
	const char *word = argv[group], *like;

	if (group)
		str_printf(&prefix, "%s ", argv[0]);
	like = prefix.failed ? NULL : nearest(prefix.p != NULL ? prefix.p : "", word);
	if (like != NULL)
		return err_msg(err, -EINVAL,
			       "'%s%.100s' is not a command; did you mean '%s%s'? (see 'cleave %s--help')",
			       group ? prefix.p : "", word, group ? prefix.p : "", like,
			       group ? prefix.p : "");
	return err_msg(err, -EINVAL, "'%s%.100s' is not a command (see 'cleave %s--help')",
		       group ? prefix.p : "", word, group ? prefix.p : "");
}
