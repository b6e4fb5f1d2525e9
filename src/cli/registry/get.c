/* SPDX-License-Identifier: MIT */
#include "cli/registry/get.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <unistd.h>

#include "base/err.h"
#include "engine/engine.h"
#include "sys/exe.h"
#include "sys/proc.h"

int registry_get(struct engine *e, const char *name, const char *platform, bool quiet, struct err *err)
{
	const char *words[12] = { "cleave", "--root", e->root, "--runroot", e->runroot, "pull" };
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX];
	size_t n = 6;
	pid_t pid = -1;
	int r = exe_helper("cleave-registry", path, sizeof(path));

	if (r < 0)
		return err_set(err, r, "execute '%s', which gets images", path);
	if (quiet)
		words[n++] = "--quiet";
	if (platform != NULL) {
		words[n++] = "--platform";
		words[n++] = platform;
	}
	words[n++] = "--";
	words[n] = name;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, -ENOMEM, "execute '%s'", path);
	r = quiet ? posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
		  : posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(&pid, path, &actions, NULL, (char **) (uintptr_t) words, environ);
	(void) posix_spawn_file_actions_destroy(&actions); /* never fails */
	if (r != 0)
		return err_set(err, -r, "execute '%s'", path);
	r = proc_wait(pid);
	return r == 0 ? 0 : r < 0 ? err_set(err, r, "wait for '%s'", path) : err_msg(err, -EREMOTE, "%s", "");
}
