/* SPDX-License-Identifier: MIT */
#include "engine/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/subid.h"
#include "oci/idmap.h"
#include "oci/spec.h"

#define OWNER "containers"
#define FALLBACK_START 2147483648u
#define FALLBACK_SIZE 2147418112u /* leaves out the last ids, which are special */

int eng_userns_parse(const char *text, uint64_t *ret, struct err *err)
{
	static const char size[] = "auto:size=";

	*ret = ENG_USERNS_SIZE;
	if (strcmp(text, "auto") == 0)
		return 0;
	if (!str_starts(text, size) || str_to_u64(text + strlen(size), ret) < 0)
		return err_msg(err, -EINVAL, "--userns '%.200s': expected auto or auto:size=NUMBER",
			       text);
	if (*ret < 1 || *ret > ENG_USERNS_MAX)
		return err_msg(err, -EINVAL, "--userns '%.200s': the range of size is 1 to %u", text,
			       ENG_USERNS_MAX);
	return 0;
}

/* What users and groups have in common */
static int find_pool(uint64_t *start, uint64_t *end, struct err *err)
{
	struct eng_subid uids[ENG_SUBID_MAX], gids[ENG_SUBID_MAX];
	int u = eng_subid_read(ENG_SUBUID, OWNER, NULL, uids, err);
	int g = u < 0 ? u : eng_subid_read(ENG_SUBGID, OWNER, NULL, gids, err);

	if (g < 0)
		return g;
	*start = FALLBACK_START;
	*end = *start + FALLBACK_SIZE;
	if (u == 0 || g == 0)
		return 0;
	*start = uids->start > gids->start ? uids->start : gids->start;
	*end = uids->start + uids->size < gids->start + gids->size ? uids->start + uids->size
								   : gids->start + gids->size;
	return 0;
}

/* Rows of instances that were never made */
static int remove_stale(struct engine *e, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct img_words stale = { 0 };
	int r = db_query(e->db, &rows, err,
			 "SELECT instance FROM userns WHERE instance NOT IN (SELECT id FROM instance)",
			 "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		r = 0;
		if (faccessat(e->run_fd, db_text(rows, 0), F_OK, 0) < 0 &&
		    eng_words_add(&a, &stale, db_text(rows, 0)) < 0)
			r = err_set(err, -ENOMEM, "read the ranges of ids");
	}
	for (size_t i = 0; r >= 0 && i < stale.n; i++)
		r = db_run(e->db, err, "DELETE FROM userns WHERE instance = ?", "s", stale.v[i]);
	return r < 0 ? r : 0;
}

static int find_gap(struct engine *e, uint64_t size, uint64_t *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	uint64_t start = 0, end = 0;
	int r = find_pool(&start, &end, err);

	if (r == 0)
		r = remove_stale(e, err);
	if (r == 0)
		r = db_query(e->db, &rows, err, "SELECT start, size FROM userns ORDER BY start", "");
	while (r == 0 && (r = db_next(rows, err)) == 1) {
		uint64_t taken = (uint64_t) db_i64(rows, 0), n = (uint64_t) db_i64(rows, 1);

		if (taken >= start && taken - start >= size)
			break;
		if (taken + n > start)
			start = taken + n;
		r = 0;
	}
	if (r < 0)
		return r;
	if (end < start || end - start < size)
		return err_msg(
			err, -ENOSPC,
			"--userns auto: no %llu ids are left: give user 'containers' more in /etc/subuid and /etc/subgid",
			(unsigned long long) size);
	*ret = start;
	return 0;
}

int eng_userns_take(struct engine *e, const char *id, struct eng_config *config, struct err *err)
{
	int r;

	if (config->userns_size == 0)
		return 0;
	if (e->rootless)
		return err_msg(err, -EPERM,
			       "--userns auto needs root: every instance of a user is in the user's own namespace");
	r = db_begin(e->db, err);
	if (r == 0)
		r = find_gap(e, config->userns_size, &config->userns_start, err);
	if (r == 0)
		r = db_run(e->db, err, "INSERT INTO userns(instance, start, size) VALUES(?, ?, ?)",
			   "sii", id, (int64_t) config->userns_start,
			   (int64_t) config->userns_size);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	return db_commit(e->db, err);
}

int eng_userns_drop(struct engine *e, const char *id, struct err *err)
{
	int r = db_run(e->db, err, "DELETE FROM userns WHERE instance = ?", "s", id);

	return r < 0 ? r : 0;
}

void eng_userns_reach(const struct engine *e)
{
	(void) fchmod(e->root_fd, 0711); /* refused: mounting says what cannot be reached */
	(void) fchmod(e->run_fd, 0711);
}

int eng_userns_open(const struct eng_config *config, struct err *err)
{
	struct oci_idmap map = { 0, (uint32_t) config->userns_start,
				 (uint32_t) config->userns_size };
	struct oci_idmaps maps = { &map, 1 };
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return err_set(err, -errno, "open /proc");
	return oci_idmap_userns(proc, &maps, &maps, err);
}
