/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/oci/create_options.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/foreground.h"
#include "oci/lifecycle.h"
#include "sys/proc.h"

static const struct opt run_table[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', OPT_BOOL, CREATE_FIELD(detach), NULL, "return once the program runs" },
	{ "keep", 0, OPT_BOOL, CREATE_FIELD(keep), NULL, "do not delete the container when it ends" },
	{ "no-subreaper", 0, OPT_BOOL, CREATE_FIELD(no_subreaper), NULL,
	  "do not reap orphans of the container" },
	{ 0 },
};

static int run_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct create_options *o = data;
	_cleanup_(oci_created_fini) struct oci_created made = OCI_CREATED_NONE;
	struct oci_create_opts opts;
	sigset_t old;
	int status = 0, r, q;

	(void) argc;
	create_options_read(o, cli, argv[0], &opts);
	opts.detached = o->detach;
	opts.start = true;
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
	.opts_size = sizeof(struct create_options),
	.run = run_run,
	.seal = true,
};
