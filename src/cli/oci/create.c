/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/create.h"

struct create_opts {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file;
	bool no_pivot, no_new_keyring, no_subreaper;
	uint64_t preserve_fds;
};

static const struct opt create_table[] = {
	{ "bundle", 'b', OPT_STRING, offsetof(struct create_opts, bundle), "DIR", "bundle (default: current directory)" },
	{ "config", 'f', OPT_STRING, offsetof(struct create_opts, config), "FILE",
	  "configuration, relative to the bundle (default: config.json)" },
	{ "console-socket", 0, OPT_STRING, offsetof(struct create_opts, console_socket), "PATH",
	  "unix socket that receives the terminal" },
	{ "pidfd-socket", 0, OPT_STRING, offsetof(struct create_opts, pidfd_socket), "PATH",
	  "unix socket that receives a pidfd of the process" },
	{ "pid-file", 0, OPT_STRING, offsetof(struct create_opts, pid_file), "FILE", "write the pid there" },
	{ "no-pivot", 0, OPT_BOOL, offsetof(struct create_opts, no_pivot), NULL, "do not use pivot_root" },
	{ "no-new-keyring", 0, OPT_BOOL, offsetof(struct create_opts, no_new_keyring), NULL,
	  "keep the caller's session keyring" },
	{ "no-subreaper", 0, OPT_BOOL, offsetof(struct create_opts, no_subreaper), NULL,
	  "taken for compatibility, create never is one" },
	{ "preserve-fds", 0, OPT_U64, offsetof(struct create_opts, preserve_fds), "N",
	  "pass on N descriptors from 3 on" },
	{ 0 },
};

static int create_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct create_opts *o = data;
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
		.detached = true,
	};

	(void) argc;
	return oci_runtime.create(&opts, &made, err);
}

OCI_VERB(verb_create) = {
	.name = "create",
	.args = "<container-id>",
	.summary = "create a container",
	.min_args = 1,
	.max_args = 1,
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.run = create_run,
	.seal = true,
};
