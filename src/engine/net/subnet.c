/* SPDX-License-Identifier: MIT */
/**
 * DOC: addresses of networks
 *
 * Those that nobody chose come from the pools that Docker uses; the first that nobody has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "net/link.h"
#include "net/route.h"
#include "sys/netlink.h"

#define LENGTH_MAX4 30 /* leaves the host and an instance an address */
#define LENGTH_MAX6 126
#define TRIES 32 /* of random networks of IPv6 */

/* "172.17.0.0/16" and so on up to 172.31, then pieces of 192.168.0.0/16 */
static const struct {
	const char *base;
	unsigned length, n;
} pools[] = { { "172.17.0.0", 16, 15 }, { "192.168.0.0", 20, 16 } };

struct choice {
	struct engine *e;
	const struct eng_network *n;
	struct net_routes routes;
	struct eng_network *others;
	int nr_others, device;
};

/* Return: 1 it is free; 0, with a message that says who has it. */
static int is_free(const struct choice *c, const struct net_prefix *p, struct err *err)
{
	const struct net_route *route = net_routes_overlap(&c->routes, p, c->device);
	char text[NET_TEXT_MAX], other[NET_TEXT_MAX], device[IF_NAMESIZE] = "?";

	net_prefix_text(p, text);
	for (int i = 0; i < c->nr_others; i++) {
		const struct eng_network *o = &c->others[i];

		if (c->n->id != NULL && strcmp(o->id, c->n->id) == 0)
			continue;
		if (net_prefix_overlap(&o->v4.net, p) || net_prefix_overlap(&o->v6.net, p)) {
			(void) err_msg(err, -EEXIST, "invalid pool request: %s overlaps with network '%s'", text, o->name);
			return 0;
		}
	}
	if (route == NULL)
		return 1;
	net_prefix_text(&route->to, other);
	(void) if_indextoname((unsigned) route->device, device); /* it stays "?" */
	(void) err_msg(err, -EEXIST, "invalid pool request: %s overlaps with the host's route to %s by %s: choose another --subnet",
		       text, other, device);
	return 0;
}

static int choose4(const struct choice *c, struct eng_subnet *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
		struct net_prefix p = { .length = pools[i].length };
		struct net_address base;

		if (net_address_parse(pools[i].base, &base) < 0)
			return err_msg(err, -EINVAL, "bad pool '%s'", pools[i].base);
		for (unsigned k = 0; k < pools[i].n; k++) {
			p.base = net_address_plus(&base, (uint64_t) k << (32 - p.length));
			if (is_free(c, &p, NULL) == 1) {
				ret->net = p;
				return 0;
			}
		}
	}
	return err_msg(err, -EADDRNOTAVAIL, "all predefined address pools have been fully subnetted: give one with --subnet");
}

/* Spec: RFC 4193, a random network of fd00::/8 */
static int choose6(const struct choice *c, struct eng_subnet *ret, struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		struct net_prefix p = { .base.family = AF_INET6, .length = 64 };

		if (getrandom(p.base.bytes + 1, 5, 0) != 5)
			return err_set(err, -errno, "choose addresses");
		p.base.bytes[0] = 0xfd;
		if (is_free(c, &p, NULL) == 1) {
			ret->net = p;
			return 0;
		}
	}
	return err_msg(err, -EADDRNOTAVAIL, "no addresses of IPv6 are free: give some with --subnet");
}

/* The gateway is the first address, unless somebody said otherwise. */
static int complete(struct eng_subnet *s, struct err *err)
{
	struct net_address first = net_prefix_first(&s->net), last;
	char text[NET_TEXT_MAX], net[NET_TEXT_MAX];

	s->net.base = first;
	if (s->gateway.family == 0)
		s->gateway = net_address_plus(&first, 1);
	last = net_prefix_last(&s->range);
	net_prefix_text(&s->net, net);
	net_address_text(&s->gateway, text);
	if (!net_prefix_has(&s->net, &s->gateway))
		return err_msg(err, -EINVAL, "invalid gateway %s: it is not in %s", text, net);
	net_prefix_text(&s->range, text);
	if (s->range.base.family != 0 && (!net_prefix_has(&s->net, &s->range.base) || !net_prefix_has(&s->net, &last)))
		return err_msg(err, -EINVAL, "invalid ip-range %s: it is not in %s", text, net);
	return 0;
}

static int settle(const struct choice *c, struct eng_subnet *s, int family, bool wanted, struct err *err)
{
	unsigned limit = family == AF_INET ? LENGTH_MAX4 : LENGTH_MAX6;
	char text[NET_TEXT_MAX];
	int r = 0;

	if (s->net.base.family != 0) {
		net_prefix_text(&s->net, text);
		if (s->net.length > limit || s->net.length == 0)
			return err_msg(err, -EINVAL, "invalid subnet %s: lengths from 1 to %u are possible", text, limit);
		s->net.base = net_prefix_first(&s->net);
		/* macvlan and ipvlan share the network of the host's device */
		if (strcmp(c->n->driver, "bridge") == 0 && is_free(c, &s->net, err) != 1)
			return -EEXIST;
	} else if (wanted) {
		r = family == AF_INET ? choose4(c, s, err) : choose6(c, s, err);
	} else if (s->gateway.family != 0 || s->range.base.family != 0) {
		return err_msg(err, -EINVAL, "every ip-range or gateway must have a corresponding subnet");
	} else {
		return 0;
	}
	return r == 0 ? complete(s, err) : r;
}

/* Addresses of others are in one of the subnets, and not the host's. */
static int check_aux(const struct eng_network *n, struct err *err)
{
	for (size_t i = 0; i < n->aux.n; i++) {
		const char *is = strchr(n->aux.v[i], '=');
		struct net_address a;

		if (is == NULL || net_address_parse(is + 1, &a) < 0)
			return err_msg(err, -EINVAL, "invalid aux-address '%.200s': expected NAME=ADDRESS", n->aux.v[i]);
		if (!net_prefix_has(&n->v4.net, &a) && !net_prefix_has(&n->v6.net, &a))
			return err_msg(err, -EINVAL, "no matching subnet for aux-address %.64s", is + 1);
		if (net_address_same(&a, &n->v4.gateway) || net_address_same(&a, &n->v6.gateway))
			return err_msg(err, -EINVAL, "invalid aux-address %.64s: it is the gateway's", is + 1);
	}
	return 0;
}

int network_choose(struct engine *e, struct eng_network *n, bool ipv6, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_close_ int fd = netlink_open();
	struct choice c = { .e = e, .n = n };
	struct net_link link = { 0 };
	int r;

	if (fd < 0)
		return err_set(err, fd, "netlink socket");
	if (net_link_find(fd, n->device, &link) == 0)
		c.device = link.index; /* its own route is fine */
	r = net_routes_read(fd, &c.routes, err);
	if (r == 0)
		r = c.nr_others = eng_network_list(e, &a, &c.others, err);
	if (r >= 0)
		r = settle(&c, &n->v4, AF_INET, true, err);
	if (r == 0)
		r = settle(&c, &n->v6, AF_INET6, ipv6, err);
	if (r == 0)
		r = check_aux(n, err);
	net_routes_fini(&c.routes);
	return r;
}
