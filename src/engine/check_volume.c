/* SPDX-License-Identifier: MIT */
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
#include "engine/check.h"
#include "engine/check_parts.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/volume.h"
#include "engine/volume_parts.h"

#define OPTIONS_MAX (64u << 10) /* bytes */

/* A row without a directory does not happen by itself: somebody removed it. */
static const char *make_data(struct check_run *k, const char *name)
{
	_cleanup_close_ int volumes = eng_volumes_dir(k->e, true, NULL);
	char path[ENG_VOLUME_NAME_MAX + 16];

	if (volumes < 0 || (mkdirat(volumes, name, 0701) < 0 && errno != EEXIST))
		return NULL;
	(void) snprintf(path, sizeof(path), "%.255s/_data", name);
	return mkdirat(volumes, path, 0755) == 0 ? "made, empty" : NULL;
}

/* A row again; its name stays, so that no prune of those without one takes it. */
static const char *adopt(struct check_run *k, const char *name)
{
	_cleanup_(str_fini) struct str options = { 0 };
	char path[ENG_VOLUME_NAME_MAX + 32];

	(void) snprintf(path, sizeof(path), "volumes/%.255s/options", name);
	(void) file_read(k->e->root_fd, path, OPTIONS_MAX, &options); /* most have none */
	return db_run(k->e->db, NULL,
		      "INSERT INTO volume(name, labels, options, anonymous, created)"
		      " VALUES(?, '', ?, 0, ?)",
		      "ssi", name, options.p != NULL ? options.p : "", time_now_ns()) == 1
		       ? "it is a volume again"
		       : NULL;
}

static bool exists(struct check_run *k, const char *name, const char *below)
{
	char path[ENG_VOLUME_NAME_MAX + 32];

	(void) snprintf(path, sizeof(path), "volumes/%.255s%s", name, below);
	return faccessat(k->e->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Return: 1 there is a row; 0; -errno with a message. */
static int has_row(struct check_run *k, const char *name, struct err *err)
{
	struct eng_volume v;
	int r = eng_volume_find(k->e, name, &k->arena, &v, err);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int check_dir(struct check_run *k, const char *name, struct err *err)
{
	char path[ENG_VOLUME_NAME_MAX + 32];
	int r;

	(void) snprintf(path, sizeof(path), "volumes/%.255s", name);
	if (name[0] != '.' && eng_volume_name_check(name, NULL) < 0) {
		check_found(k, NULL, "'%s' is no volume", path);
		return 0;
	}
	r = name[0] != '.' ? has_row(k, name, err) : 0;
	if (r == 0 && !check_settled(k->e->root_fd, path))
		return 0;
	if (r == 0 && name[0] != '.')
		r = has_row(k, name, err);
	_cleanup_close_ int volumes = eng_volumes_dir(k->e, false, NULL);
	if (r == 0 && (name[0] == '.' || (volumes >= 0 && !eng_volume_is_lost(volumes, name))))
		check_found(k,
			    k->c->repair && dir_remove(k->e->root_fd, path) == 0 ? "removed" : NULL,
			    "directory %s was left behind", path);
	else if (r == 0)
		check_found(k, k->c->repair ? adopt(k, name) : NULL,
			    "directory %s belongs to no volume", path);
	return r < 0 ? r : 0;
}

int check_volumes(struct check_run *k, struct err *err)
{
	struct eng_volume *list = NULL;
	int n = eng_volume_list(k->e, &k->arena, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r >= 0 && i < n; i++) {
		if (exists(k, list[i].name, "/_data"))
			continue;
		r = has_row(k, list[i].name, err); /* it may have been removed meanwhile */
		if (r == 1)
			check_found(k, k->c->repair ? make_data(k, list[i].name) : NULL,
				    "volume '%.255s': its directory is missing", list[i].name);
	}
	if (r >= 0)
		r = check_each(k, k->e->root_fd, "volumes", check_dir, err);
	return r == -ENOENT ? 0 : r;
}
