/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/net/network.h"

#define MTU_OPTION "com.docker.network.driver.mtu="
#define NAME_OPTION "com.docker.network.bridge.name="
#define MTU_MIN 68
#define MTU_MAX 65535

struct create_opts {
	bool attachable, internal, ipv6, ignore;
	const char *driver, *interface;
	struct opt_strings label, opt, subnet, gateway, range;
};

static const struct opt create_table[] = {
	{ "attachable", 0, OPT_BOOL, offsetof(struct create_opts, attachable), NULL, "as always: accepted, and does nothing" },
	{ "driver", 'd', OPT_STRING, offsetof(struct create_opts, driver), "DRIVER", "bridge (default), macvlan or ipvlan" },
	{ "gateway", 0, OPT_STRINGS, offsetof(struct create_opts, gateway), "ADDRESS", "the host's address in it" },
	{ "ignore", 0, OPT_BOOL, offsetof(struct create_opts, ignore), NULL, "one that is there is fine" },
	{ "interface-name", 0, OPT_STRING, offsetof(struct create_opts, interface), "NAME", "name of the bridge" },
	{ "internal", 0, OPT_BOOL, offsetof(struct create_opts, internal), NULL, "nothing leaves or enters it" },
	{ "ip-range", 0, OPT_STRINGS, offsetof(struct create_opts, range), "NET", "part of the subnet that instances get addresses of" },
	{ "ipv6", 0, OPT_BOOL, offsetof(struct create_opts, ipv6), NULL, "with addresses of IPv6, too" },
	{ "label", 0, OPT_STRINGS, offsetof(struct create_opts, label), "NAME[=VALUE]", "set a label" },
	{ "opt", 'o', OPT_STRINGS, offsetof(struct create_opts, opt), "NAME=VALUE", "mtu, parent, macvlan_mode, ipvlan_mode, or an option of Docker's" },
	{ "subnet", 0, OPT_STRINGS, offsetof(struct create_opts, subnet), "NET", "its addresses, e.g. 10.9.0.0/24" },
	{ 0 },
};

static int read_subnets(const struct create_opts *o, struct eng_network *n, struct err *err)
{
	for (size_t i = 0; i < o->subnet.n; i++) {
		struct eng_subnet *s;
		struct net_prefix p;

		if (net_prefix_parse(o->subnet.v[i], &p) < 0)
			return err_msg(err, -EINVAL, "invalid subnet '%.100s': expected ADDRESS/LENGTH", o->subnet.v[i]);
		s = p.base.family == AF_INET ? &n->v4 : &n->v6;
		if (s->net.base.family != 0)
			return err_msg(err, -EINVAL, "--subnet '%.100s': there is one of this version of IP already", o->subnet.v[i]);
		s->net = p;
	}
	for (size_t i = 0; i < o->gateway.n; i++) {
		struct net_address a;

		if (net_address_parse(o->gateway.v[i], &a) < 0)
			return err_msg(err, -EINVAL, "invalid gateway '%.100s': expected an address", o->gateway.v[i]);
		*(a.family == AF_INET ? &n->v4.gateway : &n->v6.gateway) = a;
	}
	for (size_t i = 0; i < o->range.n; i++) {
		struct net_prefix p;

		if (net_prefix_parse(o->range.v[i], &p) < 0)
			return err_msg(err, -EINVAL, "invalid ip-range '%.100s': expected ADDRESS/LENGTH", o->range.v[i]);
		*(p.base.family == AF_INET ? &n->v4.range : &n->v6.range) = p;
	}
	if ((n->v4.gateway.family != 0 || n->v4.range.base.family != 0) && n->v4.net.base.family == 0)
		return err_msg(err, -EINVAL, "every ip-range or gateway must have a corresponding subnet");
	return 0;
}

static int read_device(const char *name, struct eng_network *n, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strpbrk(name, "/: \t\n%") != NULL || name[0] == '.')
		return err_msg(err, -EINVAL, "'%.64s' cannot be the name of a network device", name);
	n->device = name;
	return 0;
}

static int read_option(const char *option, struct eng_network *n, struct err *err)
{
	const char *mtu = str_starts(option, "mtu=")	    ? option + strlen("mtu=")
			  : str_starts(option, MTU_OPTION) ? option + strlen(MTU_OPTION)
							   : NULL;
	uint64_t number = 0;

	if (mtu != NULL && (str_to_u64(mtu, &number) < 0 || number < MTU_MIN || number > MTU_MAX))
		return err_msg(err, -EINVAL, "invalid mtu '%.64s': %d to %d are possible", mtu, MTU_MIN, MTU_MAX);
	if (mtu != NULL)
		n->mtu = (unsigned) number;
	if (strchr(option, '=') == NULL)
		return err_msg(err, -EINVAL, "invalid option '%.100s': expected NAME=VALUE", option);
	if (str_starts(option, "parent="))
		return read_device(option + strlen("parent="), n, err);
	return str_starts(option, NAME_OPTION) ? read_device(option + strlen(NAME_OPTION), n, err) : 0;
}

static int read_network(const struct create_opts *o, struct arena *a, struct eng_network *n, struct err *err)
{
	static const struct opt_strings no_files;
	int r = run_labels(a, &n->labels, &no_files, &o->label, err);

	if (r == 0)
		r = read_subnets(o, n, err);
	for (size_t i = 0; r == 0 && i < o->opt.n; i++) {
		r = read_option(o->opt.v[i], n, err);
		if (r == 0 && eng_env_set(a, &n->options, o->opt.v[i]) < 0)
			r = run_nomem(err);
	}
	if (r == 0 && o->interface != NULL)
		r = read_device(o->interface, n, err);
	if (r == 0 && (strcmp(n->driver, "macvlan") == 0 || strcmp(n->driver, "ipvlan") == 0) && n->device == NULL)
		r = err_msg(err, -EINVAL, "a network of driver %.64s needs a device of the host: --opt parent=NAME", n->driver);
	return r;
}

static int create_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct create_opts *o = opts;
	struct eng_network n = { .name = argv[0], .driver = o->driver != NULL ? o->driver : "bridge", .internal = o->internal };
	int r = read_network(o, &a, &n, err);

	(void) argc;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_network_create(e, &n, o->ipv6, &a, err);
	if (r == -EEXIST && o->ignore)
		r = eng_network_find(e, argv[0], &a, &n, err);
	if (r < 0)
		return r;
	puts(n.id);
	return 0;
}

CLI_VERB(network_create_verb) = {
	.name = "network create",
	.args = "NETWORK",
	.summary = "Make a network",
	.min_args = 1,
	.max_args = 1,
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.interspersed = true,
	.run = create_run,
};
