/* SPDX-License-Identifier: MIT */
/**
 * DOC: what others have taken down
 *
 * A firewall that was started again has flushed the rules, and somebody removed a bridge: a person asks for it to be made
 * again.  A home of a user's networks that somebody has ended is found by the next command.
 *
 * Whoever kills one of its processes, or the namespace, leaves instances that run without it.  What it was follows from
 * the database: it is made again, and containers get new devices with the addresses that they have leased.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/home.h"
#include "engine/net/lease.h"
#include "engine/net/names.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "engine/net/relay.h"
#include "engine/stop.h"
#include "net/link.h"

/* Does its default route lead by this device?  1; 0; -errno with a message. */
static int is_way_out(struct engine *e, const struct eng_endpoint *p, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT min(e.number) FROM endpoint AS e JOIN network AS n ON n.id = e.network WHERE e.instance = ? AND n.internal = 0",
			 "s", p->instance);

	if (r == 0)
		r = db_next(rows, err);
	return r == 1 ? db_i64(rows, 0) == p->number : r;
}

static int read_rate(struct engine *e, const struct eng_instance *i, const char *network, uint64_t *ret, struct err *err)
{
	struct eng_net_want wants[ENG_NETWORKS_MAX];
	struct eng_config c;
	int r = eng_instance_config(e, i, &c, err), n;

	if (r < 0)
		return r;
	n = eng_net_wants(&c, &c.arena, wants, err);
	for (int k = 0; k < n; k++)
		if (strcmp(wants[k].name, network) == 0)
			*ret = wants[k].rate;
	eng_config_fini(&c);
	return n < 0 ? n : 0;
}

static int rejoin(struct engine *e, const struct eng_network *n, const struct eng_endpoint *p, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_instance i;
	struct net_leg leg;
	char path[64];
	int r = eng_instance_find(e, p->instance, &a, &i, err), out = 0;

	if (r == 0 && eng_backend_find(i.isolation)->machine)
		return err_msg(err, -EOPNOTSUPP, "it is a virtual machine, and must be started again");
	if (r == 0)
		r = eng_lease_leg(n, p, &leg, err);
	if (r == 0)
		r = read_rate(e, &i, n->name, &leg.rate, err);
	if (r == 0)
		r = out = n->internal ? 0 : is_way_out(e, p, err);
	if (r < 0)
		return r;
	if (out == 1) {
		leg.gateways[0] = n->v4.gateway;
		leg.gateways[1] = n->v6.gateway;
	}
	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", eng_pid(e, &i));
	_cleanup_close_ int netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0) /* it has just ended */
		return 0;
	r = home_detach(e, netns, leg.inside, err); /* of a home that is about to end */
	return r == 0 ? home_attach(e, netns, &leg, 1, err) : r;
}

/* Return: 1 all who are in it had to be joined to it again; 0; -errno with a message. */
static int repair_network(struct engine *e, const struct eng_network *n, const struct eng_endpoint *users, int nr_users, struct err *err)
{
	_cleanup_close_ int fd = home_netlink(e, err);
	struct net_link bridge;
	bool there = fd >= 0 && net_link_find(fd, n->device, &bridge) == 0;
	int r = fd < 0 ? fd : network_make(e, n, err);

	for (int i = 0; r == 0 && !there && i < nr_users; i++) {
		struct err why = { 0 };

		if (rejoin(e, n, &users[i], &why) < 0)
			log_warning("network %s of instance '%s' is gone: %s", n->name, users[i].name, why.text);
	}
	return r == 0 ? !there : r;
}

/* The caller holds network_lock(). */
static int repair(struct engine *e, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *list;
	struct eng_endpoint *users;
	int n = eng_network_list(e, &a, &list, err), r = 0;
	bool used = false;

	for (int i = 0; r == 0 && i < n; i++) {
		int nr_users = eng_endpoints(e, list[i].id, NULL, &a, &users, err);

		if (nr_users > 0)
			r = home_need(e, !list[i].internal, err);
		if (nr_users > 0 && r == 0)
			r = repair_network(e, &list[i], users, nr_users, err);
		r = nr_users < 0 ? nr_users : r > 0 ? 0 : r;
		used = used || nr_users > 0;
	}
	return n < 0 ? n : r == 0 && used && relay_lost(e) ? relay_restore(e, err) : r;
}

static int reload_one(struct engine *e, const struct eng_instance *i, const struct eng_network *n, struct arena *a, struct err *err)
{
	struct eng_endpoint *users;
	int count, r;

	if (strcmp(n->driver, "bridge") != 0)
		return 0;
	count = eng_endpoints(e, n->id, NULL, a, &users, err);
	r = count < 0 ? count : repair_network(e, n, users, count, err);
	if (r != 0 || eng_backend_find(i->isolation)->machine) /* its devices are its own */
		return r < 0 ? r : 0;
	for (int k = 0; r == 0 && k < count; k++)
		if (strcmp(users[k].instance, i->id) == 0)
			r = rejoin(e, n, &users[k], err);
	return r;
}

int eng_net_reload(struct engine *e, const struct eng_instance *i, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_close_ int lock = -EBADF;
	struct eng_network *list = NULL;
	int n = 0, r = eng_networks_repair(e, err); /* the home of all of them first */

	if (r == 0 && i->state != ENG_STATE_RUNNING)
		return err_msg(err, -ESRCH, "instance '%s' is not running: its networks are made when it starts", i->name);
	if (r == 0)
		r = n = network_of(e, i->id, &a, &list, err);
	if (r <= 0) /* network pasta and the host's are not ours */
		return r;
	lock = network_lock(e, err);
	r = lock < 0 ? lock : 0;
	for (int k = 0; r == 0 && k < n; k++)
		r = reload_one(e, i, &list[k], &a, err);
	return r == 0 ? network_rules(e, err) : r;
}

int eng_networks_repair(struct engine *e, struct err *err)
{
	int r = 0;

	if (home_is_lost(e)) {
		_cleanup_close_ int lock = network_lock(e, err);

		r = lock < 0 ? lock : home_is_lost(e) ? repair(e, err) : 0; /* somebody may have been quicker */
	}
	return r == 0 ? names_repair(e, err) : r;
}
