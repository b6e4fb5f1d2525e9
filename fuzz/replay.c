/* SPDX-License-Identifier: MIT */
/**
 * DOC: running a fuzz target over its corpus
 *
 * Stands in for libFuzzer's main() where the target is built without it, so that every unit test run
 * replays all inputs that once mattered.  Each input is copied to a block of exactly its size, so that
 * the address sanitizer sees a read behind its end.
 *
 * usage: replay_NAME FILE-OR-DIRECTORY...
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"

#define INPUT_MAX ((size_t) 16 << 20) /* bytes */

static int replay_file(const char *path)
{
	_cleanup_(str_fini) struct str text = { 0 };
	_cleanup_free_ uint8_t *copy = NULL;
	int r = file_read(AT_FDCWD, path, INPUT_MAX, &text);

	if (r < 0) {
		(void) fprintf(stderr, "replay: read '%s': %s\n", path, strerror(-r));
		return r;
	}
	copy = malloc(text.len > 0 ? text.len : 1);
	if (copy == NULL)
		return -ENOMEM;
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	(void) printf("%s\n", path); /* the last line names the input that crashed */
	(void) fflush(stdout);
	(void) LLVMFuzzerTestOneInput(copy, text.len); /* always 0 */
	return 0;
}

/* Return: inputs replayed; -errno */
static int replay_path(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	char file[PATH_MAX];
	struct dirent *e;
	int n = 0, r;

	if (dir == NULL) {
		r = replay_file(path);
		return r < 0 ? r : 1;
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, e->d_name) >= (int) sizeof(file))
			return -ENAMETOOLONG;
		r = replay_file(file);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		int r = replay_path(argv[i]);

		if (r < 0)
			return EXIT_FAILURE;
		n += r;
	}
	if (n == 0) {
		(void) fprintf(stderr, "replay: no input; usage: %s FILE-OR-DIRECTORY...\n", argv[0]);
		return EXIT_FAILURE;
	}
	(void) printf("%d inputs\n", n);
	return EXIT_SUCCESS;
}
