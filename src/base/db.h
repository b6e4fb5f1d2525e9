/* SPDX-License-Identifier: MIT */
/*
 * A small SQLite database: short transactions, many processes, nothing to administrate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_rows;
struct err;

/**
 * db_open() - open a database, creating or updating it
 * @path: borrows; its directory exists
 * @schema: SQL of version 1, of the step from 1 to 2, and so on
 * @version: number of those steps
 * @ret: returns; free with db_close()
 *
 * WAL with synchronous=NORMAL: a commit costs no fsync, a power failure loses the last commits but
 * never the file.  Waits for other writers up to DB_BUSY_MS.
 * Return: 0; -EPROTO a newer program wrote it; -EIO with SQLite's message.
 */
int db_open(const char *path, const char *const *schema, unsigned version, struct db **ret,
	    struct err *err);

/**
 * db_begin() - start a write transaction; @err names nobody but the database
 * Return: 0; -EBUSY another process did not finish in time; -EIO.
 */
int db_begin(struct db *db, struct err *err);

/** db_commit() - make it last and visible; 0 or -EIO (then it is rolled back) */
int db_commit(struct db *db, struct err *err);

/** db_rollback() - forget it; does nothing outside of a transaction */
void db_rollback(struct db *db);

/**
 * db_run() - one statement that returns no rows
 * @types: a letter per "?" of @sql: s = const char * (NULL is NULL), i = int64_t
 * Return: rows changed; -EEXIST a UNIQUE constraint; -EBUSY; -EIO.
 */
int db_run(struct db *db, struct err *err, const char *sql, const char *types, ...);

/**
 * db_query() - a statement that returns rows; parameters as db_run()
 * @ret: returns; free with db_rows_free()
 * Return: 0; -EBUSY; -EIO with a message.
 */
int db_query(struct db *db, struct db_rows **ret, struct err *err, const char *sql,
	     const char *types, ...);

/** db_next() - 1 there is a row; 0 no more; -EBUSY; -EIO with a message */
int db_next(struct db_rows *rows, struct err *err);

/** db_text() - column of the row as text, "" for NULL; valid until db_next() */
const char *db_text(struct db_rows *rows, int column);

/** db_i64() - column of the row as number, 0 for NULL */
int64_t db_i64(struct db_rows *rows, int column);

/** db_rows_free() - release; NULL is fine */
void db_rows_free(struct db_rows *rows);

/** db_close() - release; NULL is fine; an open transaction is rolled back */
void db_close(struct db *db);

static inline void db_closep(struct db **db)
{
	db_close(*db);
}

static inline void db_rows_freep(struct db_rows **rows)
{
	db_rows_free(*rows);
}
