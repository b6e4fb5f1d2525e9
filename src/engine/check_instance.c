/* SPDX-License-Identifier: MIT */
/**
 * DOC: rows and directories of instances
 *
 * Others go on meanwhile: before something is told, the row is read again, and whoever holds the lock of
 * an instance looks after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/check.h"
#include "engine/check_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/overlay.h"
#include "engine/spec.h"
#include "image/store.h"

static bool is_up(const struct eng_instance *i)
{
	return i->state == ENG_STATE_RUNNING || i->state == ENG_STATE_RESTARTING;
}

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "check the instances");
}

/* Nobody starts it, runs it or cleans up after it */
static bool is_free(struct check_run *k, const char *id)
{
	return eng_lock_shared(k->e, id) == 0;
}

/* Note the layers of an instance.  @up: it runs */
static int note_chain(struct check_run *k, const struct eng_instance *i, bool up, struct err *err)
{
	struct eng_config c;
	int r = eng_instance_config(k->e, i, &c, NULL);

	if (r < 0) {
		k->unknown = true;
		return 0; /* told later */
	}
	if (eng_words_add(&k->arena, &k->chains, c.chain != NULL ? c.chain : "") < 0 ||
	    (up && eng_words_add(&k->arena, &k->busy, c.chain != NULL ? c.chain : "") < 0))
		r = nomem(err);
	eng_config_fini(&c);
	return r;
}

static int collect_dir(struct check_run *k, const char *name, struct err *err)
{
	struct eng_instance i = { .id = name, .name = name }, row;
	int r = check_is_id(name) ? check_row(k, name, &row, err) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	if (eng_words_add(&k->arena, &k->idle, name) < 0)
		return nomem(err);
	return note_chain(k, &i, false, err);
}

static int add_row(struct check_run *k, struct db_rows *rows, struct err *err)
{
	struct err why = { 0 };

	k->list = arena_grow(&k->arena, k->list, k->nr_list, &k->room, sizeof(*k->list));
	if (k->list == NULL)
		return nomem(err);
	if (eng_row_read(rows, &k->arena, &k->list[k->nr_list], &why) < 0) {
		check_found(k, NULL, "%s", why.text);
		k->unknown = true;
	} else
		k->nr_list++;
	return 0;
}

int check_collect(struct check_run *k, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(k->e->db, &rows, err, ENG_COLUMNS "ORDER BY created", "");

	while (r == 0 && (r = db_next(rows, err)) == 1)
		r = add_row(k, rows, err);
	for (size_t n = 0; r == 0 && n < k->nr_list; n++) {
		bool up = is_up(&k->list[n]);

		r = note_chain(k, &k->list[n], up, err);
		if (r == 0 && !up && eng_words_add(&k->arena, &k->idle, k->list[n].id) < 0)
			r = nomem(err);
	}
	if (r == 0)
		r = check_each(k, k->e->root_fd, "instances", collect_dir, err);
	return r == -ENOENT ? 0 : r;
}

static void check_layers(struct check_run *k, const struct eng_instance *i,
			 const struct eng_config *c)
{
	for (const char *p = c->chain != NULL ? c->chain : ""; *p != '\0';
	     p += strcspn(p, " "), p += strspn(p, " ")) {
		char path[80];

		(void) snprintf(path, sizeof(path), "%.64s/fs", p);
		if (faccessat(img_store_layers_fd(k->e->images), path, F_OK, 0) < 0)
			check_found(k, NULL, "instance '%s': layer %.64s, which it needs, is missing",
				    i->name, p);
	}
}

/* Its directory is where it was: nobody is removing it, who would have moved it first. */
static bool in_place(struct check_run *k, const char *id)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%.64s", id);
	return faccessat(k->e->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_upper(struct check_run *k, const struct eng_instance *i,
			const struct eng_config *c, int dir)
{
	static const struct {
		const char *name;
		mode_t mode;
	} parts[] = { { ENG_OVERLAY_DIR, 0755 }, { ENG_OVERLAY_UPPER, 0755 }, { ENG_OVERLAY_WORK, 0700 } };

	eng_overlay_adopt(dir);
	for (size_t n = 0; eng_spec_needs_layer(c) && n < ARRAY_LEN(parts); n++) {
		const char *action = NULL;

		if (faccessat(dir, parts[n].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		    !in_place(k, i->id))
			continue;
		if (k->c->repair && mkdirat(dir, parts[n].name, parts[n].mode) == 0 &&
		    (n != 1 || fchownat(dir, parts[n].name, (uid_t) c->userns_start,
				       (gid_t) c->userns_start, AT_SYMLINK_NOFOLLOW) == 0))
			action = "made, empty";
		check_found(k, action, "instance '%s': directory '%s' of its writable layer is missing",
			    i->name, parts[n].name);
	}
}

/* Nothing of it is left but the row, which nobody can use. */
static void remove_row(struct check_run *k, const struct eng_instance *i)
{
	bool done = k->c->repair && eng_instance_remove(k->e, i, false, false, NULL) == 0;

	check_found(k, done ? "removed" : NULL, "instance '%s': its directory instances/%s is missing",
		    i->name, i->id);
}

static int check_instance(struct check_run *k, const struct eng_instance *old, struct err *err)
{
	struct eng_instance i;
	struct eng_config c;
	struct err why = { 0 };
	bool idle = is_free(k, old->id);
	int r = check_row(k, old->id, &i, err);

	if (r <= 0)
		return r;
	if (is_up(&i) && idle) {
		bool done = k->c->repair && eng_reconcile_one(k->e, i.id, NULL) == 0;

		check_found(k, done ? "cleaned up" : NULL,
			    "instance '%s': it is said to run, but its monitor is gone", i.name);
		if (done)
			r = check_row(k, old->id, &i, err);
		if (r <= 0)
			return r;
	}
	_cleanup_close_ int dir = eng_instance_dir(k->e, &i, NULL);
	if (dir < 0) {
		if (idle)
			remove_row(k, &i);
		return 0;
	}
	r = eng_instance_config(k->e, &i, &c, &why);
	if (r < 0 && in_place(k, i.id))
		check_found(k, NULL, "instance '%s': %s", i.name,
			    r == -ENOENT ? "its config.json is missing" : why.text);
	if (r < 0)
		return 0;
	check_upper(k, &i, &c, dir);
	check_layers(k, &i, &c);
	eng_config_fini(&c);
	return 0;
}

/* Give it a row again; its image may be gone.  Return: what was done; NULL nothing. */
static const char *adopt(struct check_run *k, const char *id, const struct eng_config *c)
{
	const char *name = arena_printf(&k->arena, "recovered-%.12s", id);
	const char *command = eng_command_line(&k->arena, &c->args);

	if (name == NULL || command == NULL ||
	    db_run(k->e->db, NULL,
		   "INSERT INTO instance(id, name, isolation, state, image, image_id, command, restart,"
		   " restart_max, auto_remove, created) VALUES(?, ?, 'container', 'created', ?, ?, ?, ?,"
		   " ?, 0, ?)",
		   "ssssssii", id, name, c->image != NULL ? c->image : "",
		   c->image_id != NULL ? c->image_id : "", command,
		   c->restart != NULL ? c->restart : "no", (int64_t) c->restart_max,
		   time_now_ns()) < 0)
		return NULL;
	return arena_printf(&k->arena, "it is instance '%s' now", name);
}

/* "instances/.ID": somebody was removing it, and still is if he holds its lock. */
static void check_removed(struct check_run *k, const char *name)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/.%.64s", name + 1);
	if (!is_free(k, name + 1) || faccessat(k->e->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	check_found(k, k->c->repair && dir_remove(k->e->root_fd, path) == 0 ? "removed" : NULL,
		    "directory %s was left behind", path);
}

static int check_dir(struct check_run *k, const char *name, struct err *err)
{
	struct eng_instance i = { .id = name, .name = name }, row;
	const char *action = NULL;
	struct eng_config c;
	char upper[ENG_ID_LEN + 64];
	bool idle = !check_is_id(name) || is_free(k, name); /* else somebody makes or removes it */
	int r = check_is_id(name) ? check_row(k, name, &row, err) : 0;

	if (r != 0 || !idle)
		return r < 0 ? r : 0;
	if (name[0] == '.' && check_is_id(name + 1)) {
		check_removed(k, name);
		return 0;
	}
	(void) snprintf(upper, sizeof(upper), "instances/%.100s", name);
	if (faccessat(k->e->root_fd, upper, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	(void) snprintf(upper, sizeof(upper), "instances/%.64s/" ENG_OVERLAY_UPPER, name);
	if (k->c->repair && check_is_id(name)) {
		if (eng_instance_config(k->e, &i, &c, NULL) == 0) {
			action = adopt(k, name, &c);
			eng_config_fini(&c);
		} else if (dir_is_empty(k->e->root_fd, upper)) {
			upper[strlen("instances/") + ENG_ID_LEN] = '\0';
			action = dir_remove(k->e->root_fd, upper) == 0 ? "removed" : NULL;
		}
	}
	check_found(k, action, "directory instances/%.100s belongs to no instance", name);
	return 0;
}

int check_instances(struct check_run *k, struct err *err)
{
	int r = 0;

	for (size_t n = 0; r == 0 && n < k->nr_list; n++)
		r = check_instance(k, &k->list[n], err);
	if (r == 0)
		r = check_each(k, k->e->root_fd, "instances", check_dir, err);
	return r == -ENOENT ? 0 : r;
}
