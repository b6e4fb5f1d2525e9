/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/format/table.h"
#include "cli/volume_print.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct prune_opts {
	bool all, force;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct prune_opts, all), NULL,
	  "also volumes that have a name" },
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE",
	  "only those that match, e.g. label=a" },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ 0 },
};

/* Does not follow links.  What cannot be read counts as nothing. */
static int64_t tree_size(int dirfd, const char *name, int depth)
{
	struct stat st;
	struct dirent *d;
	int64_t sum;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	sum = (int64_t) st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth > 256)
		return sum;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			sum += tree_size(fd, d->d_name, depth + 1);
	return sum;
}

static bool confirmed(bool all)
{
	int c;

	fprintf(stderr,
		"WARNING! This will remove %s volumes not used by at least one instance.\n"
		"Are you sure you want to continue? [y/N] ",
		all ? "all" : "anonymous local");
	c = getchar();
	return c == 'y' || c == 'Y';
}

static int prune(struct engine *e, const struct prune_opts *o, int64_t *ret_size, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_volume *list = NULL;
	int r = eng_instance_reconcile(e, err), n = r < 0 ? r : eng_volume_list(e, &a, &list, err);
	bool first = true;

	for (int i = 0; i < n; i++) {
		int64_t size;

		if (list[i].users > 0 || (!o->all && !list[i].anonymous))
			continue;
		r = volume_matches(&list[i], &o->filter, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		size = tree_size(AT_FDCWD, eng_volume_path(e, list[i].name, &a), 0);
		r = eng_volume_remove(e, list[i].name, err);
		if (r == -EBUSY || r == -ENOENT)
			continue; /* somebody was quicker */
		if (r < 0)
			return r;
		printf("%s%s\n", first ? "Deleted Volumes:\n" : "", list[i].name);
		first = false;
		*ret_size += size;
	}
	if (!first)
		puts("");
	return n < 0 ? n : 0;
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int64_t size = 0;
	char text[32];
	int r;

	(void) argc;
	(void) argv;
	if (!o->force && !confirmed(o->all))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = prune(e, o, &size, err);
	if (r < 0)
		return r;
	cli_size(size, text);
	printf("Total reclaimed space: %s\n", text);
	return 0;
}

CLI_VERB(volume_prune_verb) = {
	.name = "volume prune",
	.args = "",
	.summary = "Remove volumes that no instance uses",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
