/* SPDX-License-Identifier: MIT */
/**
 * DOC: SQLite as the project uses it
 *
 * Processes live for milliseconds, so what counts is the price of open, one transaction, gone.  The
 * last connection that closes would write the log back into the file and sync both, on each command;
 * that is switched off (NO_CKPT_ON_CLOSE).  The log is written back every DB_LOG_PAGES instead.  A
 * first connection has to read the whole log, so it is kept short: few pages, and small ones.
 *
 * SQLite's own way of writing it back does not make it shorter: the log is begun anew by a connection
 * that knows that all of it has been written back, which is forgotten when the last one closes.  With
 * one command after the other it would grow for ever, and be written back by every commit.
 */
#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define DB_BUSY_MS 30000
#define LOG_WAIT_MS 2
#define DB_LOG_PAGES 200
#define DB_LOG_ROOM (256 << 10) /* bytes; more than DB_LOG_PAGES */
#define INDEX_SIZE 32768 /* bytes; the first part of the index, which holds 4062 pages of the log */
#define INDEX_HEADER 4096 /* bytes; what is in it is less */
#define INDEX_TRUNCATED 3 /* bytes that SQLite truncates it to, and nothing else */

struct db {
	sqlite3 *h;
	const char *path; /* of the handle */
};

struct db_rows {
	sqlite3_stmt *stmt;
	struct db *db;
};

/* Stands in for ftruncate(2) in SQLite. */
static int truncate_file(int fd, off_t size)
{
	static const char zeros[INDEX_SIZE];
	struct stat st;
	size_t n;

	if (size != INDEX_TRUNCATED)
		return ftruncate(fd, size);
	if (fstat(fd, &st) < 0)
		return -1;
	n = st.st_size < INDEX_SIZE ? INDEX_SIZE : INDEX_HEADER;
	if (pwrite(fd, zeros, n, 0) == (ssize_t) n)
		return 0;
	errno = errno != 0 ? errno : ENOSPC; /* it was cut short */
	return -1;
}

static void keep_index(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs != NULL && vfs->iVersion >= 3) /* without, a full disk is less pleasant */
		(void) vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr) truncate_file);
}

static int db_fail(struct db *db, int code, struct err *err)
{
	const char *text = sqlite3_errmsg(db->h);
	int why = sqlite3_system_errno(db->h);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_msg(err, -EBUSY, "database '%s' is in use by another process: %s",
			       db->path, text);
	case SQLITE_CONSTRAINT:
		return err_msg(err, -EEXIST, "database '%s': %s", db->path, text);
	case SQLITE_FULL:
		return err_msg(err, -ENOSPC, "database '%s': %s", db->path, text);
	case SQLITE_NOMEM:
		return err_msg(err, -ENOMEM, "database '%s': %s", db->path, text);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_msg(err, -EACCES, "database '%s': %s", db->path, text);
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		if (why != 0)
			return err_set(err, -why, "use database '%s'", db->path);
		break;
	default:
		break;
	}
	return err_msg(err, -EIO, "database '%s': %s", db->path, text);
}

static int db_script(struct db *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_fail(db, code, err);
}

static int read_version(struct db *db, unsigned *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(db, &rows, err, "PRAGMA user_version", "");

	if (r == 0)
		r = db_next(rows, err);
	if (r < 0)
		return r;
	*ret = r == 0 ? 0 : (unsigned) db_i64(rows, 0);
	return 0;
}

static void reserve_log(struct db *db)
{
	_cleanup_close_ int fd = open(sqlite3_filename_wal(db->path), O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void) fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, DB_LOG_ROOM); /* a favour */
}

/*
 * Turned on once for each database.  Who meets another that does so is told at once that it is busy, however long it
 * would wait: SQLite's answer to two that read and both want to be alone.
 */
static int use_log(struct db *db, struct err *err)
{
	int code, waited = 0;

	(void) sqlite3_busy_timeout(db->h, 0); /* documented to succeed */
	do {
		code = sqlite3_exec(db->h, "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((code & 0xff) == SQLITE_BUSY)
			waited += sqlite3_sleep(LOG_WAIT_MS);
	} while ((code & 0xff) == SQLITE_BUSY && waited < DB_BUSY_MS);
	(void) sqlite3_busy_timeout(db->h, DB_BUSY_MS); /* as above */
	return code == SQLITE_OK ? 0 : db_fail(db, code, err);
}

/* Two processes may find an old version at once: look again when nobody else writes. */
static int upgrade(struct db *db, const char *const *schema, unsigned version, struct err *err)
{
	char pragma[48];
	unsigned have = 0;
	int r = use_log(db, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r == 0)
		r = read_version(db, &have, err);
	if (r < 0)
		return r;
	if (have > version)
		return err_msg(
			err, -EPROTO,
			"database '%s' has version %u, this program knows %u: use a newer program",
			db->path, have, version);
	for (; have < version; have++) {
		r = db_script(db, schema[have], err);
		if (r < 0)
			return r;
	}
	(void) snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %u", version);
	r = db_script(db, pragma, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r == 0)
		reserve_log(db);
	return r;
}

/* After every commit.  Who reads keeps it from becoming empty; then the next commit tries again. */
static int empty_long_log(void *unused, sqlite3 *h, const char *name, int pages)
{
	(void) unused;
	if (pages >= DB_LOG_PAGES) {
		(void) sqlite3_busy_timeout(h, 0); /* documented to succeed */
		(void) sqlite3_wal_checkpoint_v2(h, name, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		(void) sqlite3_busy_timeout(h, DB_BUSY_MS);
	}
	return SQLITE_OK;
}

int db_open(const char *path, const char *const *schema, unsigned version, struct db **ret,
	    struct err *err)
{
	_cleanup_(db_closep) struct db *db = calloc(1, sizeof(*db));
	unsigned have = 0;
	int code, r;

	if (db == NULL)
		return err_set(err, -ENOMEM, "open database '%s'", path);
	keep_index();
	code = sqlite3_open_v2(path, &db->h,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (db->h == NULL)
		return err_set(err, -ENOMEM, "open database '%s'", path);
	db->path = sqlite3_db_filename(db->h, "main");
	if (db->path == NULL)
		db->path = "";
	if (code != SQLITE_OK)
		return db_fail(db, code, err);
	(void) sqlite3_busy_timeout(db->h, DB_BUSY_MS); /* documented to succeed */
	(void) sqlite3_wal_hook(db->h, empty_long_log, NULL);
	(void) sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	r = db_script(db, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON", err);
	if (r == 0)
		r = read_version(db, &have, err);
	if (r == 0 && have != version)
		r = upgrade(db, schema, version, err);
	if (r < 0)
		return r;
	*ret = take_ptr(db);
	return 0;
}

int db_begin(struct db *db, struct err *err)
{
	return db_script(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct err *err)
{
	int r = db_script(db, "COMMIT", err);

	if (r < 0)
		db_rollback(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (sqlite3_get_autocommit(db->h) == 0)
		(void) sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL); /* as good as a crash */
}

static int prepare(struct db *db, sqlite3_stmt **ret, struct err *err, const char *sql,
		   const char *types, va_list ap)
{
	int code = sqlite3_prepare_v2(db->h, sql, -1, ret, NULL);

	for (int i = 1; code == SQLITE_OK && *types != '\0'; i++, types++) {
		if (*types == 's')
			code = sqlite3_bind_text(*ret, i, va_arg(ap, const char *), -1,
						 SQLITE_TRANSIENT);
		else
			code = sqlite3_bind_int64(*ret, i, va_arg(ap, int64_t));
	}
	return code == SQLITE_OK ? 0 : db_fail(db, code, err);
}

int db_run(struct db *db, struct err *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;
	int code, r;

	va_start(ap, types);
	r = prepare(db, &stmt, err, sql, types, ap);
	va_end(ap);
	if (r == 0) {
		code = sqlite3_step(stmt);
		r = code == SQLITE_DONE || code == SQLITE_ROW ? sqlite3_changes(db->h)
							      : db_fail(db, code, err);
	}
	(void) sqlite3_finalize(stmt); /* repeats the error of the step */
	return r;
}

int db_query(struct db *db, struct db_rows **ret, struct err *err, const char *sql,
	     const char *types, ...)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = calloc(1, sizeof(*rows));
	va_list ap;
	int r;

	if (rows == NULL)
		return err_set(err, -ENOMEM, "read database '%s'", db->path);
	rows->db = db;
	va_start(ap, types);
	r = prepare(db, &rows->stmt, err, sql, types, ap);
	va_end(ap);
	if (r == 0)
		*ret = take_ptr(rows);
	return r;
}

int db_next(struct db_rows *rows, struct err *err)
{
	int code = sqlite3_step(rows->stmt);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : db_fail(rows->db, code, err);
}

const char *db_text(struct db_rows *rows, int column)
{
	const unsigned char *text = sqlite3_column_text(rows->stmt, column);

	return text != NULL ? (const char *) text : "";
}

int64_t db_i64(struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

void db_rows_free(struct db_rows *rows)
{
	if (rows == NULL)
		return;
	(void) sqlite3_finalize(rows->stmt); /* repeats the error of the step */
	free(rows);
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	(void) sqlite3_close(db->h); /* a failure would mean a leaked statement */
	free(db);
}
