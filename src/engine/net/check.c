/* SPDX-License-Identifier: MIT */
/**
 * DOC: what is wrong with networks
 *
 * Leases of instances that do not run, networks that are in use without a bridge or unknown to the rules.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/check.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/net/attach.h"
#include "engine/net/check.h"
#include "engine/net/home.h"
#include "engine/net/names.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "engine/net/resolver.h"
#include "net/link.h"

/* Instances that hold something, but have no row or do not run */
static int find_idle(struct engine *e, struct arena *a, struct img_words *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT instance FROM (SELECT instance FROM endpoint UNION SELECT instance FROM port) WHERE instance NOT IN"
			 " (SELECT id FROM instance WHERE state IN ('running', 'restarting'))",
			 "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		const char *id = arena_strdup(a, db_text(rows, 0));

		r = id != NULL && eng_words_add(a, ret, id) == 0 ? 0 : err_set(err, -ENOMEM, "look after the networks");
	}
	return r;
}

static int check_leases(struct engine *e, const struct eng_check *c, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct img_words idle = { 0 };
	int r = find_idle(e, &a, &idle, err);

	for (size_t i = 0; r == 0 && i < idle.n; i++) {
		const char *text = arena_printf(&a, "instance %.12s does not run, but has addresses or ports", idle.v[i]);
		bool done = c->repair && eng_net_stop(e, idle.v[i], NULL) == 0;

		c->found(c->data, text != NULL ? text : "", done ? "given back" : NULL);
	}
	return r;
}

/* Does somebody answer for its names? */
static void check_names(struct engine *e, const struct eng_check *c, const struct eng_network *n, struct arena *a)
{
	const char *what;

	if (!names_known(n) || resolver_pid(e, n->id) != 0)
		return;
	what = arena_printf(a, "network '%s': its resolver is gone", n->name);
	c->found(c->data, what != NULL ? what : "", c->repair && names_start(e, n, NULL) == 0 ? "started again" : NULL);
}

/* Is the network there as its instances need it? */
static int check_network(struct engine *e, const struct eng_check *c, struct eng_network *n, struct arena *a, struct err *err)
{
	char table[NET_TABLE_MAX];
	struct eng_endpoint *users;
	struct net_link link;
	const char *what;
	int rules = -EBADF, r = eng_endpoints(e, n->id, NULL, a, &users, err), known = 1;

	if (r <= 0 || strcmp(n->driver, "bridge") != 0)
		return r < 0 ? r : 0;
	r = home_find(e) == -ENOENT ? -ENODEV : network_table(e, table, &rules, err);
	if (r < 0 && r != -ENODEV)
		return r;
	if (r == 0) {
		_cleanup_close_ int fd = home_netlink(e, err);
		if (fd < 0)
			return fd;
		check_names(e, c, n, a);
		r = net_link_find(fd, n->device, &link);
	}
	if (r == 0)
		known = net_table_knows(rules, table, n->device, err);
	if (known < 0 || (r < 0 && r != -ENODEV))
		return known < 0 ? known : err_set(err, r, "find bridge '%s'", n->device);
	if (r == 0 && known == 1)
		return 0;
	what = arena_printf(a, r < 0 ? "network '%s': its bridge %s is gone, its instances must be started again"
				     : "network '%s': the rules of nftables do not know %s",
			    n->name, n->device);
	r = c->repair && r == 0 ? network_rules(e, NULL) : -ENODEV;
	c->found(c->data, what != NULL ? what : "", r == 0 ? "made again" : NULL);
	return 0;
}

int eng_net_check(struct engine *e, const struct eng_check *c, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *list = NULL;
	int r = check_leases(e, c, err), n = r == 0 ? eng_network_list(e, &a, &list, err) : r;

	for (int i = 0; r == 0 && i < n; i++)
		r = check_network(e, c, &list[i], &a, err);
	return n < 0 ? n : r;
}
