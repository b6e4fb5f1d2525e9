/* SPDX-License-Identifier: MIT */
/**
 * DOC: which instances a verb is for, when not all of them are named
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/each.h"
#include "engine/instance.h"

#define CIDFILE_MAX 256 /* bytes: an id and an end of line */

int cli_select_check(const struct cli_select *select, int argc, struct err *err)
{
	bool named = argc > 0 || select->cidfile.n > 0;
	bool matching = select->all || select->filter.n > 0;

	if (select->latest && (named || matching))
		return err_msg(err, -EINVAL, "--latest excludes names, --cidfile, --all and --filter");
	if (named && matching)
		return err_msg(err, -EINVAL, "give names of instances, or --all and --filter");
	if (!named && !matching && !select->latest)
		return err_msg(err, -EINVAL, "give names of instances, or --all");
	return 0;
}

/* Return: 1 @ret has the id; 0 there is no such file, and that is fine; -errno with a message. */
static int read_id(const struct cli_select *select, const char *path, struct arena *arena, char **ret,
		   struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = file_read(AT_FDCWD, path, CIDFILE_MAX, &text);

	if (r == -ENOENT && select->ignore)
		return 0;
	if (r < 0)
		return err_set(err, r, "--cidfile: read '%s'", path);
	*ret = arena_strndup(arena, text.len > 0 ? text.p : "",
			     text.len > 0 ? strcspn(text.p, " \t\r\n") : 0);
	if (*ret == NULL)
		return err_set(err, -ENOMEM, "read the options");
	return **ret != '\0' ? 1 : err_msg(err, -EINVAL, "--cidfile: no id is in '%s'", path);
}

static int find_latest(struct engine *e, struct arena *arena, char **ret, struct err *err)
{
	struct eng_instance *list = NULL;
	int n = eng_instance_list(e, arena, &list, err); /* newest first */

	if (n < 0)
		return n;
	if (n == 0)
		return err_msg(err, -ENOENT, "--latest: there are no instances");
	*ret = arena_strdup(arena, list[0].id);
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read the options");
}

int cli_select_names(struct engine *e, const struct cli_select *select, struct arena *arena, int *argc,
		     char ***names, struct err *err)
{
	char **list;
	int r;

	if (select->cidfile.n == 0 && !select->latest)
		return 0;
	list = arena_alloc(arena, (size_t) *argc + select->cidfile.n + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, -ENOMEM, "read the options");
	if (*argc > 0)
		memcpy(list, *names, (size_t) *argc * sizeof(*list));
	*names = list;
	for (size_t i = 0; i < select->cidfile.n; i++) {
		r = read_id(select, select->cidfile.v[i], arena, &list[*argc], err);
		if (r < 0)
			return r;
		*argc += r;
	}
	if (select->latest) {
		r = find_latest(e, arena, &list[*argc], err);
		if (r < 0)
			return r;
		(*argc)++;
	}
	return *argc == 0;
}
