/* SPDX-License-Identifier: MIT */
#include "engine/instance.h"

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
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/internal.h"
#include "engine/name.h"
#include "engine/net/names.h"
#include "engine/userns.h"
#include "engine/volume.h"

#define HOSTNAME_LEN 12 /* digits of the id */
#define TRIES 20 /* of random names and ids */

static int name_taken(struct engine *e, const char *name, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance other;

	if (eng_instance_find(e, name, &arena, &other, NULL) < 0)
		return err_msg(err, -EEXIST, "the name '%s' is already in use", name);
	return err_msg(
		err, -EEXIST,
		"the name '%s' is already in use by instance %.12s: remove it with 'cleave rm %s' or take another --name",
		name, other.id, name);
}

/* One transaction: the instance is there with all its volumes, or nothing is.  -EEXIST: the name is taken. */
static int add_row(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		   struct err *err)
{
	int r = db_begin(e->db, err);

	if (r < 0)
		return r;
	r = eng_volumes_take(e, i->id, config, err);
	if (r == 0)
		r = db_run(e->db, err,
			   "INSERT INTO instance(id, name, isolation, state, image, image_id, command,"
			   " restart, restart_max, auto_remove, created, started)"
			   " SELECT ?, ?, ?, ?, ?, id, ?, ?, ?, ?, ?, ? FROM image WHERE id = ?",
			   "sssssssiiiis", i->id, i->name, i->isolation, eng_state_name(i->state),
			   i->image, i->command, i->restart, i->restart_max,
			   (int64_t) i->auto_remove, i->created, i->started, i->image_id);
	if (r == 0)
		r = err_msg(err, -ENOENT, "image '%s' was removed meanwhile", i->image);
	if (r > 0)
		return db_commit(e->db, err);
	db_rollback(e->db);
	if (config->nr_mounts > 0)
		eng_volumes_sweep(e);
	return r;
}

/* Somebody who had the name may have died: look once, then give up. */
static int add(struct engine *e, struct eng_instance *i, const struct eng_config *config,
	       const char *name, struct arena *arena, struct err *err)
{
	char made_up[ENG_NAME_MAX + 1];
	int r = -EEXIST;

	for (int n = 0; r == -EEXIST && n < (name != NULL ? 2 : TRIES); n++) {
		if (name == NULL)
			eng_name_random(made_up);
		else if (n > 0 && eng_instance_reconcile(e, NULL) < 0)
			break;
		i->name = arena_strdup(arena, name != NULL ? name : made_up);
		r = i->name != NULL ? add_row(e, i, config, err)
				    : err_set(err, -ENOMEM, "create an instance");
	}
	return r == -EEXIST && name != NULL ? name_taken(e, name, err) : r;
}

static int make_files(struct engine *e, const struct eng_instance *i,
		      const struct eng_config *config, struct err *err)
{
	_cleanup_(str_fini) struct str json = { 0 };
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%s", i->id);
	if (mkdirat(e->root_fd, path, 0700) < 0) {
		if (errno == ENOENT && mkdirat(e->root_fd, "instances", 0711) < 0 &&
		    errno != EEXIST)
			return err_set(err, -errno, "create directory '%s/instances'", e->root);
		if (mkdirat(e->root_fd, path, 0700) < 0)
			return err_set(err, -errno, "create directory '%s/%s'", e->root, path);
	}
	_cleanup_close_ int dir = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open directory '%s/%s'", e->root, path);
	eng_config_json(config, &json);
	if (json.failed)
		return err_set(err, -ENOMEM, "create an instance");
	_cleanup_close_ int file = openat(dir, "config.json",
					  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = file < 0 ? -errno
			 : fd_write_full(file, json.p, json.len); /* before it counts as started */
	if (r < 0)
		return err_set(err, r, "write '%s/%s/config.json'", e->root, path);
	return eng_backend_find(i->isolation)->prepare(e, i->id, config, dir, err);
}

const char *eng_command_line(struct arena *arena, const struct img_words *args)
{
	_cleanup_(str_fini) struct str s = { 0 };

	for (size_t i = 0; i < args->n && s.len < 4096; i++)
		str_printf(&s, strchr(args->v[i], ' ') != NULL ? "%s'%s'" : "%s%s", i > 0 ? " " : "",
			   args->v[i]); /* quotes as Docker's */
	return s.failed ? NULL : arena_strdup(arena, s.p != NULL ? s.p : "");
}

/* The host name is the beginning of the id unless one was chosen; $HOSTNAME is it. */
static int complete_config(struct eng_config *c, const char *id, struct err *err)
{
	const char *entry;
	int r = 0;

	if (c->hostname == NULL)
		c->hostname = arena_strndup(&c->arena, id, HOSTNAME_LEN);
	entry = c->hostname != NULL ? arena_printf(&c->arena, "HOSTNAME=%s", c->hostname) : NULL;
	if (entry == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < c->env.n; i++)
		if (str_starts(c->env.v[i], "HOSTNAME="))
			return 0;
	if (r == 0)
		r = eng_words_add(&c->arena, &c->env, entry);
	return r < 0 ? err_set(err, r, "create an instance") : 0;
}

static int lock_new(struct engine *e, char id[ENG_ID_LEN + 1], struct err *err)
{
	int fd = -ENOENT;

	for (int n = 0; n < TRIES && (fd == -ENOENT || fd == -EBUSY); n++) {
		int r = eng_id_random(id, err);

		if (r < 0)
			return r;
		fd = eng_lock_try(e, id, true);
	}
	return fd < 0 ? err_set(err, fd, "create a directory in '%s'", e->runroot) : fd;
}

int eng_instance_new(struct engine *e, struct eng_config *config, const char *name,
		     const char *isolation, struct arena *arena, struct eng_instance *ret,
		     int *ret_lock, struct err *err)
{
	struct eng_instance i = {
		.isolation = isolation,
		.image = config->image,
		.image_id = config->image_id,
		.command = eng_command_line(arena, &config->args),
		.error = "",
		.health = "",
		.state = ret_lock != NULL ? ENG_STATE_RUNNING : ENG_STATE_CREATED,
		.auto_remove = config->auto_remove,
		.restart = config->restart != NULL ? config->restart : "no",
		.restart_max = (int64_t) config->restart_max,
		.created = time_now_ns(),
	};
	char id[ENG_ID_LEN + 1];
	int r = name != NULL ? eng_name_check(name, err) : 0;

	if (r < 0)
		return r;
	i.started = ret_lock != NULL ? i.created : 0;
	_cleanup_close_ int lock = lock_new(e, id, err);
	if (lock < 0)
		return lock;
	i.id = arena_strdup(arena, id);
	if (i.id == NULL || i.command == NULL)
		r = err_set(err, -ENOMEM, "create an instance");
	if (r == 0)
		r = complete_config(config, id, err);
	if (r == 0)
		r = eng_userns_take(e, id, config, err);
	if (r == 0)
		r = make_files(e, &i, config, err);
	if (r == 0) /* last: who has a row is whole */
		r = add(e, &i, config, name, arena, err);
	if (r < 0) {
		(void) eng_instance_forget(e, id, NULL); /* the next command tries again */
		return r;
	}
	*ret = i;
	eng_event_of(e, &i, "create", &config->labels, NULL);
	if (ret_lock != NULL)
		*ret_lock = take_fd(lock);
	else
		eng_run_remove(e, id);
	return 0;
}

/* Who has a row has its files. */
static int removed_meanwhile(const struct engine *e, const struct eng_instance *i, const char *path, struct err *err)
{
	return err_msg(err, -ENOENT, "instance '%s' was removed meanwhile: no '%s/%s'", i->name, e->root, path);
}

int eng_instance_dir(struct engine *e, const struct eng_instance *i, struct err *err)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%.64s", i->id);
	int fd = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return removed_meanwhile(e, i, path, err);
	return fd < 0 ? err_set(err, -errno, "open directory '%s/%s'", e->root, path) : fd;
}

int eng_instance_config(struct engine *e, const struct eng_instance *i, struct eng_config *ret,
			struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[ENG_ID_LEN + 32];
	int r;

	(void) snprintf(path, sizeof(path), "instances/%.64s/config.json", i->id);
	r = file_read(e->root_fd, path, ENG_CONFIG_MAX, &text);
	if (r == -ENOENT)
		return removed_meanwhile(e, i, path, err);
	if (r < 0)
		return err_set(err, r, "read '%s/%s'", e->root, path);
	return eng_config_read(path, text.p, text.len, ret, err);
}

int eng_instance_config_save(struct engine *e, const struct eng_instance *i,
			     const struct eng_config *config, struct err *err)
{
	_cleanup_(str_fini) struct str json = { 0 };
	_cleanup_close_ int dir = eng_instance_dir(e, i, err);
	int r;

	if (dir < 0)
		return dir;
	eng_config_json(config, &json);
	r = json.failed ? -ENOMEM : file_replace(dir, "config.json", json.p, json.len, 0600);
	if (r == -ENOENT)
		return removed_meanwhile(e, i, "config.json", err);
	return r < 0 ? err_set(err, r, "write config.json of instance '%s'", i->name) : 0;
}

int eng_instance_rename(struct engine *e, const struct eng_instance *i, const char *name,
			struct err *err)
{
	int r = eng_name_check(name, err);

	if (r == 0)
		r = db_run(e->db, err, "UPDATE instance SET name = ? WHERE id = ?", "ss", name,
			   i->id);
	if (r > 0)
		(void) names_rename(e, i, name); /* else the next start does */
	if (r == -EEXIST)
		return name_taken(e, name, err);
	if (r == 0)
		return err_msg(err, -ENOENT, "instance '%s' was removed meanwhile", i->name);
	if (r < 0)
		return r;
	eng_event_of(e, i, "rename", NULL,
		     (const char *const[]) { "name", name, "oldName", i->name, NULL });
	return 0;
}
