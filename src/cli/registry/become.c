/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/registry/verbs.h"
#include "sys/exe.h"

static int become(struct cli *cli, struct err *err)
{
	char path[PATH_MAX];
	int r = exe_helper("cleave-registry", path, sizeof(path));

	if (r == 0) {
		(void) execv(path, cli->argv); /* returns on failure only */
		r = -errno;
	}
	return err_set(err, r, "execute '%s', which talks to registries", path);
}

int registry_pull(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	(void) argv;
	return become(cli, err);
}

int registry_push(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	(void) argv;
	return become(cli, err);
}

int registry_login(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	(void) argv;
	return become(cli, err);
}

int registry_logout(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	(void) argv;
	return become(cli, err);
}

int registry_search(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	(void) argv;
	return become(cli, err);
}
