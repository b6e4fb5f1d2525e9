/* SPDX-License-Identifier: MIT */
#include "oci/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/foreground.h"
#include "sys/cap.h"
#include "sys/proc.h"

struct exec_opts {
	const char *console_socket, *pidfd_socket, *cwd, *user, *process, *pid_file, *process_label, *apparmor;
	struct opt_strings env, gids, caps, cgroups;
	bool tty, detach, no_new_privs, ignore_paused;
	uint64_t preserve_fds;
};

static const struct opt exec_table[] = {
	{ "console-socket", 0, OPT_STRING, offsetof(struct exec_opts, console_socket), "PATH",
	  "unix socket that receives the terminal" },
	{ "pidfd-socket", 0, OPT_STRING, offsetof(struct exec_opts, pidfd_socket), "PATH",
	  "unix socket that receives a pidfd of the process" },
	{ "cwd", 0, OPT_STRING, offsetof(struct exec_opts, cwd), "DIR", "working directory in the container" },
	{ "env", 'e', OPT_STRINGS, offsetof(struct exec_opts, env), "NAME=VALUE", "environment variable" },
	{ "tty", 't', OPT_BOOL, offsetof(struct exec_opts, tty), NULL, "allocate a terminal" },
	{ "user", 'u', OPT_STRING, offsetof(struct exec_opts, user), "UID[:GID]", "run as this user" },
	{ "additional-gids", 'g', OPT_STRINGS, offsetof(struct exec_opts, gids), "GID", "additional group" },
	{ "process", 'p', OPT_STRING, offsetof(struct exec_opts, process), "FILE", "process object (JSON) to run" },
	{ "detach", 'd', OPT_BOOL, offsetof(struct exec_opts, detach), NULL, "return once the program runs" },
	{ "pid-file", 0, OPT_STRING, offsetof(struct exec_opts, pid_file), "FILE", "write the pid there" },
	{ "process-label", 0, OPT_STRING, offsetof(struct exec_opts, process_label), "LABEL", "SELinux label" },
	{ "apparmor", 0, OPT_STRING, offsetof(struct exec_opts, apparmor), "PROFILE", "AppArmor profile" },
	{ "no-new-privs", 0, OPT_BOOL, offsetof(struct exec_opts, no_new_privs), NULL, "set no_new_privs" },
	{ "cap", 'c', OPT_STRINGS, offsetof(struct exec_opts, caps), "CAP", "add a capability" },
	{ "preserve-fds", 0, OPT_U64, offsetof(struct exec_opts, preserve_fds), "N",
	  "pass on N descriptors from 3 on" },
	{ "cgroup", 0, OPT_STRINGS, offsetof(struct exec_opts, cgroups), "[CTRL:]PATH",
	  "run in this cgroup below the container's" },
	{ "ignore-paused", 0, OPT_BOOL, offsetof(struct exec_opts, ignore_paused), NULL,
	  "also in a paused container" },
	{ 0 },
};

static int set_user(const char *text, struct oci_process *p, struct err *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *gid;
	uint64_t n;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "--user");
	gid = strchr(copy, ':');
	if (gid != NULL)
		*gid++ = '\0';
	if (str_to_u64(copy, &n) < 0 || n > UINT32_MAX)
		return err_msg(err, -EINVAL, "parsing %s as int for uid failed", copy);
	p->uid = (uint32_t) n;
	if (gid == NULL)
		return 0;
	if (str_to_u64(gid, &n) < 0 || n > UINT32_MAX)
		return err_msg(err, -EINVAL, "parsing %s as int for gid failed", gid);
	p->gid = (uint32_t) n;
	return 0;
}

static int add_gids(const struct opt_strings *list, struct arena *a, struct oci_process *p, struct err *err)
{
	uint32_t *gids = arena_alloc(a, p->nr_additional_gids + list->n, sizeof(*gids));

	if (list->n == 0)
		return 0;
	if (gids == NULL)
		return err_set(err, -ENOMEM, "--additional-gids");
	if (p->nr_additional_gids != 0)
		memcpy(gids, p->additional_gids, p->nr_additional_gids * sizeof(*gids));
	for (size_t i = 0; i < list->n; i++) {
		uint64_t n;

		if (str_to_u64(list->v[i], &n) < 0 || n > UINT32_MAX)
			return err_msg(err, -EINVAL, "--additional-gids: '%s' is not a group id", list->v[i]);
		gids[p->nr_additional_gids++] = (uint32_t) n;
	}
	p->additional_gids = gids;
	return 0;
}

/* A later value of a variable replaces the earlier one. */
static int add_env(const struct opt_strings *list, struct arena *a, struct oci_process *p, struct err *err)
{
	char **env = arena_alloc(a, p->env.n + list->n + 1, sizeof(*env));
	size_t n = p->env.n;

	if (env == NULL)
		return err_set(err, -ENOMEM, "--env");
	if (n != 0)
		memcpy(env, p->env.v, n * sizeof(*env));
	for (size_t i = 0; i < list->n; i++) {
		const char *eq = strchr(list->v[i], '=');
		size_t len = eq != NULL ? (size_t) (eq - list->v[i]) + 1 : 0, k;

		if (len < 2)
			return err_msg(err, -EINVAL, "--env: '%s' is not of the form NAME=VALUE", list->v[i]);
		for (k = 0; k < n && strncmp(env[k], list->v[i], len) != 0; k++)
			;
		env[k] = (char *) list->v[i];
		n += k == n;
	}
	p->env = (struct oci_strv){ .v = env, .n = n };
	return 0;
}

static int add_caps(const struct opt_strings *list, struct arena *a, struct oci_process *p, struct err *err)
{
	struct oci_caps *caps;

	if (list->n == 0)
		return 0;
	caps = arena_alloc(a, 1, sizeof(*caps));
	if (caps == NULL)
		return err_set(err, -ENOMEM, "--cap");
	if (p->caps != NULL)
		*caps = *p->caps;
	for (size_t i = 0; i < list->n; i++) {
		int cap = cap_from_name(list->v[i]);

		if (cap < 0)
			return err_msg(err, -EINVAL, "--cap: unknown capability '%s'", list->v[i]);
		caps->bounding |= UINT64_C(1) << cap;
		caps->effective |= UINT64_C(1) << cap;
		caps->permitted |= UINT64_C(1) << cap;
		if (caps->inheritable != 0) /* the configuration asks for more than exec by root gives */
			caps->ambient |= UINT64_C(1) << cap;
	}
	p->caps = caps;
	return 0;
}

static int read_process(const char *path, struct oci_spec *spec, struct oci_process *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = file_read(AT_FDCWD, path, OCI_SPEC_SIZE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	return oci_process_parse(spec, path, text.p, text.len, ret, err);
}

static int build_process(const struct exec_opts *o, struct oci_spec *spec, int argc, char **argv,
			 struct oci_process *ret, struct err *err)
{
	struct oci_process p = spec->process;
	int r = 0;

	if (o->process != NULL) {
		r = read_process(o->process, spec, &p, err);
		if (r < 0)
			return r;
		p.terminal = p.terminal || o->tty;
		*ret = p;
		return 0;
	}
	if (argc == 0)
		return err_msg(err, -EINVAL, "process args cannot be empty");
	p.args = (struct oci_strv){ .v = argv, .n = (size_t) argc };
	p.terminal = o->tty;
	p.no_new_privileges = p.no_new_privileges || o->no_new_privs;
	if (o->cwd != NULL)
		p.cwd = (char *) o->cwd;
	if (o->apparmor != NULL)
		p.apparmor_profile = (char *) o->apparmor;
	if (o->process_label != NULL)
		p.selinux_label = (char *) o->process_label;
	if (p.cwd[0] != '/')
		return err_msg(err, -EINVAL, "--cwd: '%s' is not an absolute path", p.cwd);
	if (o->user != NULL)
		r = set_user(o->user, &p, err);
	if (r == 0)
		r = add_gids(&o->gids, &spec->arena, &p, err);
	if (r == 0)
		r = add_env(&o->env, &spec->arena, &p, err);
	if (r == 0)
		r = add_caps(&o->caps, &spec->arena, &p, err);
	if (r == 0)
		*ret = p;
	return r;
}

static int check_status(struct oci_container *c, const struct exec_opts *o, struct err *err)
{
	switch (oci_container_status(c)) {
	case OCI_STATUS_STOPPED:
	case OCI_STATUS_CREATING:
		return err_msg(err, -ESRCH, "cannot exec in a stopped container");
	case OCI_STATUS_PAUSED:
		if (!o->ignore_paused)
			return err_msg(err, -EBUSY, "cannot exec in a paused container (use --ignore-paused "
						    "to override)");
		break;
	case OCI_STATUS_CREATED:
	case OCI_STATUS_RUNNING:
		break;
	}
	return 0;
}

static int exec_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct exec_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct oci_process process;
	struct oci_executed done = { .pidfd = -EBADF, .master = -EBADF };
	struct oci_exec_opts opts = {
		.process = &process,
		.console_socket = o->console_socket,
		.pidfd_socket = o->pidfd_socket,
		.pid_file = o->pid_file,
		.cgroups = o->cgroups.v,
		.nr_cgroups = o->cgroups.n,
		.preserve_fds = (unsigned) o->preserve_fds,
	};
	int status = 0, r = oci_container_open(cli->root, argv[0], &c, err);
	sigset_t old;

	if (r == 0)
		r = oci_container_spec(c, err);
	if (r == 0)
		r = check_status(c, o, err);
	if (r == 0)
		r = build_process(o, c->spec, argc - 1, argv + 1, &process, err);
	if (r < 0)
		return r;
	if (process.terminal && o->detach && o->console_socket == NULL)
		return err_msg(err, -EINVAL, "cannot allocate tty if runc will detach without setting console "
					     "socket");
	if (!o->detach)
		oci_foreground_block(&old);
	r = oci_runtime.exec(c, &opts, &done, err);
	if (r == 0 && !o->detach)
		r = oci_foreground_wait(done.pid, done.pidfd, done.master, &status, err);
	if (done.pidfd >= 0)
		(void) close(done.pidfd);
	if (done.master >= 0)
		(void) close(done.master);
	return r < 0 ? r : proc_exit_code(status);
}

OCI_VERB(verb_exec) = {
	.name = "exec",
	.args = "<container-id> <command> [command options]",
	.summary = "run another program in a container",
	.min_args = 1,
	.max_args = -1,
	.opts = exec_table,
	.opts_size = sizeof(struct exec_opts),
	.run = exec_run,
	.seal = true,
	.fail_status = 255,
};
