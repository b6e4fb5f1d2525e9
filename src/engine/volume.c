/* SPDX-License-Identifier: MIT */
/**
 * DOC: the list of volumes
 *
 * A directory is made before its row and moved away after it, while no other client can change the
 * list.  So a row has its directory, and whoever dies in between leaves a directory without a row, which
 * the next volume of that name replaces and the next removal of any volume removes.
 */
#include "engine/volume.h"

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
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/instance.h"
#include "engine/name.h"
#include "engine/volume_parts.h"

#define TEXT_MAX (64u << 10) /* bytes of all labels, of all options */
#define GONE_MODE 01701 /* of the directory of one that was removed */
#define COLUMNS                                                                                     \
	"SELECT name, labels, options, anonymous, created, (SELECT count(*) FROM volume_use AS u"   \
	" JOIN instance AS i ON i.id = u.instance WHERE u.volume = volume.name) FROM volume "

int eng_volume_name_check(const char *name, struct err *err)
{
	if (eng_name_valid(name, 1, ENG_VOLUME_NAME_MAX))
		return 0;
	return err_msg(
		err, -EINVAL,
		"\"%.200s\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path",
		name);
}

/* Lists are kept as lines. */
static char *join_lines(struct arena *a, const struct img_words *list)
{
	_cleanup_(str_fini) struct str s = { 0 };

	for (size_t i = 0; i < list->n; i++)
		str_printf(&s, "%s\n", list->v[i]);
	return s.failed ? NULL : arena_strdup(a, s.p != NULL ? s.p : "");
}

static int split_lines(struct arena *a, const char *text, struct img_words *ret)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char *line = arena_strndup(a, text, n);

		if (line == NULL || eng_words_add(a, ret, line) < 0)
			return -ENOMEM;
		text += n + (text[n] == '\n');
	}
	return 0;
}

static int check_lines(const char *what, const struct img_words *list, struct err *err)
{
	size_t sum = 0;

	for (size_t i = 0; i < list->n; i++) {
		sum += strlen(list->v[i]) + 1;
		if (strchr(list->v[i], '\n') != NULL)
			return err_msg(err, -EINVAL, "%s '%.*s...' contains a newline", what,
				       (int) strcspn(list->v[i], "\n"), list->v[i]);
	}
	return sum <= TEXT_MAX ? 0
			       : err_msg(err, -E2BIG, "all %ss together are over %u bytes", what,
					 TEXT_MAX);
}

static int read_row(struct db_rows *rows, struct arena *a, struct eng_volume *ret, struct err *err)
{
	struct eng_volume v = { .name = arena_strdup(a, db_text(rows, 0)),
				.anonymous = db_i64(rows, 3) != 0,
				.created = db_i64(rows, 4),
				.users = db_i64(rows, 5) };

	if (v.name == NULL || split_lines(a, db_text(rows, 1), &v.labels) < 0 ||
	    split_lines(a, db_text(rows, 2), &v.options) < 0)
		return err_set(err, -ENOMEM, "read the list of volumes");
	*ret = v;
	return 0;
}

int eng_volume_find(struct engine *e, const char *name, struct arena *arena,
		    struct eng_volume *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, COLUMNS "WHERE name = ?", "s", name);

	if (r == 0)
		r = db_next(rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_msg(err, -ENOENT, "no such volume: '%.255s' (see 'cleave volume ls')",
			       name);
	return read_row(rows, arena, ret, err);
}

int eng_volume_list(struct engine *e, struct arena *arena, struct eng_volume **ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_volume *list = NULL;
	size_t n = 0, room = 0;
	int r = db_query(e->db, &rows, err, COLUMNS "ORDER BY name", "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		list = arena_grow(arena, list, n, &room, sizeof(*list));
		if (list == NULL)
			return err_set(err, -ENOMEM, "read the list of volumes");
		r = read_row(rows, arena, &list[n++], err);
	}
	if (r < 0)
		return r;
	*ret = list;
	return (int) n;
}

const char *eng_volume_path(const struct engine *e, const char *name, struct arena *arena)
{
	return arena_printf(arena, "%s/volumes/%s/_data", e->root, name);
}

int eng_volumes_dir(struct engine *e, bool create, struct err *err)
{
	if (create && mkdirat(e->root_fd, "volumes", 0711) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s/volumes'", e->root);
	int fd = openat(e->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open directory '%s/volumes'", e->root) : fd;
}

/* To a name with a dot, which no volume has.  A directory that is not there is fine. */
static int move_away(int dir, const char *name, struct err *err)
{
	char to[ENG_ID_LEN + 2] = ".";
	int r = eng_id_random(to + 1, err);

	if (r == 0 && renameat(dir, name, dir, to) < 0 && errno != ENOENT)
		r = err_set(err, -errno, "move volume '%s' away", name);
	return r;
}

/* Also what others that died have left. */
static void remove_moved(int volumes)
{
	int fd = openat(volumes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (d->d_name[0] == '.' && strlen(d->d_name) == ENG_ID_LEN + 1)
			(void) dir_remove(volumes, d->d_name); /* or the next one does */
}

bool eng_volume_is_lost(int volumes, const char *name)
{
	char path[ENG_VOLUME_NAME_MAX + 8];
	bool content = false;
	struct dirent *d;
	struct stat st;

	(void) snprintf(path, sizeof(path), "%.255s/_data", name);
	if (fstatat(volumes, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (st.st_mode & S_ISVTX) != 0)
		return false;
	int fd = openat(volumes, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	while (dir != NULL && !content && (d = readdir(dir)) != NULL)
		content = strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	return content;
}

static int write_options(int dir, const struct eng_volume *v, const char *options, struct err *err)
{
	_cleanup_close_ int fd =
		openat(dir, v->options.n > 0 ? "options" : "fresh",
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_full(fd, options, strlen(options));

	return r < 0 ? err_set(err, r, "write options of volume '%s'", v->name) : 0;
}

static int make_dirs(struct engine *e, const struct eng_volume *v, const char *options,
		     struct err *err)
{
	_cleanup_close_ int volumes = eng_volumes_dir(e, true, err);
	int r = volumes;

	if (volumes < 0)
		return r;
	if (mkdirat(volumes, v->name, 0701) < 0) {
		bool there = errno == EEXIST;

		if (there && eng_volume_is_lost(volumes, v->name))
			return err_msg(err, -EEXIST,
				       "'%s/volumes/%s' has data of a volume that is not listed: "
				       "'cleave system check --repair' lists it again",
				       e->root, v->name);
		r = there ? move_away(volumes, v->name, err) : 0;
		if (r < 0)
			return r;
		if (mkdirat(volumes, v->name, 0701) < 0)
			return err_set(err, -errno, "create directory '%s/volumes/%s'", e->root,
				       v->name);
		remove_moved(volumes);
	}
	_cleanup_close_ int dir = openat(volumes, v->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "_data", 0755) < 0)
		return err_set(err, -errno, "create directory '%s/volumes/%s/_data'", e->root,
			       v->name);
	return write_options(dir, v, options, err);
}

int eng_volume_insert(struct engine *e, const struct eng_volume *v, struct arena *a,
		      struct err *err)
{
	const char *labels = join_lines(a, &v->labels), *options = join_lines(a, &v->options);
	struct eng_volume old;
	int r;

	if (labels == NULL || options == NULL)
		return err_set(err, -ENOMEM, "create volume '%s'", v->name);
	r = eng_volume_find(e, v->name, a, &old, NULL);
	if (r == 0) {
		const char *had = join_lines(a, &old.options);

		if (had == NULL || (v->options.n > 0 && strcmp(had, options) != 0))
			return err_msg(err, -EEXIST,
				       "volume '%s' exists with other options: remove it first",
				       v->name);
		return 1;
	}
	if (r != -ENOENT)
		return err_set(err, r, "look for volume '%s'", v->name);
	r = make_dirs(e, v, options, err);
	if (r == 0)
		r = db_run(e->db, err,
			   "INSERT INTO volume(name, labels, options, anonymous, created)"
			   " VALUES(?, ?, ?, ?, ?)",
			   "sssii", v->name, labels, options, (int64_t) v->anonymous,
			   time_now_ns());
	return r < 0 ? r : 0;
}

static int check(const struct eng_volume *v, struct err *err)
{
	static const char *const known[] = { "type=", "device=", "o=" };
	int r = eng_volume_name_check(v->name, err);

	if (r == 0)
		r = check_lines("label", &v->labels, err);
	if (r == 0)
		r = check_lines("option", &v->options, err);
	for (size_t i = 0; r == 0 && i < v->options.n; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(known) && !str_starts(v->options.v[i], known[k]))
			k++;
		if (k == ARRAY_LEN(known))
			r = err_msg(err, -EINVAL,
				    "invalid option: \"%.64s\": driver local knows type, device and o",
				    v->options.v[i]);
	}
	return r;
}

int eng_volume_create(struct engine *e, const struct eng_volume *v, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	int r = check(v, err), made;

	if (r == 0)
		r = db_begin(e->db, err);
	if (r < 0)
		return r;
	made = eng_volume_insert(e, v, &a, err);
	if (made < 0) {
		db_rollback(e->db);
		return made;
	}
	r = db_commit(e->db, err);
	if (r < 0)
		return r;
	if (made == 0)
		eng_event(e, "volume", "create", v->name,
			  (const char *const[]) { "driver", "local", NULL });
	return made;
}

/* Return: 0 nobody; -EBUSY with a message. */
static int check_unused(struct engine *e, const char *name, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(str_fini) struct str users = { 0 };
	int r = db_query(e->db, &rows, err,
			 "SELECT u.instance, i.id IS NOT NULL FROM volume_use AS u"
			 " LEFT JOIN instance AS i ON i.id = u.instance WHERE u.volume = ?",
			 "s", name);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		const char *id = db_text(rows, 0);

		/* one that is being made has no row yet */
		if (db_i64(rows, 1) != 0 || faccessat(e->run_fd, id, F_OK, 0) == 0)
			str_printf(&users, "%s%s", users.len > 0 ? ", " : "", id);
		r = 0;
	}
	if (r < 0)
		return r;
	return users.len == 0 && !users.failed
		       ? 0
		       : err_msg(err, -EBUSY, "remove %s: volume is in use - [%s]", name,
				 users.failed ? "" : users.p);
}

int eng_volume_delete(struct engine *e, const char *name, struct err *err)
{
	_cleanup_close_ int volumes = eng_volumes_dir(e, false, NULL); /* maybe nothing is there */
	int r = check_unused(e, name, err);

	if (r == 0 && volumes >= 0)
		(void) fchmodat(volumes, name, GONE_MODE, 0); /* else it stays, and is told by check */
	if (r == 0)
		r = db_run(e->db, err, "DELETE FROM volume_use WHERE volume = ?", "s", name);
	if (r >= 0)
		r = db_run(e->db, err, "DELETE FROM volume WHERE name = ?", "s", name);
	if (r < 0)
		return r;
	return r > 0 ? 0
		     : err_msg(err, -ENOENT, "no such volume: '%.255s' (see 'cleave volume ls')",
			       name);
}

/* Return: 1; 0; -errno. */
static int has_row(struct engine *e, const char *name)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, NULL, "SELECT 1 FROM volume WHERE name = ?", "s", name);

	return r < 0 ? r : db_next(rows, NULL);
}

static void move_lost(struct engine *e, int volumes)
{
	int fd = openat(volumes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && has_row(e, d->d_name) == 0 &&
		    !eng_volume_is_lost(volumes, d->d_name))
			(void) move_away(volumes, d->d_name, NULL); /* or the next one does */
}

void eng_volumes_sweep(struct engine *e)
{
	_cleanup_close_ int volumes = eng_volumes_dir(e, false, NULL);

	if (volumes < 0 || db_begin(e->db, NULL) < 0)
		return;
	move_lost(e, volumes);
	db_rollback(e->db);
	remove_moved(volumes);
}

int eng_volume_remove(struct engine *e, const char *name, struct err *err)
{
	int r = db_begin(e->db, err);

	if (r == 0)
		r = eng_volume_delete(e, name, err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	r = db_commit(e->db, err);
	if (r < 0)
		return r;
	eng_event(e, "volume", "destroy", name,
		  (const char *const[]) { "driver", "local", NULL });
	return 0;
}
