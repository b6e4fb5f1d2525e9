/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/registry/verbs.h"
#include "sys/exe.h"

/* The words are those that this program got; the other one reads them again */
__attribute__((used)) /* by other names */
static int become(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	char path[PATH_MAX];
	int r = exe_helper("cleave-registry", path, sizeof(path));

	(void) opts;
	(void) argc;
	(void) argv;
	if (r == 0) {
		(void) execv(path, cli->argv); /* returns on failure only */
		r = -errno;
	}
	return err_set(err, r, "execute '%s', which talks to registries", path);
}

#define BECOME(verb)                                                                             \
	int verb(struct cli *cli, void *opts, int argc, char **argv, struct err *err)            \
		__attribute__((alias("become")))

BECOME(registry_pull);
BECOME(registry_push);
BECOME(registry_login);
BECOME(registry_logout);
BECOME(registry_search);
BECOME(registry_rm);
BECOME(registry_tags);
BECOME(registry_referrers);
