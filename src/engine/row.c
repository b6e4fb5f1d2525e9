/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"

static const char *const state_names[ENG_STATE_N_] = { "created", "running", "restarting",
						       "exited" };

const char *eng_state_name(enum eng_state state)
{
	return state_names[state];
}

int eng_row_read(struct db_rows *rows, struct arena *arena, struct eng_instance *ret,
		 struct err *err)
{
	struct eng_instance i = { 0 };
	const char **texts[] = { &i.id,       &i.name,    &i.isolation, NULL,       &i.image,
				 &i.image_id, &i.command, &i.error,     &i.restart, &i.health };
	int64_t *const numbers[] = { &i.created,     &i.started,  &i.finished, NULL,
				     &i.restart_max, &i.restarts, &i.backoff };
	bool *const flags[] = { &i.auto_remove, &i.paused, &i.stopped, &i.oom_killed };
	const char *state = db_text(rows, 3);
	int column = 0;

	for (size_t n = 0; n < ARRAY_LEN(texts); n++, column++)
		if (texts[n] != NULL &&
		    (*texts[n] = arena_strdup(arena, db_text(rows, column))) == NULL)
			return err_set(err, -ENOMEM, "read the list of instances");
	while (i.state < ENG_STATE_N_ && strcmp(state, state_names[i.state]) != 0)
		i.state++;
	if (i.state == ENG_STATE_N_)
		return err_msg(err, -EINVAL, "instance '%s' has the unknown state '%.32s'", i.id,
			       state);
	i.exit_code = (int) db_i64(rows, 13);
	for (size_t n = 0; n < ARRAY_LEN(numbers); n++, column++)
		if (numbers[n] != NULL)
			*numbers[n] = db_i64(rows, column);
	for (size_t n = 0; n < ARRAY_LEN(flags); n++, column++)
		*flags[n] = db_i64(rows, column) != 0;
	*ret = i;
	return 0;
}

int eng_instance_find(struct engine *e, const char *what, struct arena *arena,
		      struct eng_instance *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_instance found = { 0 }, more;
	size_t n = 0;
	int r;

	what += *what == '/' && what[1] != '\0'; /* as names are in Docker's API */
	r = db_query(e->db, &rows, err,
			 ENG_COLUMNS "WHERE name = ?1 OR (id >= ?1 AND id < ?1 || 'g' "
				     "AND length(?1) > 0) ORDER BY name = ?1 DESC LIMIT 2",
			 "s", what);

	while (r == 0 && (r = db_next(rows, err)) == 1)
		r = eng_row_read(rows, arena, n++ == 0 ? &found : &more, err);
	if (r < 0)
		return r;
	if (n == 0)
		return err_msg(err, -ENOENT, "no such instance: '%s' (see 'cleave ps -a')", what);
	if (n > 1 && strcmp(found.name, what) != 0)
		return err_msg(
			err, -ENOTUNIQ,
			"several instances have an id that begins with '%s': give more digits",
			what);
	*ret = found;
	return 0;
}

int eng_instance_list(struct engine *e, struct arena *arena, struct eng_instance **ret,
		      struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_instance *list = NULL;
	size_t n = 0, room = 0;
	int r = eng_instance_reconcile(e, err);

	if (r == 0)
		r = db_query(e->db, &rows, err, ENG_COLUMNS "ORDER BY created DESC", "");
	if (r < 0)
		return r;
	while ((r = db_next(rows, err)) == 1) {
		list = arena_grow(arena, list, n, &room, sizeof(*list));
		if (list == NULL)
			return err_set(err, -ENOMEM, "read the list of instances");
		r = eng_row_read(rows, arena, &list[n++], err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = list;
	return (int) n;
}
