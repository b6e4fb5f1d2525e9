/* SPDX-License-Identifier: MIT */
#include "cli/instance_files.h"

#include <sys/resource.h>

#include "cli/cli.h"
#include "engine/engine.h"

/* A tree is walked with a descriptor or two for every level. */
static void allow_many_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max)
		return;
	l.rlim_cur = l.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &l); /* else a deep tree is refused, with a reason */
}

int instance_files_open(struct cli *cli, const char *name, unsigned flags,
			struct instance_files *ret, struct err *err)
{
	int r;

	allow_many_files();
	r = cli_engine(cli, &ret->e, err);
	if (r == 0)
		r = eng_instance_find(ret->e, name, &ret->arena, &ret->i, err);
	if (r == 0)
		r = eng_instance_config(ret->e, &ret->i, &ret->config, err);
	return r < 0 ? r : eng_rootfs_open(ret->e, &ret->i, &ret->config, flags, &ret->fs, err);
}

void instance_files_fini(struct instance_files *f)
{
	eng_rootfs_fini(&f->fs);
	eng_config_fini(&f->config);
	arena_fini(&f->arena);
	eng_close(f->e);
}
