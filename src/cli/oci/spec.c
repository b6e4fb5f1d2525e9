/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/oci/verb.h"
#include "oci/spec_default.h"

struct spec_opts {
	const char *bundle;
	bool rootless;
};

static const struct opt spec_table[] = {
	{ "bundle", 'b', OPT_STRING, offsetof(struct spec_opts, bundle), "DIR",
	  "where config.json is written (default: current directory)" },
	{ "rootless", 0, OPT_BOOL, offsetof(struct spec_opts, rootless), NULL,
	  "for a container without root privileges" },
	{ 0 },
};

static int spec_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct spec_opts *o = data;
	const char *dir = o->bundle != NULL ? o->bundle : ".";
	_cleanup_(str_fini) struct str s = { 0 };
	int r;

	(void) cli;
	(void) argc;
	(void) argv;
	_cleanup_close_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, -errno, "open the bundle '%s'", dir);
	if (faccessat(dir_fd, "config.json", F_OK, 0) == 0)
		return err_msg(err, -EEXIST, "file config.json exists. Remove it first");
	oci_spec_default(o->rootless, &s);
	if (s.failed)
		return err_set(err, -ENOMEM, "write config.json");
	r = file_replace(dir_fd, "config.json", s.p, s.len, 0644);
	return r < 0 ? err_set(err, r, "write '%s/config.json'", dir) : 0;
}

OCI_VERB(verb_spec) = {
	.name = "spec",
	.args = "",
	.summary = "write a config.json to start from",
	.opts = spec_table,
	.opts_size = sizeof(struct spec_opts),
	.run = spec_run,
};
