/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "oci/spec.h"
#include "sys/machine.h"

#define API_VERSION "1.43" /* of Docker, whose objects inspect and --format show */

struct version_opts {
	const char *format;
};

static const struct opt version_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct version_opts, format), "FORMAT",
	  "json, or a Go template" },
	{ 0 },
};

static void add_program(struct str *s, const char *key, const struct utsname *u)
{
	json_open(s, key, '{');
	json_text(s, "Version", CLEAVE_VERSION);
	json_text(s, "ApiVersion", API_VERSION);
	json_text(s, "DefaultAPIVersion", API_VERSION);
	json_text(s, "Os", "linux");
	json_text(s, "Arch", machine_arch(u));
	json_text(s, "KernelVersion", u->release);
	json_text(s, "RuntimeSpec", OCI_SPEC_VERSION);
}

/* Client and server are one program. */
static void make_object(struct str *s, const struct utsname *u)
{
	json_open(s, NULL, '{');
	add_program(s, "Client", u);
	json_close(s, '}');
	add_program(s, "Server", u);
	json_open(s, "Components", '[');
	json_open(s, NULL, '{');
	json_text(s, "Name", "cleave-oci");
	json_text(s, "Version", CLEAVE_VERSION);
	json_close(s, '}');
	json_close(s, ']');
	json_close(s, '}');
	json_close(s, '}');
}

static int version_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	const struct version_opts *o = opts;
	struct utsname u;

	(void) cli;
	(void) argc;
	(void) argv;
	if (uname(&u) < 0)
		return err_set(err, -errno, "read the version of the kernel");
	if (o->format == NULL) {
		printf("cleave version %s\nruntime-spec: %s\nOS/Arch: linux/%s\nkernel: %s\n",
		       CLEAVE_VERSION, OCI_SPEC_VERSION, machine_arch(&u), u.release);
		return 0;
	}
	make_object(&s, &u);
	return s.failed ? err_set(err, -ENOMEM, "print")
			: listing_template(o->format, s.p, s.len, err);
}

CLI_VERB(version_verb) = {
	.name = "version",
	.args = "",
	.summary = "Print the version",
	.opts = version_table,
	.opts_size = sizeof(struct version_opts),
	.run = version_run,
};
