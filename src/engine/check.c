/* SPDX-License-Identifier: MIT */
#include "engine/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/check_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/net/check.h"
#include "image/check.h"

#define TEXT_MAX 2048 /* bytes of a finding */
#define SETTLED_MS 2000
#define STEP_MS 50

void check_found(struct check_run *k, const char *action, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap); /* longer ones are cut */
	va_end(ap);
	k->c->found(k->c->data, text, action);
}

int check_each(struct check_run *k, int at, const char *path,
	       int (*each)(struct check_run *k, const char *name, struct err *err),
	       struct err *err)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *d;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, -errno, "open directory '%s'", path);
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	if (dir == NULL)
		return err_set(err, -ENOMEM, "open directory '%s'", path);
	while (r == 0 && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			r = each(k, d->d_name, err);
	return r;
}

bool check_settled(int fd, const char *path)
{
	struct timespec now;
	struct stat st;

	for (int ms = 0; ms <= 2 * SETTLED_MS; ms += STEP_MS) {
		if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		(void) clock_gettime(CLOCK_REALTIME, &now); /* never fails */
		if ((now.tv_sec - st.st_ctim.tv_sec) * 1000 +
			    (now.tv_nsec - st.st_ctim.tv_nsec) / 1000000 >=
		    SETTLED_MS)
			break;
		(void) poll(NULL, 0, STEP_MS);
	}
	return true;
}

bool check_is_id(const char *name)
{
	return strlen(name) == ENG_ID_LEN && strspn(name, "0123456789abcdef") == ENG_ID_LEN;
}

int check_row(struct check_run *k, const char *id, struct eng_instance *ret, struct err *err)
{
	int r = eng_instance_find(k->e, id, &k->arena, ret, err);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int check_database(struct check_run *k, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(k->e->db, &rows, err,
			 k->c->quick ? "PRAGMA quick_check" : "PRAGMA integrity_check", "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		if (strcmp(db_text(rows, 0), "ok") != 0)
			check_found(k, NULL, "database: %s", db_text(rows, 0));
		r = 0;
	}
	return r;
}

static int image_forget(void *data, const struct img_image *image, struct err *err)
{
	const struct check_run *k = data;

	return eng_image_forget(k->e, image, false, err);
}

/* Also of directories without a row */
static int image_users(void *data, struct arena *arena, struct img_words *chains, struct err *err)
{
	const struct check_run *k = data;
	int r = eng_image_users(k->e, arena, chains, err);

	for (size_t i = 0; r == 0 && i < k->chains.n; i++)
		if (eng_words_add(arena, chains, k->chains.v[i]) < 0)
			r = err_set(err, -ENOMEM, "find the layers that instances use");
	return r;
}

static void image_found(void *data, const char *text, const char *action)
{
	check_found(data, action, "%s", text);
}

static int check_images(struct check_run *k, struct err *err)
{
	const struct img_check c = {
		.chains = &k->chains,
		.busy = &k->busy,
		.keep = k->unknown,
		.quick = k->c->quick,
		.repair = k->c->repair,
		.force = k->c->force,
		.users = image_users,
		.forget = image_forget,
		.found = image_found,
		.data = k,
	};

	return img_check(k->e->images, &c, err);
}

int eng_check(struct engine *e, const struct eng_check *c, struct err *err)
{
	struct check_run k = { .e = e, .c = c };
	int r = check_database(&k, err);

	if (r == 0)
		r = check_collect(&k, err);
	if (r == 0)
		r = check_images(&k, err); /* first: an instance may want a layer that it makes anew */
	if (r == 0)
		r = check_instances(&k, err);
	if (r == 0)
		r = check_host(&k, err);
	if (r == 0)
		r = check_volumes(&k, err);
	if (r == 0)
		r = eng_net_check(e, c, err);
	arena_fini(&k.arena);
	return r;
}
