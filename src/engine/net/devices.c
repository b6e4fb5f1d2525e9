/* SPDX-License-Identifier: MIT */
/**
 * DOC: bridges and rules of networks
 *
 * Both follow from the database.  Whoever starts an instance looks whether its networks are there as it should be,
 * which takes two questions to the kernel each, and makes what is missing: after the machine was started, or after
 * somebody has flushed all rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/net/home.h"
#include "engine/net/names.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "net/forward.h"
#include "net/link.h"
#include "net/route.h"
#include "sys/netlink.h"
#include "sys/netns.h"

#define MTU_DEFAULT 1500
#define VALUE_MAX 16 /* bytes of a number in /proc/sys */

static bool is_bridge(const struct eng_network *n)
{
	return strcmp(n->driver, "bridge") == 0;
}

static struct net_table_bridge describe(const struct eng_network *n)
{
	return (struct net_table_bridge) {
		.device = n->device,
		.v4 = n->v4.net,
		.v6 = n->v6.net,
		.internal = n->internal,
		.plain = eng_network_off(n, ENG_NETWORK_MASQUERADE),
		.names = names_known(n) ? n->v4.gateway : (struct net_address) { 0 },
	};
}

/* Write @value where it is not that already, so that a /proc/sys that cannot be written to may be right. */
static int set_sysctl(const char *path, const char *value, struct err *err)
{
	_cleanup_(str_fini) struct str have = { 0 };
	int r = file_read(AT_FDCWD, path, VALUE_MAX, &have);

	if (r == -ENOENT) /* a kernel without IPv6 */
		return 0;
	if (r == 0 && have.p != NULL && strncmp(have.p, value, strlen(value)) == 0)
		return 0;
	r = file_write(AT_FDCWD, path, value);
	return r < 0 ? err_set(err, r, "write %s to %s", value, path) : 0;
}

/* Forwarding, and answers to the host's own connections from 127.0.0.1 */
static int set_sysctls(const struct eng_network *n, struct err *err)
{
	char path[128];
	int r = 0;

	if (!n->internal)
		r = set_sysctl("/proc/sys/net/ipv4/ip_forward", "1", err);
	if (r == 0 && !n->internal && n->v6.net.base.family != 0)
		r = set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1", err);
	(void) snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet", n->device);
	return r == 0 ? set_sysctl(path, "1", err) : r;
}

/* As large as what leaves the host may be */
static unsigned choose_mtu(const struct eng_network *n, int fd, const struct net_routes *routes)
{
	unsigned mtu = n->mtu;

	if (mtu == 0 && routes->default_device != 0)
		mtu = net_link_mtu(fd, routes->default_device);
	return mtu == 0 || (n->mtu == 0 && mtu > MTU_DEFAULT) ? MTU_DEFAULT : mtu;
}

struct making {
	const struct eng_network *n;
	struct err *err;
};

/* Called where it is to be */
static int make_bridge(void *arg)
{
	const struct making *m = arg;
	const struct eng_network *n = m->n;
	struct net_bridge b = {
		.name = n->device,
		.v4 = { n->v4.gateway, n->v4.net.length },
		.v6 = { n->v6.gateway, n->v6.net.length },
	};
	_cleanup_close_ int fd = netlink_open();
	struct net_routes routes = { 0 };
	int r = fd < 0 ? err_set(m->err, fd, "netlink socket") : net_routes_read(fd, &routes, m->err);

	if (r == 0) {
		b.mtu = choose_mtu(n, fd, &routes);
		r = net_bridge_make(fd, &b, m->err);
	}
	net_routes_fini(&routes);
	return r == 0 ? set_sysctls(n, m->err) : r;
}

static int read_bridges(struct engine *e, struct arena *a, struct net_table *t, struct err *err)
{
	struct net_table_bridge *v;
	struct eng_network *list;
	int n = eng_network_list(e, a, &list, err);

	if (n < 0)
		return n;
	v = arena_alloc(a, (size_t) n + 1, sizeof(*v));
	if (v == NULL)
		return err_set(err, -ENOMEM, "read the list of networks");
	for (int i = 0; i < n; i++)
		if (is_bridge(&list[i]) && list[i].device[0] != '\0')
			v[t->nr_bridges++] = describe(&list[i]);
	t->bridges = v;
	return 0;
}

static int read_ports(struct engine *e, struct arena *a, struct net_table *t, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct net_table_port *v = NULL;
	size_t room = 0;
	int r = db_query(e->db, &rows, err, "SELECT protocol, address, port, target, inside FROM port", "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		struct net_table_port p = { .protocol = (unsigned char) db_i64(rows, 0),
					    .port = (uint16_t) db_i64(rows, 2),
					    .to_port = (uint16_t) db_i64(rows, 4) };

		r = 0;
		if (net_address_parse(db_text(rows, 1), &p.host) < 0 || net_address_parse(db_text(rows, 3), &p.to) < 0 || net_address_is_any(&p.to)) /* of network pasta */
			continue;
		v = arena_grow(a, v, t->nr_ports, &room, sizeof(*v));
		if (v == NULL)
			return err_set(err, -ENOMEM, "read the published ports");
		v[t->nr_ports++] = p;
	}
	t->ports = v;
	return r;
}

int network_rules(struct engine *e, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	char name[NET_TABLE_MAX];
	struct net_table t = { .name = name };
	int r = network_table(e, name, &t.fd, err);

	t.foreign = e->keeper >= 0; /* as cleave-ports makes them */
	if (r == 0)
		r = read_bridges(e, &a, &t, err);
	if (r == 0)
		r = read_ports(e, &a, &t, err);
	return r == 0 ? net_table_make(&t, err) : r;
}

/* -ENOENT: somebody flushed the rules; -EBUSY: an element of before is in the way */
static int add_rules(struct engine *e, const struct net_table *t, struct err *err)
{
	int r = net_table_add(t, err);

	return r == -ENOENT || r == -EBUSY || r == -EEXIST ? network_rules(e, err) : r;
}

int network_publish(struct engine *e, const struct net_table_port *ports, size_t n, struct err *err)
{
	char name[NET_TABLE_MAX];
	struct net_table t = { .name = name, .ports = ports, .nr_ports = n };
	int r = n > 0 ? network_table(e, name, &t.fd, err) : 0;

	return r == 0 && n > 0 ? add_rules(e, &t, err) : r;
}

/* What the rules know of one network */
struct one {
	char name[NET_TABLE_MAX];
	struct net_table_bridge bridge;
	struct net_table table;
};

static int open_one(struct engine *e, const struct eng_network *n, struct one *ret, struct err *err)
{
	ret->bridge = describe(n);
	ret->table = (struct net_table) { .name = ret->name, .bridges = &ret->bridge, .nr_bridges = 1 };
	return network_table(e, ret->name, &ret->table.fd, err);
}

/* In the home of a user there are no rules but ours. */
static int allow(const struct engine *e, int rules, const struct eng_network *n, struct err *err)
{
	return e->keeper >= 0 ? 0 : net_forward_allow(rules, n->device, names_known(n), err);
}

int network_make(struct engine *e, const struct eng_network *n, struct err *err)
{
	struct making m = { n, err };
	struct one one;
	int r;

	if (!is_bridge(n) || home_find(e) == -ENOENT)
		return 0;
	r = open_one(e, n, &one, err);
	if (r == 0)
		r = netns_call(e->netns, make_bridge, &m);
	if (r == 0)
		r = add_rules(e, &one.table, err);
	return r == 0 ? allow(e, one.table.fd, n, err) : r;
}

/* The network's addresses may be the host's by now: on a default network nobody has chosen, others are taken. */
static int recheck(struct engine *e, struct eng_network *n, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	char net[NET_TEXT_MAX], gateway[NET_TEXT_MAX];
	struct eng_endpoint *users;
	int r = network_choose(e, n, false, err);

	if (r != -EEXIST || strcmp(n->name, ENG_NETWORK_DEFAULT) != 0 || eng_endpoints(e, n->id, NULL, &a, &users, NULL) != 0)
		return r;
	n->v4 = (struct eng_subnet) { 0 };
	r = network_choose(e, n, false, err);
	if (r < 0)
		return r;
	net_prefix_text(&n->v4.net, net);
	net_address_text(&n->v4.gateway, gateway);
	r = db_run(e->db, err, "UPDATE network SET subnet = ?, gateway = ?, ip_range = '', last = 0 WHERE id = ?", "sss", net, gateway,
		   n->id);
	return r < 0 ? r : 0;
}

/* Is its bridge there, and up?  1; 0; -errno with a message. */
static int has_bridge(struct engine *e, const struct eng_network *n, struct err *err)
{
	struct net_link link;

	if (!home_is_open(e, !n->internal))
		return 0;
	_cleanup_close_ int fd = home_netlink(e, err);
	return fd < 0 ? fd : net_link_find(fd, n->device, &link) == 0 && link.up;
}

int network_prepare(struct engine *e, struct eng_network *n, struct err *err)
{
	int r = is_bridge(n) ? has_bridge(e, n, err) : 1;

	return r != 0 ? r < 0 ? r : 0 : network_up(e, n, err);
}

int network_up(struct engine *e, struct eng_network *n, struct err *err)
{
	char table[NET_TABLE_MAX];
	int rules, r = is_bridge(n) ? has_bridge(e, n, err) : 0;

	if (!is_bridge(n) || r < 0)
		return r;
	if (r == 1) {
		r = network_table(e, table, &rules, err);
		if (r == 0)
			r = net_table_knows(rules, table, n->device, err);
		if (r != 0) /* the host's rules may be new */
			return r < 0 ? r : allow(e, rules, n, err);
	}
	_cleanup_close_ int lock = network_lock(e, err);
	if (lock < 0)
		return lock;
	r = recheck(e, n, err);
	if (r == 0)
		r = home_need(e, !n->internal, err);
	return r == 0 ? network_make(e, n, err) : r;
}

int network_down(struct engine *e, const struct eng_network *n, struct err *err)
{
	struct one one;
	int r;

	if (!is_bridge(n) || home_find(e) == -ENOENT)
		return 0;
	r = open_one(e, n, &one, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = home_netlink(e, err);
	if (fd < 0)
		return fd;
	r = net_link_remove(fd, n->device);
	if (r < 0)
		return err_set(err, r, "remove bridge '%s'", n->device);
	r = net_table_remove(&one.table, err);
	return r == 0 && e->keeper < 0 ? net_forward_forget(one.table.fd, n->device, err) : r;
}

static int has_endpoint(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT 1 FROM endpoint WHERE network = ? LIMIT 1", "s", n->id);

	return r == 0 ? db_next(rows, err) : r;
}

/* Nobody may be starting an instance in them. */
static int take_down(struct engine *e, const struct eng_network *list, int n, struct err *err)
{
	char name[NET_TABLE_MAX];
	int used = 0, rules = -EBADF, r = network_table(e, name, &rules, err);

	for (int i = 0; r == 0 && i < n; i++) {
		if (!is_bridge(&list[i]) || list[i].device[0] == '\0')
			continue;
		r = has_endpoint(e, &list[i], err);
		used += r == 1;
		r = r == 0 ? network_down(e, &list[i], err) : r < 0 ? r : 0;
	}
	return r == 0 && used == 0 ? net_table_drop(rules, name, err) : r;
}

int eng_networks_idle(struct engine *e, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_close_ int lock = network_lock(e, err); /* nobody is making one of them */
	struct eng_network *list;
	int r = lock < 0 ? lock : 0, n;

	if (r < 0 || home_find(e) == -ENOENT)
		return r;
	r = db_begin(e->db, err);
	if (r < 0)
		return r;
	n = eng_network_list(e, &a, &list, err);
	r = n < 0 ? n : take_down(e, list, n, err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	return db_commit(e->db, err);
}
