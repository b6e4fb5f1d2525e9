/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

/* "80", "80/tcp", "53/udp" */
static int check_port(const char *text, struct err *err)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	_cleanup_free_ char *number = strndup(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/');
	bool known = slash == NULL;
	uint64_t v;

	if (number == NULL)
		return err_set(err, -ENOMEM, "read the port");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		known = known || strcmp(slash + 1, protocols[i]) == 0;
	if (!known || str_to_u64(number, &v) < 0 || v == 0 || v > 65535)
		return err_msg(err, -EINVAL, "invalid port '%.100s': expected PORT or PORT/PROTOCOL",
			       text);
	return 0;
}

/* Networks of an instance reach nothing of the host, so nothing is published. */
static int port_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r = argc > 1 ? check_port(argv[1], err) : 0;

	(void) opts;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r < 0 || argc == 1)
		return r;
	return err_msg(err, -ENOENT, "no public port '%s%s' published for %s", argv[1],
		       strchr(argv[1], '/') == NULL ? "/tcp" : "", argv[0]);
}

CLI_VERB(port_verb) = {
	.name = "port",
	.args = "INSTANCE [PORT[/PROTOCOL]]",
	.summary = "List the published ports of an instance",
	.min_args = 1,
	.max_args = 2,
	.run = port_run,
};
