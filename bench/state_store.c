/* SPDX-License-Identifier: MIT */
/*
 * What keeping the state of instances costs: SQLite as src/base/db.c uses it, and a directory per
 * instance.  Both do what one `cleave run --rm` needs: make a record with a unique name, change it once,
 * remove it; each run in a process of its own.
 *
 *   state_store DIR LIVES PARALLEL ROWS
 *
 * Prints the rate of such lives with PARALLEL processes at a time, and how long a list of ROWS records takes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"

static const char *const schema[] = {
	"CREATE TABLE instance(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL,"
	" image TEXT NOT NULL, command TEXT NOT NULL, created INTEGER, started INTEGER) WITHOUT ROWID;",
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double) ts.tv_sec * 1e3 + (double) ts.tv_nsec / 1e6;
}

static struct db *open_db(void)
{
	struct db *db = NULL;
	struct err err = { 0 };

	if (db_open("state.db", schema, 1, &db, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return db;
}

static void sql_insert(struct db *db, const char *id)
{
	if (db_run(db, NULL,
		   "INSERT INTO instance VALUES(?, ?, 'running', 'cleave/tiny', 'true', 1, 0)",
		   "ss", id, id + 40) < 0)
		fail("insert");
}

static void sql_life(const char *id)
{
	struct db *db = open_db();

	sql_insert(db, id);
	if (db_run(db, NULL, "UPDATE instance SET started = 2 WHERE id = ?", "s", id) < 0 ||
	    db_run(db, NULL, "DELETE FROM instance WHERE id = ?", "s", id) < 0)
		fail("update");
	db_close(db);
}

static int sql_list(void)
{
	struct db *db = open_db();
	struct db_rows *rows = NULL;
	int n = 0;

	if (db_query(db, &rows, NULL, "SELECT * FROM instance ORDER BY created DESC", "") < 0)
		fail("select");
	while (db_next(rows, NULL) == 1)
		n += db_text(rows, 1)[0] != '\0';
	db_rows_free(rows);
	db_close(db);
	return n;
}

static void dir_write(const char *id, const char *state)
{
	char text[256];
	int n = snprintf(
		text, sizeof(text),
		"{\"id\":\"%s\",\"name\":\"%s\",\"state\":\"%s\",\"image\":\"cleave/tiny\",\"command\":\"true\"}",
		id, id + 40, state);
	int fd = open(id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || file_replace(fd, "state.json", text, (size_t) n, 0600) < 0)
		fail("write");
	(void) close(fd);
}

/* A symbolic link is made or not: it reserves the name. */
static void dir_insert(const char *id)
{
	char name[128];

	(void) snprintf(name, sizeof(name), "names/%s", id + 40);
	if (symlink(id, name) < 0 || mkdir(id, 0700) < 0)
		fail("mkdir");
	dir_write(id, "created");
}

static void dir_life(const char *id)
{
	char path[128];

	dir_insert(id);
	dir_write(id, "running");
	(void) snprintf(path, sizeof(path), "%s/state.json", id);
	if (unlink(path) < 0 || rmdir(id) < 0)
		fail("rmdir");
	(void) snprintf(path, sizeof(path), "names/%s", id + 40);
	if (unlink(path) < 0)
		fail("unlink");
}

static int dir_list(void)
{
	DIR *d = opendir(".");
	struct dirent *e;
	char text[512], path[300];
	int n = 0;

	if (d == NULL)
		fail("opendir");
	while ((e = readdir(d)) != NULL) {
		int fd;

		if (strlen(e->d_name) != 64)
			continue;
		(void) snprintf(path, sizeof(path), "%s/state.json", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n += fd >= 0 && read(fd, text, sizeof(text)) > 0;
		(void) close(fd);
	}
	(void) closedir(d);
	return n;
}

static void make_id(char id[65], int i)
{
	(void) snprintf(id, 65, "%040d%024x", i, (unsigned) i * 2654435761u);
}

static void lives(const char *what, void (*life)(const char *id), int n, int parallel)
{
	double start = now_ms();
	int running = 0, status;

	for (int i = 0; i < n || running > 0;) {
		if (i < n && running < parallel) {
			pid_t pid = fork();

			if (pid == 0) {
				char id[65];

				make_id(id, i);
				life(id);
				_exit(0);
			}
			if (pid < 0)
				fail("fork");
			running++;
			i++;
			continue;
		}
		if (wait(&status) < 0 || status != 0)
			fail("wait");
		running--;
	}
	double ms = now_ms() - start;
	printf("%-10s %2d at a time  %7.3f ms per life  %7.0f lives per second\n", what, parallel,
	       ms / n, n / ms * 1e3);
}

static void nothing(const char *id)
{
	(void) id;
}

static void list(const char *what, int (*read_all)(void))
{
	double best = 1e9;
	int n = 0;

	for (int i = 0; i < 20; i++) {
		double start = now_ms();

		n = read_all();
		double ms = now_ms() - start;
		best = ms < best ? ms : best;
	}
	printf("%-10s list of %d records %7.3f ms\n", what, n, best);
}

static int number(const char *text)
{
	return (int) strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
	char id[65];

	if (argc != 5 || chdir(argv[1]) < 0 || (mkdir("names", 0700) < 0 && errno != EEXIST)) {
		fprintf(stderr, "usage: state_store DIR LIVES PARALLEL ROWS\n");
		return 1;
	}
	db_close(open_db());
	setvbuf(stdout, NULL, _IOLBF, 0);
	lives("fork alone", nothing, number(argv[2]), number(argv[3]));
	lives("sqlite", sql_life, number(argv[2]), number(argv[3]));
	lives("directory", dir_life, number(argv[2]), number(argv[3]));
	struct db *db = open_db();
	if (db_begin(db, NULL) < 0)
		fail("begin");
	for (int i = 0; i < number(argv[4]); i++) {
		make_id(id, i);
		sql_insert(db, id);
		dir_insert(id);
	}
	if (db_commit(db, NULL) < 0)
		fail("commit");
	db_close(db);
	list("sqlite", sql_list);
	list("directory", dir_list);
	return 0;
}
