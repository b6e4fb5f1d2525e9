/* SPDX-License-Identifier: MIT */
#include "cli/choice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define CIDFILE_MAX 256 /* bytes: an id and an end of line */

/* Return: 1 @ret has the id; 0 there is no such file, and that is fine; -errno with a message. */
static int read_id(const struct cli_choice *c, const char *path, struct arena *arena, char **ret,
		   struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = file_read(AT_FDCWD, path, CIDFILE_MAX, &text);

	if (r == -ENOENT && c->ignore)
		return 0;
	if (r < 0)
		return err_set(err, r, "--cidfile: read '%s'", path);
	*ret = arena_strndup(arena, text.len > 0 ? text.p : "",
			     text.len > 0 ? strcspn(text.p, " \t\r\n") : 0);
	if (*ret == NULL)
		return err_set(err, -ENOMEM, "read the options");
	if (**ret == '\0')
		return err_msg(err, -EINVAL, "--cidfile: no id is in '%s'", path);
	return 1;
}

static int find_latest(struct cli *cli, struct arena *arena, char **ret, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	struct eng_instance *list = NULL;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = eng_instance_list(e, arena, &list, err); /* newest first */
	if (r < 0)
		return r;
	if (r == 0)
		return err_msg(err, -ENOENT, "--latest: there are no instances");
	*ret = arena_strdup(arena, list[0].id);
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read the options");
}

static int check(const struct cli_choice *c, int n, struct err *err)
{
	bool named = n > 0 || c->cidfile.n > 0;

	if (!named && !c->all && !c->latest && c->filter.n == 0)
		return err_msg(err, -EINVAL, "give names of instances, or --all");
	if (named + c->latest + (c->all || c->filter.n > 0) > 1)
		return err_msg(err, -EINVAL,
			       "give names of instances, --latest, or --all and --filter");
	return 0;
}

int cli_choose(struct cli *cli, const struct cli_choice *c, struct arena *arena, int *n,
	       char ***names, struct err *err)
{
	char **list;
	int r = check(c, *n, err);

	if (r < 0 || (c->cidfile.n == 0 && !c->latest))
		return r;
	list = arena_alloc(arena, (size_t) *n + c->cidfile.n + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, -ENOMEM, "read the options");
	if (*n > 0)
		memcpy(list, *names, (size_t) *n * sizeof(*list));
	*names = list;
	for (size_t i = 0; i < c->cidfile.n; i++) {
		r = read_id(c, c->cidfile.v[i], arena, &list[*n], err);
		if (r < 0)
			return r;
		*n += r;
	}
	if (c->latest) {
		r = find_latest(cli, arena, &list[*n], err);
		if (r < 0)
			return r;
		(*n)++;
	}
	return *n == 0;
}
