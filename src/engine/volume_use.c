/* SPDX-License-Identifier: MIT */
/**
 * DOC: instances and their volumes
 *
 * The content that a new volume gets is copied beside it and takes its place by a rename, so a copy
 * that was cut short is made again.  The lock of the volume's directory makes others wait.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/volume.h"
#include "engine/volume_parts.h"
#include "oci/mount.h"
#include "sys/path.h"

#define OPTIONS_MAX (64u << 10) /* bytes */

static int take_one(struct engine *e, const char *id, const struct eng_mount *m, struct arena *a,
		    struct err *err)
{
	struct eng_volume v = { .name = m->source, .anonymous = m->anonymous };
	int r = eng_volume_insert(e, &v, a, err);

	if (r >= 0)
		r = db_run(e->db, err,
			   "INSERT OR IGNORE INTO volume_use(instance, volume) VALUES(?, ?)", "ss",
			   id, m->source);
	return r < 0 ? r : 0;
}

int eng_volumes_take(struct engine *e, const char *id, const struct eng_config *config,
		     struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->nr_mounts; i++)
		if (config->mounts[i].kind == ENG_MOUNT_VOLUME)
			r = take_one(e, id, &config->mounts[i], &a, err);
	return r;
}

/* Names of the volumes that only this instance uses, and nobody named */
static int own_volumes(struct engine *e, const char *id, struct arena *a, struct img_words *ret,
		       struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT v.name FROM volume_use AS u JOIN volume AS v ON v.name = u.volume"
			 " WHERE u.instance = ?1 AND v.anonymous AND NOT EXISTS(SELECT 1 FROM"
			 " volume_use AS o WHERE o.volume = v.name AND o.instance <> ?1)",
			 "s", id);

	while (r == 0 && (r = db_next(rows, err)) == 1)
		r = eng_words_add(a, ret, db_text(rows, 0)) < 0
			    ? err_set(err, -ENOMEM, "read the list of volumes")
			    : 0;
	return r;
}

static int uses_any(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT 1 FROM volume_use WHERE instance = ? LIMIT 1",
			 "s", id);

	return r < 0 ? r : db_next(rows, err);
}

int eng_volumes_drop(struct engine *e, const char *id, bool anonymous, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct img_words own = { 0 };
	int r;

	if (faccessat(e->root_fd, "volumes", F_OK, 0) < 0) /* there never was one: no look-up */
		return 0;
	r = uses_any(e, id, err);
	if (r <= 0)
		return r;
	r = db_begin(e->db, err);
	if (r == 0 && anonymous)
		r = own_volumes(e, id, &a, &own, err);
	if (r == 0)
		r = db_run(e->db, err, "DELETE FROM volume_use WHERE instance = ?", "s", id);
	for (size_t i = 0; r >= 0 && i < own.n; i++)
		r = eng_volume_delete(e, own.v[i], err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	r = db_commit(e->db, err);
	if (r == 0 && own.n > 0)
		eng_volumes_sweep(e);
	return r;
}

/* The directory's own attributes; those of what is in it have been copied. */
static int copy_mode(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy(int dir, int from, struct err *err)
{
	int r = dir_remove(dir, "copy");

	if (r == 0 && mkdirat(dir, "copy", 0700) < 0)
		r = -errno;
	_cleanup_close_ int to = r == 0 ? openat(dir, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
					: r;
	if (to < 0)
		return err_set(err, r < 0 ? r : -errno, "make a directory for the copy");
	r = oci_mount_copy_up(from, to, err);
	if (r < 0)
		return r;
	r = copy_mode(from, to);
	if (r == 0 && renameat(dir, "copy", dir, "_data") < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "put the copy in its place") : 0;
}

/* @owner: the host's id of the instance's root user, who owns what the image does not tell about */
static int fill_locked(int dir, const char *destination, int rootfs, uint32_t owner,
		       struct err *err)
{
	_cleanup_close_ int data = openat(dir, "_data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int from = *destination != '\0'
					   ? path_open(rootfs, destination, O_RDONLY | O_DIRECTORY)
					   : -ENOENT;
	int r = 0;

	if (data < 0)
		return err_set(err, -errno, "open its directory");
	if (from >= 0 && dir_is_empty(data, "."))
		r = copy(dir, from, err);
	else if (from < 0 && from != -ENOENT && from != -ENOTDIR && from != -ELOOP)
		r = err_set(err, from, "open '%s' of the image", destination);
	else if (owner != 0 && dir_is_empty(data, ".") && fchown(data, owner, owner) < 0)
		r = err_set(err, -errno, "set its owner");
	if (r == 0 && unlinkat(dir, "fresh", 0) < 0)
		r = err_set(err, -errno, "note that it was filled");
	return r;
}

static int fill(struct engine *e, const struct eng_mount *m, int rootfs, uint32_t owner,
		struct err *err)
{
	char path[ENG_VOLUME_NAME_MAX + 16];
	int r;

	(void) snprintf(path, sizeof(path), "volumes/%.255s", m->source);
	_cleanup_close_ int dir = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return err_msg(err, -ENOENT, "no such volume: '%s'", m->source);
	if (dir < 0)
		return err_set(err, -errno, "open volume '%s'", m->source);
	if (faccessat(dir, "fresh", F_OK, 0) < 0)
		return 0;
	if (flock(dir, LOCK_EX) < 0)
		return err_set(err, -errno, "lock volume '%s'", m->source);
	if (faccessat(dir, "fresh", F_OK, 0) < 0)
		return 0;
	/* without a copy the first use settles it, too */
	r = fill_locked(dir, m->no_copy ? "" : m->destination, rootfs, owner, err);
	return r < 0 ? err_wrap(err, r, "fill volume '%s'", m->source) : 0;
}

int eng_volumes_fill(struct engine *e, const struct eng_config *config, int rootfs,
		     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->nr_mounts; i++)
		if (config->mounts[i].kind == ENG_MOUNT_VOLUME)
			r = fill(e, &config->mounts[i], rootfs, (uint32_t) config->userns_start,
				 err);
	return r;
}

/* Value of "NAME=" among lines; NULL without */
static const char *line_value(struct arena *a, const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n')
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return arena_strndup(a, p + n + 1, strcspn(p + n + 1, "\n"));
	return NULL;
}

static bool has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = options; p != NULL && *p != '\0'; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

int eng_volume_source(struct engine *e, const char *name, struct arena *arena,
		      struct eng_volume_source *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct eng_volume_source s = { .path = eng_volume_path(e, name, arena) };
	char path[ENG_VOLUME_NAME_MAX + 32];
	int r;

	if (s.path == NULL)
		return err_set(err, -ENOMEM, "open volume '%s'", name);
	(void) snprintf(path, sizeof(path), "volumes/%.255s/options", name);
	r = file_read(e->root_fd, path, OPTIONS_MAX, &text);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read the options of volume '%s'", name);
	if (r == 0 && text.p != NULL) {
		const char *device = line_value(arena, text.p, "device");

		s.type = line_value(arena, text.p, "type");
		s.options = line_value(arena, text.p, "o");
		if (s.type != NULL && (strcmp(s.type, "none") == 0 || strcmp(s.type, "bind") == 0 ||
				       has_option(s.options, "bind") ||
				       has_option(s.options, "rbind")))
			s.type = NULL;
		if (device != NULL)
			s.path = device;
		else if (s.type != NULL)
			s.path = s.type;
	}
	*ret = s;
	return 0;
}
