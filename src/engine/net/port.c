/* SPDX-License-Identifier: MIT */
/**
 * DOC: published ports
 *
 * A port of the host is free when no row has it and no program of the host does; that is asked by binding a socket
 * to it, for a moment.
 */
#include "engine/net/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/net/attach.h"
#include "net/link.h"
#include "net/publish.h"

#define TRIES 64 /* of any port */
#define UNPRIVILEGED 1024 /* as the kernel has it when nobody says otherwise */

struct taking {
	struct engine *e;
	const char *id;
	struct arena *a;
	struct port_list *list;
	struct net_address any4; /* where ports are published that name no address of IPv4 */
};

/* Return: 1 an instance has the port; 0; -errno with a message. */
static int is_leased(const struct taking *t, const struct net_table_port *p, const char *address, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	const char *any = p->host.family == AF_INET6 ? "::" : "0.0.0.0";
	int r = db_query(t->e->db, &rows, err,
			 "SELECT i.name FROM port AS p LEFT JOIN instance AS i ON i.id = p.instance WHERE p.protocol = ?1"
			 " AND p.port = ?2 AND (p.address = ?3 OR p.address = ?4 OR (?3 = ?4 AND (instr(p.address, ':') > 0) = (instr(?4, ':') > 0)))",
			 "iiss", (int64_t) p->protocol, (int64_t) p->port, address, any);

	if (r == 0)
		r = db_next(rows, err);
	if (r == 1)
		(void) err_msg(err, -EADDRINUSE, "Bind for %s%s%s:%u failed: port is already allocated by instance '%s'",
			       p->host.family == AF_INET6 ? "[" : "", address, p->host.family == AF_INET6 ? "]" : "", p->port,
			       db_text(rows, 0));
	return r;
}

static int in_use(const struct net_table_port *p, const char *address, int r, struct err *err)
{
	char holder[NET_HOLDER_MAX] = "";

	if (r == -EADDRNOTAVAIL)
		return err_msg(err, r, "Bind for %s:%u failed: it is no address of this host", address, p->port);
	if (r == -EACCES && p->port < UNPRIVILEGED)
		return err_msg(err, r, "Bind for %s:%u failed: ports below %d need root (or a lower net.ipv4.ip_unprivileged_port_start)", address,
			       p->port, UNPRIVILEGED);
	if (r != -EADDRINUSE)
		return err_set(err, r, "Bind for %s:%u failed", address, p->port);
	net_port_holder(p->protocol, p->port, holder);
	return err_msg(err, r, "Bind for %s:%u failed: port %u/%s is in use by %s", address, p->port, p->port,
		       net_protocol_name(p->protocol), holder[0] != '\0' ? holder : "another program");
}

/* Return: 0 it is @p->port now; -EADDRINUSE; -errno with a message. */
static int try_port(const struct taking *t, struct net_table_port *p, struct err *err)
{
	char address[NET_TEXT_MAX];
	bool any = p->port == 0;
	int r = 0, got;

	net_address_text(&p->host, address);
	for (int i = 0; i < (any ? TRIES : 1); i++) {
		if (!any) { /* first: without root a program of ours has it as well */
			r = is_leased(t, p, address, err);
			if (r != 0)
				return r;
		}
		got = net_port_try(p->protocol, &p->host, any ? 0 : p->port);
		if (got < 0 || !any)
			return got < 0 ? in_use(p, address, got, err) : 0;
		p->port = (uint16_t) got;
		r = is_leased(t, p, address, err);
		if (r <= 0)
			return r;
		p->port = 0;
	}
	return -EADDRINUSE;
}

static int insert(const struct taking *t, const struct net_table_port *p, struct err *err)
{
	char address[NET_TEXT_MAX], target[NET_TEXT_MAX];
	int r;

	net_address_text(&p->host, address);
	net_address_text(&p->to, target);
	r = db_run(t->e->db, err, "INSERT INTO port(protocol, address, port, instance, target, inside) VALUES(?, ?, ?, ?, ?, ?)",
		   "isissi", (int64_t) p->protocol, address, (int64_t) p->port, t->id, target, (int64_t) p->to_port);
	if (r < 0)
		return r;
	t->list->v = arena_grow(t->a, t->list->v, t->list->n, &t->list->room, sizeof(*t->list->v));
	if (t->list->v == NULL)
		return err_set(err, -ENOMEM, "publish ports");
	t->list->v[t->list->n++] = *p;
	return 0;
}

/* One of the ports of the host that were asked for */
static int publish(const struct taking *t, const struct net_publish *w, const struct net_address *host,
		   const struct net_address *to, uint16_t *port, struct err *err)
{
	struct net_table_port p = { .protocol = w->protocol, .host = *host, .to = *to, .to_port = w->inside };
	unsigned first = *port != 0 ? *port : w->first, last = *port != 0 ? *port : w->last;
	int r = -EADDRINUSE;

	for (unsigned n = first; r == -EADDRINUSE && n <= last; n++) {
		p.port = (uint16_t) n;
		r = try_port(t, &p, err);
		if (r > 0)
			r = -EADDRINUSE;
	}
	if (r == 0)
		r = insert(t, &p, err);
	*port = p.port;
	return r;
}

/* On all addresses of the host, also those of IPv6 if the instance has one. */
static int publish_all(const struct taking *t, const struct net_publish *w, const struct net_leg *leg, struct err *err)
{
	const struct net_address any6 = { .family = AF_INET6 };
	const struct net_address *v4 = &leg->v4.base, *v6 = &leg->v6.base;
	bool want4 = w->host.family != AF_INET6 && v4->family != 0, want6 = w->host.family != AF_INET && v6->family != 0;
	uint16_t port = 0;
	int r = 0;

	if (t->e->keeper >= 0 && w->protocol != IPPROTO_TCP && w->protocol != IPPROTO_UDP)
		return err_msg(err, -EPROTONOSUPPORT,
			       "port %u/%s: without root only tcp and udp can be published; --network host needs no published ports",
			       w->inside, net_protocol_name(w->protocol));
	if (!want4 && !want6)
		return err_msg(err, -EINVAL, "port %u/%s: the network has no addresses of that version of IP", w->inside,
			       net_protocol_name(w->protocol));
	if (want4)
		r = publish(t, w, w->host.family != 0 ? &w->host : &t->any4, v4, &port, err);
	if (r == 0 && want6)
		r = publish(t, w, w->host.family != 0 ? &w->host : &any6, v6, &port, err);
	return r;
}

static bool is_published(const struct port_list *list, unsigned char protocol, unsigned inside)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].protocol == protocol && list->v[i].to_port == inside)
			return true;
	return false;
}

/* "80/tcp" */
static int publish_exposed(const struct taking *t, const char *text, const struct net_leg *leg, struct err *err)
{
	const char *slash = strchr(text, '/');
	struct net_publish w = { .protocol = slash != NULL ? net_protocol_find(slash + 1) : IPPROTO_TCP };
	unsigned long inside = strtoul(text, NULL, 10);

	if (inside == 0 || inside > NET_PORT_MAX || w.protocol == 0 || is_published(t->list, w.protocol, (unsigned) inside))
		return 0; /* an image may say anything */
	w.inside = (uint16_t) inside;
	return publish_all(t, &w, leg, err);
}

int eng_port_take(struct engine *e, const char *id, const struct eng_config *c, const char *binding,
		  const struct net_leg *leg, struct arena *a, struct port_list *ret, struct err *err)
{
	struct taking t = { e, id, a, ret, { .family = AF_INET } };
	int r = 0;

	if (binding != NULL && (net_address_parse(binding, &t.any4) < 0 || t.any4.family != AF_INET))
		return err_msg(err, -EINVAL, "ports cannot be published on '%.64s', which is no address of IPv4", binding);

	for (size_t i = 0; r == 0 && i < c->ports.n; i++) {
		_cleanup_free_ struct net_publish *list = NULL;
		int n = net_publish_parse(c->ports.v[i], &list, err);

		r = n < 0 ? n : 0;
		for (int k = 0; r == 0 && k < n; k++)
			r = publish_all(&t, &list[k], leg, err);
	}
	for (size_t i = 0; r == 0 && c->publish_all && i < c->expose.n; i++)
		r = publish_exposed(&t, c->expose.v[i], leg, err);
	return r;
}

int eng_ports(struct engine *e, const char *id, struct arena *arena, struct eng_port **ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_port *list = NULL;
	size_t n = 0, room = 0;
	int r = db_query(e->db, &rows, err,
			 "SELECT protocol, address, port, target, inside FROM port WHERE instance = ?"
			 " ORDER BY protocol, inside, address, port",
			 "s", id);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		list = arena_grow(arena, list, n, &room, sizeof(*list));
		if (list == NULL)
			return err_set(err, -ENOMEM, "read the published ports");
		list[n] = (struct eng_port) { .protocol = (unsigned char) db_i64(rows, 0),
					      .address = arena_strdup(arena, db_text(rows, 1)),
					      .port = (int) db_i64(rows, 2),
					      .target = arena_strdup(arena, db_text(rows, 3)),
					      .inside = (int) db_i64(rows, 4) };
		if (list[n].address == NULL || list[n].target == NULL)
			return err_set(err, -ENOMEM, "read the published ports");
		n++;
		r = 0;
	}
	if (r < 0)
		return r;
	*ret = list;
	return (int) n;
}
