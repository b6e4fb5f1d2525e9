/* SPDX-License-Identifier: MIT */
#include "oci/features.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/oci/verb.h"

static int features_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };

	(void) cli;
	(void) data;
	(void) argc;
	(void) argv;
	oci_features(&s);
	if (s.failed || puts(s.p) < 0)
		return err_set(err, -EIO, "print the features");
	return 0;
}

OCI_VERB(verb_features) = {
	.name = "features",
	.args = "",
	.summary = "print what this runtime supports (JSON)",
	.run = features_run,
};
