/* SPDX-License-Identifier: MIT */
/**
 * DOC: changing an instance
 *
 * The transaction of the row keeps other changes of the same instance away while its configuration is
 * read, changed, applied and written.
 */
#include "engine/update.h"

#include <errno.h>
#include <poll.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/stop.h"

#define TRIES 50
#define STEP_MS 20

static int set_row(struct engine *e, const struct eng_instance *i, const struct eng_config *c,
		   struct err *err)
{
	int r = db_run(e->db, err, "UPDATE instance SET restart = ?, restart_max = ? WHERE id = ?",
		       "sis", c->restart != NULL ? c->restart : "no", (int64_t) c->restart_max,
		       i->id);

	return r < 0 ? r : 0;
}

/* The old limits come back when the new ones cannot be kept. */
static int apply(struct engine *e, const struct eng_instance *i, const struct eng_config *old,
		 const struct eng_config *new, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	int pid = eng_pid(e, i), r = 0;

	if (b == NULL)
		return err_msg(err, -EINVAL, "instance '%s' has the unknown isolation '%s'",
			       i->name, i->isolation);
	if (i->state == ENG_STATE_RUNNING)
		r = b->update(e, i->id, old, new, err);
	if (r < 0 && eng_has_ended(e, i, pid, err))
		r = -ESRCH;
	if (r < 0)
		return err_wrap(err, r, "update instance '%s'", i->name);
	r = eng_instance_config_save(e, i, new, err);
	if (r == 0)
		r = set_row(e, i, new, err);
	if (r == 0)
		r = db_commit(e->db, err);
	if (r == 0)
		return 0;
	(void) eng_instance_config_save(e, i, old, NULL); /* the first failure is told */
	if (i->state == ENG_STATE_RUNNING)
		(void) b->update(e, i->id, new, old, NULL);
	return r;
}

static int change_locked(struct engine *e, const struct eng_instance *i,
			 int (*change)(struct eng_config *c, void *data, struct err *err),
			 void *data, struct err *err)
{
	struct eng_config old, new;
	int r = eng_instance_config(e, i, &old, err);

	if (r < 0)
		return r;
	r = eng_instance_config(e, i, &new, err);
	if (r == 0) {
		r = change(&new, data, err);
		if (r == 0)
			r = apply(e, i, &old, &new, err);
		eng_config_fini(&new);
	}
	eng_config_fini(&old);
	return r;
}

static int update_once(struct engine *e, const char *id,
		       int (*change)(struct eng_config *c, void *data, struct err *err), void *data,
		       struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r = eng_instance_reconcile(e, err); /* what died does not run */

	if (r == 0)
		r = db_begin(e->db, err);
	if (r < 0)
		return r;
	r = eng_instance_find(e, id, &arena, &now, err);
	if (r == 0)
		r = change_locked(e, &now, change, data, err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	eng_event_of(e, &now, "update", NULL, NULL);
	return 0;
}

/* One that is just being started, or has ended and not been cleaned up, soon is neither. */
int eng_update(struct engine *e, const struct eng_instance *i,
	       int (*change)(struct eng_config *c, void *data, struct err *err), void *data,
	       struct err *err)
{
	int r = update_once(e, i->id, change, data, err);

	for (int n = 0; r == -ESRCH && n < TRIES; n++) {
		(void) poll(NULL, 0, STEP_MS);
		r = update_once(e, i->id, change, data, err);
	}
	return r;
}

static int move_locked(struct engine *e, const struct eng_instance *now, const struct eng_backend *to, struct err *err)
{
	struct eng_config config;
	int r;

	if (now->state == ENG_STATE_RUNNING)
		return err_msg(err, -EBUSY, "instance '%s' runs: stop it before its isolation is changed", now->name);
	r = eng_instance_config(e, now, &config, err);
	if (r < 0)
		return r;
	r = to->check != NULL ? to->check(&config, err) : 0;
	eng_config_fini(&config);
	if (r == 0)
		r = db_run(e->db, err, "UPDATE instance SET isolation = ? WHERE id = ?", "ss", to->name, now->id);
	return r < 0 ? r : db_commit(e->db, err);
}

/* The writable layer is one directory for all of them. */
int eng_update_isolation(struct engine *e, const struct eng_instance *i, const char *isolation, struct err *err)
{
	const struct eng_backend *to = eng_backend_find(isolation);
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r;

	if (to == NULL)
		return err_msg(err, -EINVAL, "invalid isolation '%.64s': use 'container' or 'vm'", isolation);
	r = eng_instance_reconcile(e, err); /* what died does not run */
	if (r == 0)
		r = db_begin(e->db, err);
	if (r < 0)
		return r;
	r = eng_instance_find(e, i->id, &arena, &now, err);
	if (r == 0)
		r = move_locked(e, &now, to, err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	eng_event_of(e, &now, "update", NULL, NULL);
	return 0;
}
