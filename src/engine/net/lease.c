/* SPDX-License-Identifier: MIT */
/**
 * DOC: addresses of instances
 *
 * Within one transaction, so two never get the same.  The next one after the last that was given comes first: an
 * address that was just given back is left alone for as long as possible, since others may still know its last owner.
 */
#include "engine/net/lease.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"

#define HOST_NAME_DIGITS 12 /* of the id, of an instance that got no name of its own */
#define TRIES_MAX 1048576 /* addresses that are looked at */

struct family {
	const struct eng_network *network;
	const struct eng_subnet *subnet;
	const char *column; /* "ip" or "ip6" */
};

/* Return: 1 an instance has it: its name in *ret_name; 0; -errno with a message. */
static int is_taken(struct engine *e, const struct family *f, const char *text, struct arena *a, const char **ret_name,
		    struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 f->column[2] == '6'
				 ? "SELECT i.name FROM endpoint AS e LEFT JOIN instance AS i ON i.id = e.instance"
				   " WHERE e.network = ? AND e.ip6 = ?"
				 : "SELECT i.name FROM endpoint AS e LEFT JOIN instance AS i ON i.id = e.instance"
				   " WHERE e.network = ? AND e.ip = ?",
			 "ss", f->network->id, text);

	if (r == 0)
		r = db_next(rows, err);
	if (r == 1 && ret_name != NULL)
		*ret_name = arena_strdup(a, db_text(rows, 0));
	return r;
}

/* Neither the host's, nor that of the network itself or of everybody in it */
static bool may_be_given(const struct eng_subnet *s, const struct net_address *a)
{
	struct net_address first = net_prefix_first(&s->net), last = net_prefix_last(&s->net);

	return net_prefix_has(&s->net, a) && !net_address_same(a, &s->gateway) && !net_address_same(a, &first) &&
	       (a->family == AF_INET6 || !net_address_same(a, &last));
}

static int wanted(struct engine *e, const struct family *f, const char *text, struct net_address *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	char net[NET_TEXT_MAX], canonical[NET_TEXT_MAX];
	const char *holder = NULL;
	size_t n;
	int r;

	net_prefix_text(&f->subnet->net, net);
	if (net_address_parse(text, ret) < 0 || !may_be_given(f->subnet, ret))
		return err_msg(err, -EINVAL, "invalid address %.64s: it does not belong to network %s (%s), or is the host's", text,
			       f->network->name, net[0] != '\0' ? net : "without such addresses");
	net_address_text(ret, canonical);
	holder = network_aux(f->network, canonical, &n);
	if (holder != NULL)
		return err_msg(err, -EADDRINUSE, "Address already in use: %s belongs to '%.*s' in network %s (--aux-address)", canonical,
			       (int) (n < 64 ? n : 64), holder, f->network->name);
	r = is_taken(e, f, canonical, &a, &holder, err);
	if (r == 1)
		return err_msg(err, -EADDRINUSE, "Address already in use: instance '%s' has %s in network %s",
			       holder != NULL ? holder : "", canonical, f->network->name);
	return r;
}

static int read_last(struct engine *e, const struct family *f, uint64_t *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, f->column[2] == '6' ? "SELECT last6 FROM network WHERE id = ?" : "SELECT last FROM network WHERE id = ?",
			 "s", f->network->id);

	if (r == 0)
		r = db_next(rows, err);
	if (r == 1)
		*ret = (uint64_t) db_i64(rows, 0);
	return r == 0 ? err_msg(err, -ENOENT, "network %s was removed meanwhile", f->network->name) : r < 0 ? r : 0;
}

static int choose(struct engine *e, const struct family *f, struct net_address *ret, struct err *err)
{
	const struct net_prefix *range = f->subnet->range.base.family != 0 ? &f->subnet->range : &f->subnet->net;
	struct net_address first = net_prefix_first(range), last = net_prefix_last(range), a;
	uint64_t size = net_address_minus(&last, &first), at = 0;
	char text[NET_TEXT_MAX];
	size_t name;
	int r = read_last(e, f, &at, err);

	size = size < TRIES_MAX ? size + 1 : TRIES_MAX;
	for (uint64_t n = 0; r == 0 && n < size; n++) {
		at = (at + 1) % size;
		a = net_address_plus(&first, at);
		if (!may_be_given(f->subnet, &a))
			continue;
		net_address_text(&a, text);
		if (network_aux(f->network, text, &name) != NULL)
			continue;
		r = is_taken(e, f, text, NULL, NULL, err);
		if (r != 0) {
			r = r < 0 ? r : 0;
			continue;
		}
		r = db_run(e->db, err, f->column[2] == '6' ? "UPDATE network SET last6 = ? WHERE id = ?" : "UPDATE network SET last = ? WHERE id = ?",
			   "is", (int64_t) at, f->network->id);
		*ret = a;
		return r < 0 ? r : 0;
	}
	net_prefix_text(range, text);
	return r < 0 ? r : err_msg(err, -EADDRNOTAVAIL, "no available IPv%s addresses in network %s: all of %s are in use",
				   f->column[2] == '6' ? "6" : "4", f->network->name, text);
}

static int take_one(struct engine *e, const struct family *f, const char *want, struct net_prefix *ret, struct err *err)
{
	int r;

	if (f->subnet->net.base.family == 0 && want == NULL)
		return 0;
	r = want != NULL ? wanted(e, f, want, &ret->base, err) : choose(e, f, &ret->base, err);
	ret->length = f->subnet->net.length;
	return r;
}

/* Made of its address, so that others who know the address do not learn a new one */
static int make_mac(const char *text, struct net_leg *leg, struct err *err)
{
	const struct net_address *a = leg->v4.base.family != 0 ? &leg->v4.base : &leg->v6.base;
	size_t size = net_address_size(a);
	unsigned m[NET_MAC_LEN];

	leg->has_mac = true;
	if (text == NULL) {
		leg->mac[0] = 0x02;
		leg->mac[1] = 0x42;
		if (size >= 4)
			memcpy(leg->mac + 2, a->bytes + size - 4, 4);
		return 0;
	}
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != NET_MAC_LEN)
		return err_msg(err, -EINVAL, "%.64s is not a valid mac address", text);
	for (size_t i = 0; i < NET_MAC_LEN; i++)
		leg->mac[i] = (unsigned char) m[i];
	return 0;
}

static int name_ends(struct net_leg *leg, int number, struct err *err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_set(err, -errno, "choose a name for a network device");
	(void) snprintf(leg->inside, sizeof(leg->inside), "eth%d", number);
	(void) snprintf(leg->host, sizeof(leg->host), "cv%012llx", (unsigned long long) random & 0xffffffffffffull);
	return 0;
}

/* What it is called: its name, the beginning of its id, the host name somebody chose, and other names */
static void add_names(const struct eng_instance *i, const struct eng_config *c, const struct eng_net_want *w, struct str *ret)
{
	str_printf(ret, "%s %.*s", i->name, HOST_NAME_DIGITS, i->id);
	if (c->hostname != NULL && strncmp(c->hostname, i->id, HOST_NAME_DIGITS) != 0)
		str_printf(ret, " %s", c->hostname);
	for (size_t k = 0; k < w->aliases.n; k++)
		str_printf(ret, " %s", w->aliases.v[k]);
}

static int insert(struct engine *e, const char *id, const struct eng_network *n, int number, const struct net_leg *leg,
		  const char *names, const char *servers, struct err *err)
{
	char ip[NET_TEXT_MAX], ip6[NET_TEXT_MAX], mac[18];
	int r;

	net_address_text(&leg->v4.base, ip);
	net_address_text(&leg->v6.base, ip6);
	(void) snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", leg->mac[0], leg->mac[1], leg->mac[2], leg->mac[3],
			leg->mac[4], leg->mac[5]);
	r = db_run(e->db, err,
		   "INSERT INTO endpoint(instance, network, number, ip, ip6, mac, names, servers) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		   "ssisssss", id, n->id, (int64_t) number, ip[0] != '\0' ? ip : NULL, ip6[0] != '\0' ? ip6 : NULL, mac, names,
		   servers);
	if (r == -EEXIST)
		return err_msg(err, r, "the instance is in network %s already", n->name);
	return r < 0 ? r : 0;
}

int eng_lease_take(struct engine *e, const struct eng_instance *i, const struct eng_config *c, const struct eng_network *n,
		   const struct eng_net_want *want, int number, struct net_leg *ret, struct err *err)
{
	const struct family v4 = { n, &n->v4, "ip" }, v6 = { n, &n->v6, "ip6" };
	_cleanup_(str_fini) struct str names = { 0 }, servers = { 0 };
	struct net_leg leg = { .parent = n->device, .mtu = n->mtu, .rate = want->rate, .alone = eng_network_off(n, ENG_NETWORK_ICC) };
	int rules, r = want->rate != 0 ? network_table(e, leg.table, &rules, err) : 0;

	if (r == 0)
		r = take_one(e, &v4, want->ip, &leg.v4, err);
	if (r == 0)
		r = take_one(e, &v6, want->ip6, &leg.v6, err);
	if (r == 0)
		r = make_mac(want->mac, &leg, err);
	if (r == 0)
		r = name_ends(&leg, number, err);
	if (r < 0)
		return r;
	add_names(i, c, want, &names);
	for (size_t k = 0; k < c->dns.n; k++)
		str_printf(&servers, "%s%s", k > 0 ? " " : "", c->dns.v[k]);
	if (names.failed || servers.failed)
		return err_set(err, -ENOMEM, "lease addresses");
	r = insert(e, i->id, n, number, &leg, names.p, servers.p != NULL ? servers.p : "", err);
	if (r == 0)
		*ret = leg;
	return r;
}

int eng_lease_leg(const struct eng_network *n, const struct eng_endpoint *p, struct net_leg *ret, struct err *err)
{
	struct net_leg leg = { .parent = n->device, .mtu = n->mtu, .v4.length = n->v4.net.length, .v6.length = n->v6.net.length,
			       .alone = eng_network_off(n, ENG_NETWORK_ICC) };
	int r;

	(void) net_address_parse(p->ip, &leg.v4.base); /* "": it has none */
	(void) net_address_parse(p->ip6, &leg.v6.base);
	r = make_mac(p->mac, &leg, err);
	if (r == 0)
		r = name_ends(&leg, p->number, err);
	if (r == 0)
		*ret = leg;
	return r;
}
