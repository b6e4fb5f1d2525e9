/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"

static const char *const schema[] = {
	"CREATE TABLE t(name TEXT PRIMARY KEY, n INTEGER);",
	"ALTER TABLE t ADD COLUMN extra TEXT;",
};

static void in_temp(char path[64])
{
	char dir[] = "/tmp/cleave-db.XXXXXX";

	assert_non_null(mkdtemp(dir));
	(void) snprintf(path, 64, "%s/db", dir);
}

static void drop(char path[64])
{
	*strrchr(path, '/') = '\0';
	assert_int_equal(dir_remove(AT_FDCWD, path), 0);
}

static int64_t count(struct db *db)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;

	assert_int_equal(db_query(db, &rows, NULL, "SELECT count(*) FROM t", ""), 0);
	assert_int_equal(db_next(rows, NULL), 1);
	return db_i64(rows, 0);
}

static void versions(void **state)
{
	_cleanup_(db_closep) struct db *one = NULL, *two = NULL, *three = NULL;
	struct err err = { 0 };
	char path[64];

	(void) state;
	in_temp(path);
	assert_int_equal(db_open(path, schema, 1, &one, NULL), 0);
	assert_int_equal(db_run(one, NULL, "INSERT INTO t VALUES(?, ?)", "si", "a", (int64_t) 5),
			 1);
	assert_int_equal(db_open(path, schema, 2, &two, NULL), 0);
	assert_int_equal(db_run(two, NULL, "UPDATE t SET extra = ? WHERE name = ?", "ss", NULL,
				"a"),
			 1);
	assert_int_equal(db_open(path, schema, 1, &three, &err), -EPROTO);
	assert_non_null(strstr(err.text, "use a newer program"));
	drop(path);
}

/* One command after the other, each the only one: what all of them have to read stays short. */
static void log_stays_short(void **state)
{
	char path[64], log[80];
	struct stat st;

	(void) state;
	in_temp(path);
	(void) snprintf(log, sizeof(log), "%s-wal", path);
	for (int64_t i = 0; i < 500; i++) {
		_cleanup_(db_closep) struct db *db = NULL;

		assert_int_equal(db_open(path, schema, 2, &db, NULL), 0);
		assert_int_equal(db_run(db, NULL, "INSERT INTO t(name, n) VALUES(?1, ?1)", "i", i),
				 1);
		assert_int_equal(stat(log, &st), 0);
		assert_true(st.st_size < 300 * 1024);
		assert_int_equal(count(db), i + 1);
	}
	drop(path);
}

static void transactions(void **state)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct err err = { 0 };
	char path[64];

	(void) state;
	in_temp(path);
	assert_int_equal(db_open(path, schema, 2, &db, NULL), 0);
	assert_int_equal(db_begin(db, NULL), 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO t(name) VALUES('a')", ""), 1);
	db_rollback(db);
	assert_int_equal(count(db), 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO t(name) VALUES('a')", ""), 1);
	assert_int_equal(db_run(db, &err, "INSERT INTO t(name) VALUES('a')", ""), -EEXIST);
	assert_non_null(strstr(err.text, "UNIQUE"));
	assert_int_equal(db_run(db, NULL, "no sql", ""), -EIO);
	assert_int_equal(count(db), 1);
	drop(path);
}

/* Processes that are killed in the middle leave whole transactions and no lock. */
static void killed(void **state)
{
	_cleanup_(db_closep) struct db *db = NULL;
	char path[64];

	(void) state;
	in_temp(path);
	for (unsigned i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct db *mine = NULL;

			if (db_open(path, schema, 2, &mine, NULL) < 0)
				_exit(1);
			for (;;)
				if (db_begin(mine, NULL) < 0 ||
				    db_run(mine, NULL,
					   "INSERT INTO t(name) VALUES(hex(randomblob(16)))",
					   "") < 0 ||
				    db_run(mine, NULL,
					   "INSERT INTO t(name) VALUES(hex(randomblob(16)))",
					   "") < 0 ||
				    db_commit(mine, NULL) < 0)
					_exit(1);
		}
		assert_true(pid > 0);
		(void) usleep(10000 + 3000 * i);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	assert_int_equal(db_open(path, schema, 2, &db, NULL), 0);
	assert_true(count(db) > 0 && count(db) % 2 == 0);
	drop(path);
}

/* Processes that find no database at the same time make one together. */
static void made_by_many(void **state)
{
	(void) state;
	for (unsigned round = 0; round < 20; round++) {
		char path[64];
		int start[2], status;
		pid_t pid[4];

		in_temp(path);
		assert_int_equal(pipe(start), 0);
		for (unsigned i = 0; i < ARRAY_LEN(pid); i++) {
			pid[i] = fork();
			if (pid[i] == 0) {
				struct db *db = NULL;
				char c;

				(void) close(start[1]);
				(void) !read(start[0], &c, 1); /* its end starts all */
				_exit(db_open(path, schema, 2, &db, NULL) < 0);
			}
			assert_true(pid[i] > 0);
		}
		(void) close(start[0]);
		(void) close(start[1]);
		for (unsigned i = 0; i < ARRAY_LEN(pid); i++) {
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			assert_int_equal(status, 0);
		}
		drop(path);
	}
}

static void hashes(void **state)
{
	char hex[SHA256_HEX_LEN + 1];
	struct sha256 s;

	(void) state;
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_hex("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_init(&s);
	for (int i = 0; i < 1000000; i += 8)
		sha256_update(&s, "aaaaaaaa", 8);
	sha256_final_hex(&s, hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void times(void **state)
{
	char text[TIME_TEXT_MAX];

	(void) state;
	time_rfc3339(1600000000123456789, text);
	assert_string_equal(text, "2020-09-13T12:26:40.123456789Z");
	time_span(500000000, text);
	assert_string_equal(text, "Less than a second");
	time_span(1000000000, text);
	assert_string_equal(text, "1 second");
	time_span(59000000000, text);
	assert_string_equal(text, "59 seconds");
	time_span(60000000000, text);
	assert_string_equal(text, "About a minute");
	time_span(5399000000000, text);
	assert_string_equal(text, "About an hour");
	time_span(5400000000000, text); /* hours are rounded, as Docker does */
	assert_string_equal(text, "2 hours");
	time_span(7200000000000, text);
	assert_string_equal(text, "2 hours");
	assert_int_equal(setenv("TZ", "CET-1", 1), 0);
	tzset(); /* localtime_r() reads it once */
	time_local(1600000000123456789, text);
	assert_string_equal(text, "2020-09-13 13:26:40 +0100 CET");
	time_span(INT64_MAX, text);
	assert_string_equal(text, "292 years");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions), cmocka_unit_test(log_stays_short),
		cmocka_unit_test(transactions), cmocka_unit_test(killed), cmocka_unit_test(made_by_many),
		cmocka_unit_test(hashes),   cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
