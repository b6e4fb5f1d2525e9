/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/format/table.h"
#include "engine/engine.h"
#include "engine/info.h"

struct info_opts {
	const char *format;
};

static const struct opt info_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct info_opts, format), "FORMAT",
	  "json, or a Go template" },
	{ 0 },
};

static void print(const struct eng_info *i)
{
	char memory[32];

	cli_size_binary((int64_t) i->memory_bytes, memory);
	printf("Containers: %zu\n Running: %zu\n Paused: %zu\n Stopped: %zu\nImages: %zu\n",
	       i->instances, i->running, i->paused, i->instances - i->running - i->paused,
	       i->images);
	printf("Server Version: %s\nStorage Driver: overlay\n Backing Filesystem: %s\n",
	       CLEAVE_VERSION, i->filesystem);
	printf("Logging Driver: json-file\nCgroup Driver: cgroupfs\nCgroup Version: %d\n",
	       i->cgroup_version);
	printf("Plugins:\n Volume: local\n Network: host none\n Log: journald json-file none\n");
	printf("Runtimes: cleave-oci\nDefault Runtime: cleave-oci\nInit Binary: cleave-init\nSecurity Options:\n");
	for (size_t n = 0; n < i->nr_security; n++)
		printf(" %s\n", i->security[n] + sizeof("name=") - 1);
	printf("Kernel Version: %s\nOperating System: %s\nOSType: linux\nArchitecture: %s\n",
	       i->kernel, i->system, i->machine);
	printf("CPUs: %ld\nTotal Memory: %s\nName: %s\nDocker Root Dir: %s\nDebug Mode: false\n",
	       i->cpus, memory, i->hostname, i->root);
}

static int info_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str json = { 0 };
	const struct info_opts *o = opts;
	struct eng_info info;
	int r = cli_engine(cli, &e, err);

	(void) argc;
	(void) argv;
	if (r == 0)
		r = eng_info_read(e, &arena, &info, err);
	if (r < 0)
		return r;
	if (o->format == NULL) {
		print(&info);
		return 0;
	}
	eng_info_json(&info, &json);
	return json.failed ? err_set(err, -ENOMEM, "print")
			   : listing_template(o->format, json.p, json.len, err);
}

CLI_VERB(info_verb) = {
	.name = "info",
	.args = "",
	.summary = "Show what there is in the store, and the host",
	.opts = info_table,
	.opts_size = sizeof(struct info_opts),
	.run = info_run,
};
