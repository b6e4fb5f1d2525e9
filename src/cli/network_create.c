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
#include "cli/network_options.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/net/network.h"

struct create_opts {
	bool attachable, internal, ipv6, no_ipv4, ignore, disable_dns, config_only, ingress;
	const char *driver, *interface, *ipam_driver, *scope, *config_from;
	struct opt_strings label, opt, subnet, gateway, range, aux, dns, ipam_opt, route;
};

#define TEXT(name, field, arg, help) { name, 0, OPT_STRING, offsetof(struct create_opts, field), arg, help }
#define LIST(name, field, arg, help) { name, 0, OPT_STRINGS, offsetof(struct create_opts, field), arg, help }
#define BOOL(name, field, help) { name, 0, OPT_BOOL, offsetof(struct create_opts, field), NULL, help }

/* A row without help is refused with a reason, or another spelling. */
static const struct opt create_table[] = {
	BOOL("attachable", attachable, "as always: accepted, and does nothing"),
	LIST("aux-address", aux, "NAME=ADDRESS", "an address that is somebody else's, so that no instance gets it"),
	TEXT("config-from", config_from, "NETWORK", NULL),
	BOOL("config-only", config_only, NULL),
	BOOL("disable-dns", disable_dns, "instances do not find each other by name"),
	LIST("dns", dns, "ADDRESS", "server for names of the world (default: those of the host)"),
	{ "driver", 'd', OPT_STRING, offsetof(struct create_opts, driver), "DRIVER", "bridge (default), macvlan or ipvlan" },
	LIST("gateway", gateway, "ADDRESS", "the host's address in it"),
	BOOL("ignore", ignore, "one that is there is fine"),
	BOOL("ingress", ingress, NULL),
	TEXT("interface-name", interface, "NAME", "name of the bridge"),
	BOOL("internal", internal, "nothing leaves or enters it"),
	LIST("ip-range", range, "NET", "part of the subnet that instances get addresses of"),
	TEXT("ipam-driver", ipam_driver, "DRIVER", "who gives addresses: default, or host-local, which is the same"),
	LIST("ipam-opt", ipam_opt, "NAME=VALUE", NULL),
	{ "ipv4", 0, OPT_OFF, offsetof(struct create_opts, no_ipv4), NULL, NULL },
	BOOL("ipv6", ipv6, "with addresses of IPv6, too"),
	{ "label", 0, OPT_STRINGS, offsetof(struct create_opts, label), "NAME[=VALUE]", "set a label" },
	{ "opt", 'o', OPT_STRINGS, offsetof(struct create_opts, opt), "NAME=VALUE", "mtu, parent, mode, or an option of Docker's" },
	LIST("route", route, "NET,GATEWAY", NULL),
	TEXT("scope", scope, "SCOPE", NULL),
	LIST("subnet", subnet, "NET", "its addresses, e.g. 10.9.0.0/24"),
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

/* Options of Docker and Podman that cannot be */
static int refuse(const struct create_opts *o, struct err *err)
{
	if (o->config_only || o->config_from != NULL || o->ingress || (o->scope != NULL && strcmp(o->scope, "local") != 0))
		return err_msg(err, -EINVAL, "--config-only, --config-from, --ingress and --scope are for swarms: networks here are of this host");
	if (o->ipam_driver != NULL && strcmp(o->ipam_driver, "default") != 0 && strcmp(o->ipam_driver, "host-local") != 0)
		return err_msg(err, -EINVAL, "--ipam-driver '%.64s': only default (host-local) is possible: addresses come from --subnet and --ip-range",
			       o->ipam_driver);
	if (o->ipam_opt.n > 0)
		return err_msg(err, -EINVAL, "--ipam-opt '%.64s': the IPAM driver has no options", o->ipam_opt.v[0]);
	if (o->no_ipv4)
		return err_msg(err, -EINVAL, "--ipv4=false: every network has addresses of IPv4");
	if (o->route.n > 0)
		return err_msg(err, -EINVAL, "--route: networks have no routes but the one to their gateway");
	return 0;
}

static int read_aux(const struct create_opts *o, struct arena *a, struct eng_network *n, struct err *err)
{
	for (size_t i = 0; i < o->aux.n; i++) {
		size_t len = strcspn(o->aux.v[i], "=");
		char text[NET_TEXT_MAX];
		struct net_address address;
		const char *entry;

		if (len == 0 || o->aux.v[i][len] == '\0' || net_address_parse(o->aux.v[i] + len + 1, &address) < 0)
			return err_msg(err, -EINVAL, "invalid aux-address '%.100s': expected NAME=ADDRESS", o->aux.v[i]);
		net_address_text(&address, text);
		entry = arena_printf(a, "%.*s=%s", (int) len, o->aux.v[i], text);
		if (entry == NULL || eng_env_set(a, &n->aux, entry) < 0)
			return run_nomem(err);
	}
	return 0;
}

static int read_network(const struct create_opts *o, struct arena *a, struct eng_network *n, struct err *err)
{
	static const struct opt_strings no_files;
	int r = run_labels(a, &n->labels, &no_files, &o->label, err);

	if (r == 0)
		r = refuse(o, err);
	if (r == 0)
		r = read_subnets(o, n, err);
	if (r == 0)
		r = read_aux(o, a, n, err);
	if (r == 0)
		r = network_servers(&o->dns, a, &n->servers, err);
	for (size_t i = 0; r == 0 && i < o->opt.n; i++) {
		r = network_option(o->opt.v[i], n, err);
		if (r == 0 && eng_env_set(a, &n->options, o->opt.v[i]) < 0)
			r = run_nomem(err);
	}
	if (r == 0 && o->interface != NULL)
		r = network_device(o->interface, n, err);
	if (r == 0 && (strcmp(n->driver, "macvlan") == 0 || strcmp(n->driver, "ipvlan") == 0) && n->device == NULL)
		r = err_msg(err, -EINVAL, "a network of driver %.64s needs a device of the host: --opt parent=NAME", n->driver);
	return r;
}

static int create_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct create_opts *o = opts;
	struct eng_network n = { .name = argv[0], .driver = o->driver != NULL ? o->driver : "bridge", .internal = o->internal,
				 .nameless = o->disable_dns };
	int r = read_network(o, &a, &n, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_network_create(e, &n, o->ipv6, &a, err);
	if (r == -EEXIST && o->ignore && argc > 0)
		r = eng_network_find(e, argv[0], &a, &n, err);
	if (r < 0)
		return r;
	puts(argc > 0 ? n.id : n.name); /* as Docker does, and as Podman does, who alone can leave it out */
	return 0;
}

CLI_VERB(network_create_verb) = {
	.name = "network create",
	.args = "[NETWORK]",
	.summary = "Make a network",
	.max_args = 1,
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.interspersed = true,
	.run = create_run,
};
