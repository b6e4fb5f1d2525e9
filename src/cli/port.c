/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "net/publish.h"

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

static void print_address(const struct eng_port *p)
{
	bool v6 = strchr(p->address, ':') != NULL;

	printf("%s%s%s:%d\n", v6 ? "[" : "", p->address, v6 ? "]" : "", p->port);
}

/* As `port NAME` prints them: all; as `port NAME PORT` does: where that one is */
static int print_ports(const struct eng_port *list, int n, const char *want, const char *name, struct err *err)
{
	const char *slash = want != NULL ? strchr(want, '/') : NULL;
	int found = 0;

	for (int i = 0; i < n; i++) {
		const char *protocol = net_protocol_name(list[i].protocol);

		if (want == NULL)
			printf("%d/%s -> ", list[i].inside, protocol);
		else if (strtol(want, NULL, 10) != list[i].inside || strcmp(slash != NULL ? slash + 1 : "tcp", protocol) != 0)
			continue;
		print_address(&list[i]);
		found++;
	}
	if (want == NULL || found > 0)
		return 0;
	return err_msg(err, -ENOENT, "no public port '%s%s' published for %s", want, slash == NULL ? "/tcp" : "", name);
}

static int port_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_port *list = NULL;
	struct eng_instance i;
	int r = argc > 1 ? check_port(argv[1], err) : 0, n = 0;

	(void) opts;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r == 0)
		r = n = eng_ports(e, i.id, &arena, &list, err);
	return r < 0 ? r : print_ports(list, n, argc > 1 ? argv[1] : NULL, argv[0], err);
}

CLI_VERB(port_verb) = {
	.name = "port",
	.args = "INSTANCE [PORT[/PROTOCOL]]",
	.summary = "List the published ports of an instance",
	.min_args = 1,
	.max_args = 2,
	.run = port_run,
};
