/* SPDX-License-Identifier: MIT */
/**
 * DOC: an instance in its networks, from its start to its end
 *
 * Whoever starts it leases addresses and ports, in one transaction, and tells the rules of the ports.  The process
 * that makes it makes the devices, while the instance's first process makes its mounts.  Devices go with the
 * instance's namespace; leases and rules are given back by whoever cleans up after it.  So what a dead process has
 * left is always in the database, with an instance that does not run.
 */
#include "engine/net/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/home.h"
#include "engine/net/lease.h"
#include "engine/net/link.h"
#include "engine/net/names.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "engine/net/pasta.h"
#include "engine/net/peers.h"
#include "engine/net/port.h"
#include "engine/net/relay.h"

#define BRIDGE_FILTER "/proc/sys/net/bridge/bridge-nf-call-iptables"

struct starting {
	struct engine *e;
	const struct eng_instance *i;
	const struct eng_config *c;
	struct eng_net *net;
	struct eng_network *networks;
	struct eng_net_want wants[ENG_NETWORKS_MAX];
	struct port_list ports;
	struct str hosts;
	int n;
};

void eng_net_free(struct eng_net *net)
{
	if (net != NULL)
		arena_fini(&net->arena);
	free(net);
}

static int find_networks(struct starting *s, struct err *err)
{
	struct arena *a = &s->net->arena;
	int r = 0;

	s->networks = arena_alloc(a, (size_t) s->n, sizeof(*s->networks));
	s->net->legs = arena_alloc(a, (size_t) s->n, sizeof(*s->net->legs));
	if (s->networks == NULL || s->net->legs == NULL)
		return err_set(err, -ENOMEM, "start instance '%s'", s->i->name);
	for (int k = 0; r == 0 && k < s->n; k++) {
		const char *name = s->wants[k].name;

		r = strcmp(name, ENG_NETWORK_DEFAULT) == 0 ? network_default(s->e, a, &s->networks[k], err)
							   : eng_network_find(s->e, name, a, &s->networks[k], err);
		if (r == 0 && s->networks[k].device[0] == '\0')
			r = err_msg(err, -EINVAL, "network '%s' cannot be one of several", name);
		if (r == 0)
			r = network_prepare(s->e, &s->networks[k], err);
	}
	return r;
}

/* A virtual machine has its own end of what joins it; the host has no other device for it. */
static int tap_mode(const struct eng_network *n, struct net_leg *leg, struct err *err)
{
	leg->kind = NET_LEG_TAP;
	if (strcmp(n->driver, "bridge") != 0)
		return err_msg(err, -EOPNOTSUPP, "network %s has driver %s: a virtual machine can be in networks on a bridge only",
			       n->name, n->driver);
	return 0;
}

static int mode_of(const struct eng_network *n, struct net_leg *leg, struct err *err)
{
	leg->kind = strcmp(n->driver, "bridge") == 0 ? NET_LEG_VETH : strcmp(n->driver, "ipvlan") == 0 ? NET_LEG_IPVLAN : NET_LEG_MACVLAN;
	return leg->kind == NET_LEG_VETH ? 0 : network_mode(n, &leg->mode, err);
}

static void add_host(struct starting *s, const struct net_address *a, const struct eng_net_want *w)
{
	char text[NET_TEXT_MAX];

	if (a->family == 0)
		return;
	net_address_text(a, text);
	str_printf(&s->hosts, "%s\t", text);
	if (s->c->domainname != NULL)
		str_printf(&s->hosts, "%s.%s ", s->c->hostname, s->c->domainname);
	str_puts(&s->hosts, s->c->hostname != NULL ? s->c->hostname : s->i->name);
	for (size_t k = 0; k < w->aliases.n; k++)
		str_printf(&s->hosts, " %s", w->aliases.v[k]);
	str_puts(&s->hosts, "\n");
}

/* @first_route: no earlier network has given it a way out */
static int take_address(struct starting *s, int k, int number, bool *first_route, struct err *err)
{
	const struct eng_network *n = &s->networks[k];
	struct net_leg *leg = &s->net->legs[k];
	int r = eng_lease_take(s->e, s->i, s->c, n, &s->wants[k], number, leg, err);

	if (r == 0)
		r = eng_backend_find(s->i->isolation)->machine ? tap_mode(n, leg, err) : mode_of(n, leg, err);
	if (r < 0)
		return r;
	s->net->n++;
	if (*first_route && !n->internal) {
		leg->gateways[0] = n->v4.gateway;
		leg->gateways[1] = n->v6.gateway;
		*first_route = false;
	}
	if (s->net->gateway[0] == '\0' && s->e->keeper < 0) /* else it is the user's, not the host's */
		net_address_text(&n->v4.gateway, s->net->gateway);
	add_host(s, &leg->v4.base, &s->wants[k]);
	add_host(s, &leg->v6.base, &s->wants[k]);
	return 0;
}

/* The first that is on a bridge and leads outside; -1 */
static int published_in(const struct starting *s)
{
	for (int k = 0; k < s->n; k++)
		if ((s->net->legs[k].kind == NET_LEG_VETH || s->net->legs[k].kind == NET_LEG_TAP) && !s->networks[k].internal)
			return k;
	return -1;
}

static int take(struct starting *s, struct err *err)
{
	bool first_route = true;
	int in, r = db_run(s->e->db, err, "DELETE FROM endpoint WHERE instance = ?", "s", s->i->id);

	if (r >= 0)
		r = db_run(s->e->db, err, "DELETE FROM port WHERE instance = ?", "s", s->i->id);
	for (int k = 0; r >= 0 && k < s->n; k++)
		r = take_address(s, k, k, &first_route, err);
	in = r >= 0 ? published_in(s) : -1;
	if (in >= 0 && (s->c->ports.n > 0 || s->c->publish_all))
		r = eng_port_take(s->e, s->i->id, s->c, eng_network_option(&s->networks[in], ENG_NETWORK_BINDING), &s->net->legs[in],
				  &s->net->arena, &s->ports, err);
	/* where rules see frames of bridges, a connection to its own published port never leaves the bridge */
	for (int k = 0; s->ports.n > 0 && access(BRIDGE_FILTER, F_OK) == 0 && k < s->n; k++)
		s->net->legs[k].hairpin = true;
	return r < 0 ? r : 0;
}

/* The resolver of its first network that has one.  It can do without, as it does in the default network. */
static void resolve(struct starting *s)
{
	struct err why = { 0 };
	char text[NET_TEXT_MAX];
	int k = 0;

	while (k < s->n && !names_known(&s->networks[k]))
		k++;
	s->net->resolver = home_resolver(s->e, s->c);
	if (k == s->n)
		return;
	if (names_tell(s->e, s->i->id, &why) < 0) {
		log_warning("names of network %s are not resolved: %s", s->networks[k].name, why.text);
		return;
	}
	net_address_text(&s->networks[k].v4.gateway, text);
	s->net->resolver = arena_strdup(&s->net->arena, text);
}

static int start(struct starting *s, struct err *err)
{
	int r = find_networks(s, err);

	if (r == 0)
		r = db_begin(s->e->db, err);
	if (r < 0)
		return r;
	r = take(s, err);
	if (r < 0) {
		db_rollback(s->e->db);
		return r;
	}
	r = db_commit(s->e->db, err);
	for (int k = 0; r == 0 && k < s->n; k++) /* nobody takes it down from here on */
		r = network_up(s->e, &s->networks[k], err);
	if (r == 0)
		r = network_publish(s->e, s->ports.v, s->ports.n, err);
	if (r == 0)
		r = relay_open(s->e, s->i->id, s->ports.v, s->ports.n, err);
	if (r < 0)
		return r;
	resolve(s);
	r = link_add(s->e, s->i->id, &s->c->links, &s->hosts, err);
	for (int k = 0; r == 0 && k < s->n; k++)
		if (peers_known(&s->networks[k])) {
			s->net->peers = true;
			r = peers_add(s->e, &s->networks[k], s->i->id, &s->hosts, err);
		}
	if (r < 0)
		return r;
	s->net->hosts = s->hosts.failed ? NULL : arena_strdup(&s->net->arena, s->hosts.p != NULL ? s->hosts.p : "");
	return s->net->hosts != NULL ? 0 : err_set(err, -ENOMEM, "start instance '%s'", s->i->name);
}

int eng_net_start(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct err *err)
{
	struct starting s = { .e = e, .i = i, .c = c, .net = calloc(1, sizeof(*s.net)) };
	int r;

	eng_net_free(e->net);
	e->net = NULL;
	if (s.net == NULL)
		return err_set(err, -ENOMEM, "start instance '%s'", i->name);
	if (c->network != NULL && strcmp(c->network, ENG_NETWORK_PASTA) == 0) {
		e->net = s.net;
		return pasta_lease(e, i, c, err);
	}
	r = s.n = eng_net_wants(c, &s.net->arena, s.wants, err);
	if (r > 0)
		r = start(&s, err);
	str_fini(&s.hosts);
	if (r < 0 || s.n == 0)
		eng_net_free(s.net);
	else
		e->net = s.net;
	return r;
}

int eng_net_connect(struct engine *e, int netns, struct err *err)
{
	if (e->net == NULL)
		return 0;
	return e->net->pasta.n > 0 ? pasta_run(&e->net->pasta, netns, err) : home_attach(e, netns, e->net->legs, e->net->n, err);
}

void eng_net_started(struct engine *e, const struct eng_instance *i)
{
	struct err why = { 0 };

	if (e->net != NULL && e->net->peers && peers_tell_all(e, i->id, &why) < 0)
		log_warning("names are not known to all: %s", why.text);
}

/* What the rules know of its ports; rows stay until that is gone. */
static int unpublish(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct net_table_port *ports;
	char name[NET_TABLE_MAX];
	struct eng_port *list;
	int n = eng_ports(e, id, &a, &list, err), r;
	struct net_table t = { .name = name, .nr_ports = (size_t) n };

	if (n > 0 && e->keeper >= 0)
		relay_close(e, id);
	if (n <= 0 || home_find(e) == -ENOENT)
		return n < 0 ? n : 0;
	ports = arena_alloc(&a, (size_t) n, sizeof(*ports));
	if (ports == NULL)
		return err_set(err, -ENOMEM, "give back the published ports");
	for (int k = 0; k < n; k++) {
		ports[k] = (struct net_table_port) { .protocol = list[k].protocol, .port = (uint16_t) list[k].port };
		(void) net_address_parse(list[k].address, &ports[k].host); /* we wrote it */
	}
	r = network_table(e, name, &t.fd, err);
	t.ports = ports;
	return r == 0 ? net_table_remove(&t, err) : r;
}

/* Return: 1 it has addresses, 2 only ports, as with pasta; 0 nothing; -errno with a message. */
static int holds(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT EXISTS(SELECT 1 FROM endpoint WHERE instance = ?1), EXISTS(SELECT 1 FROM port WHERE instance = ?1)", "s", id);

	if (r == 0)
		r = db_next(rows, err);
	return r < 0 ? r : db_i64(rows, 0) ? 1 : db_i64(rows, 1) ? 2 : 0;
}

int eng_net_stop(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *networks = NULL;
	int r = holds(e, id, err), n = 0;

	if (e->rootless)
		pasta_end(e, id);
	if (r <= 0)
		return r;
	if (r == 1)
		n = network_of(e, id, &a, &networks, err);
	r = n < 0 ? n : r == 1 ? unpublish(e, id, err) : 0; /* no rule knows of pasta's ports */
	if (r == 0)
		r = db_begin(e->db, err);
	if (r < 0)
		return r;
	r = names_forget_all(e, id, err);
	if (r >= 0)
		r = db_run(e->db, err, "DELETE FROM port WHERE instance = ?", "s", id);
	if (r >= 0)
		r = db_run(e->db, err, "DELETE FROM endpoint WHERE instance = ?", "s", id);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	r = db_commit(e->db, err);
	for (int k = 0; r == 0 && k < n; k++)
		if (peers_known(&networks[k]))
			(void) peers_tell(e, &networks[k], NULL); /* an address of nobody does no harm; the next one tells */
	(void) names_repair(e, NULL); /* a network that is left may miss its resolver; `system check` says what cannot be */
	return r;
}
