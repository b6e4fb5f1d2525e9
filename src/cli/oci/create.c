/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/oci/create_options.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/create.h"

static const struct opt create_table[] = {
	CREATE_OPTIONS,
	{ "no-subreaper", 0, OPT_BOOL, CREATE_FIELD(no_subreaper), NULL,
	  "taken for compatibility, create never is one" },
	{ 0 },
};

void create_options_read(const struct create_options *o, const struct oci_cli *cli, const char *id,
			 struct oci_create_opts *ret)
{
	*ret = (struct oci_create_opts) {
		.root = cli->root,
		.id = id,
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
	};
}

static int create_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	_cleanup_(oci_created_fini) struct oci_created made = OCI_CREATED_NONE;
	struct oci_create_opts opts;

	(void) argc;
	create_options_read(data, cli, argv[0], &opts);
	opts.detached = true;
	return oci_runtime.create(&opts, &made, err);
}

OCI_VERB(verb_create) = {
	.name = "create",
	.args = "<container-id>",
	.summary = "create a container",
	.min_args = 1,
	.max_args = 1,
	.opts = create_table,
	.opts_size = sizeof(struct create_options),
	.run = create_run,
	.seal = true,
};
