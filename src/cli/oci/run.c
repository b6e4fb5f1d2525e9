/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/foreground.h"
#include "oci/lifecycle.h"
#include "sys/proc.h"

struct run_opts {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file;
	bool detach, keep, no_subreaper, no_pivot, no_new_keyring;
	uint64_t preserve_fds;
};

static const struct opt run_table[] = {
	{ "bundle", 'b', OPT_STRING, offsetof(struct run_opts, bundle), "DIR", "bundle (default: current directory)" },
	{ "config", 'f', OPT_STRING, offsetof(struct run_opts, config), "FILE",
	  "configuration, relative to the bundle (default: config.json)" },
	{ "console-socket", 0, OPT_STRING, offsetof(struct run_opts, console_socket), "PATH",
	  "unix socket that receives the terminal" },
	{ "pidfd-socket", 0, OPT_STRING, offsetof(struct run_opts, pidfd_socket), "PATH",
	  "unix socket that receives a pidfd of the process" },
	{ "pid-file", 0, OPT_STRING, offsetof(struct run_opts, pid_file), "FILE", "write the pid there" },
	{ "detach", 'd', OPT_BOOL, offsetof(struct run_opts, detach), NULL, "return once the program runs" },
	{ "keep", 0, OPT_BOOL, offsetof(struct run_opts, keep), NULL, "do not delete the container when it ends" },
	{ "no-subreaper", 0, OPT_BOOL, offsetof(struct run_opts, no_subreaper), NULL,
	  "do not reap orphans of the container" },
	{ "no-pivot", 0, OPT_BOOL, offsetof(struct run_opts, no_pivot), NULL, "do not use pivot_root" },
	{ "no-new-keyring", 0, OPT_BOOL, offsetof(struct run_opts, no_new_keyring), NULL,
	  "keep the caller's session keyring" },
	{ "preserve-fds", 0, OPT_U64, offsetof(struct run_opts, preserve_fds), "N",
	  "pass on N descriptors from 3 on" },
	{ 0 },
};

static int run_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct run_opts *o = data;
	_cleanup_(oci_created_fini) struct oci_created made = OCI_CREATED_NONE;
	const struct oci_create_opts opts = {
		.root = cli->root,
		.id = argv[0],
		.bundle = o->bundle != NULL ? o->bundle : ".",
		.config_file = o->config,
		.notify_socket = getenv("NOTIFY_SOCKET"),
		.console_socket = o->console_socket,
		.pidfd_socket = o->pidfd_socket,
		.pid_file = o->pid_file,
		.preserve_fds = (unsigned) o->preserve_fds,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.systemd_cgroup = cli->systemd_cgroup,
		.no_cgroup = cli->no_cgroup,
		.detached = o->detach,
		.start = true,
	};
	sigset_t old;
	int status = 0, r, q;

	(void) argc;
	if (!o->detach) {
		oci_foreground_block(&old);
		if (!o->no_subreaper)
			(void) prctl(PR_SET_CHILD_SUBREAPER, 1); /* without it orphans go to init */
	}
	r = oci_runtime.create(&opts, &made, err);
	if (r < 0 || o->detach)
		return r;
	r = oci_foreground_wait(made.pid, made.pidfd, made.master, &status, err);
	if (!o->keep) {
		struct err late = { 0 };

		q = oci_delete(made.container, true, &late);
		if (q < 0)
			log_error("delete container '%s': %s", argv[0], late.text);
	}
	return r < 0 ? r : proc_exit_code(status);
}

OCI_VERB(verb_run) = {
	.name = "run",
	.args = "<container-id>",
	.summary = "create and run a container",
	.min_args = 1,
	.max_args = 1,
	.opts = run_table,
	.opts_size = sizeof(struct run_opts),
	.run = run_run,
	.seal = true,
};
