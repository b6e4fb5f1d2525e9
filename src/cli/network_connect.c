/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"

struct connect_opts {
	const char *ip, *ip6, *mac, *priority;
	struct opt_strings alias, link, driver, local;
};

static const struct opt connect_table[] = {
	{ "alias", 0, OPT_STRINGS, offsetof(struct connect_opts, alias), "NAME", "another name in the network" },
	{ "driver-opt", 0, OPT_STRINGS, offsetof(struct connect_opts, driver), "NAME=VALUE", NULL }, /* refused, like others without help */
	{ "gw-priority", 0, OPT_STRING, offsetof(struct connect_opts, priority), "NUMBER", NULL },
	{ "ip", 0, OPT_STRING, offsetof(struct connect_opts, ip), "ADDRESS", "IPv4 address" },
	{ "ip6", 0, OPT_STRING, offsetof(struct connect_opts, ip6), "ADDRESS", "IPv6 address" },
	{ "link", 0, OPT_STRINGS, offsetof(struct connect_opts, link), "INSTANCE", NULL },
	{ "link-local-ip", 0, OPT_STRINGS, offsetof(struct connect_opts, local), "ADDRESS", NULL },
	{ "mac-address", 0, OPT_STRING, offsetof(struct connect_opts, mac), "ADDRESS", "MAC address" },
	{ 0 },
};

static int refuse(const struct connect_opts *o, struct err *err)
{
	if (o->link.n > 0)
		return err_msg(err, -EINVAL, "--link '%.100s': instances of a network find each other by name; --alias of the other one gives it one more",
			       o->link.v[0]);
	if (o->driver.n > 0 || o->local.n > 0)
		return err_msg(err, -EINVAL, "--driver-opt and --link-local-ip are not possible: a device in a network has --ip, --ip6 and --mac-address");
	if (o->priority != NULL)
		return err_msg(err, -EINVAL, "--gw-priority is not possible: the first network that is not internal is the way out");
	return 0;
}

static int connect_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct connect_opts *o = opts;
	struct eng_net_want w = { .name = argv[0], .ip = o->ip, .ip6 = o->ip6, .mac = o->mac };
	struct eng_instance i;
	int r = refuse(o, err);

	(void) argc;
	for (size_t k = 0; r == 0 && k < o->alias.n; k++)
		r = eng_words_add(&a, &w.aliases, o->alias.v[k]) < 0 ? run_nomem(err) : 0;
	if (r == 0)
		r = run_network_check(&w, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[1], &a, &i, err);
	return r == 0 ? eng_net_join(e, &i, &w, err) : r;
}

CLI_VERB(network_connect_verb) = {
	.name = "network connect",
	.args = "NETWORK INSTANCE",
	.summary = "Put an instance into a network",
	.min_args = 2,
	.max_args = 2,
	.opts = connect_table,
	.opts_size = sizeof(struct connect_opts),
	.interspersed = true,
	.run = connect_run,
};

struct disconnect_opts {
	bool force;
};

static const struct opt disconnect_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct disconnect_opts, force), NULL, "also when its device cannot be removed" },
	{ 0 },
};

static int disconnect_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct disconnect_opts *o = opts;
	struct eng_instance i;
	int r = cli_engine(cli, &e, err);

	(void) argc;
	if (r == 0)
		r = eng_instance_find(e, argv[1], &a, &i, err);
	return r == 0 ? eng_net_leave(e, &i, argv[0], o->force, err) : r;
}

CLI_VERB(network_disconnect_verb) = {
	.name = "network disconnect",
	.args = "NETWORK INSTANCE",
	.summary = "Take an instance out of a network",
	.min_args = 2,
	.max_args = 2,
	.opts = disconnect_table,
	.opts_size = sizeof(struct disconnect_opts),
	.interspersed = true,
	.run = disconnect_run,
};
