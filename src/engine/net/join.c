/* SPDX-License-Identifier: MIT */
/**
 * DOC: networks that an instance enters or leaves after it was made
 *
 * A lease that its configuration does not know is what somebody left who died: entering ends with the configuration,
 * leaving begins with it.  The same command, its opposite, or the next start puts that right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/hostfiles.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/lease.h"
#include "engine/net/names.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "engine/stop.h"

#define PATH_SIZE 128

static int open_netns(struct engine *e, const struct eng_instance *i, struct err *err)
{
	char path[64];
	int pid = eng_pid(e, i), fd;

	if (pid < 0)
		return err_msg(err, -ESRCH, "instance '%s' is not running any more", i->name);
	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open the network namespace of instance '%s'", i->name) : fd;
}

static int add_device(struct engine *e, const struct eng_instance *i, struct net_leg *leg, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	_cleanup_close_ int netns = -EBADF;

	if (b->join != NULL)
		return b->join(e, i->id, leg, err);
	netns = open_netns(e, i, err);
	return netns < 0 ? netns : net_legs_attach(netns, leg, 1, err);
}

static int remove_device(struct engine *e, const struct eng_instance *i, int number, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	_cleanup_close_ int netns = -EBADF;
	char inside[IF_NAMESIZE];

	if (b->leave != NULL)
		return b->leave(e, i->id, number, err);
	(void) snprintf(inside, sizeof(inside), "eth%d", number);
	netns = open_netns(e, i, err);
	return netns < 0 ? netns : net_leg_detach(netns, inside, err);
}

/* The number after the last of its devices */
static int next_number(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT max(number) + 1 FROM endpoint WHERE instance = ?", "s", id);

	if (r == 0)
		r = db_next(rows, err);
	return r < 0 ? r : (int) db_i64(rows, 0);
}

static int commit(struct engine *e, int r, struct err *err)
{
	if (r >= 0)
		return db_commit(e->db, err);
	db_rollback(e->db);
	return r;
}

static int drop_lease(struct engine *e, const char *id, const char *network, struct err *err)
{
	int r = db_begin(e->db, err);

	if (r < 0)
		return r;
	r = names_forget(e, network, id, err);
	if (r == 0)
		r = db_run(e->db, err, "DELETE FROM endpoint WHERE instance = ? AND network = ?", "ss", id, network);
	return commit(e, r, err);
}

static int lease(struct engine *e, const struct eng_instance *i, const struct eng_config *c, const struct eng_network *n,
		 const struct eng_net_want *w, struct net_leg *leg, struct err *err)
{
	int r = db_begin(e->db, err);

	if (r < 0)
		return r;
	r = next_number(e, i->id, err);
	if (r >= 0)
		r = eng_lease_take(e, i, c, n, w, r, leg, err);
	return commit(e, r, err);
}

/* Whom it may ask has changed, in all its networks; @before: address of the resolver that it asked up to now */
static void tell_names(struct engine *e, const struct eng_instance *i, const struct eng_config *c, const char *before)
{
	char path[PATH_SIZE], now[NET_TEXT_MAX];
	struct err why = { 0 };
	int r = names_tell(e, i->id, &why);

	if (r == 0)
		r = names_gateway(e, i->id, now, &why);
	if (r == 0 && strcmp(before, now) != 0) { /* a file that somebody changed inside stays otherwise */
		(void) snprintf(path, sizeof(path), "instances/%.64s", i->id);
		_cleanup_close_ int dir = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = dir < 0 ? err_set(&why, -errno, "open '%s/%s'", e->root, path)
			    : eng_hostfiles_resolver(now[0] != '\0' ? now : NULL, c, dir, &why);
	}
	if (r < 0)
		log_warning("names are not resolved for instance '%s': %s", i->name, why.text);
}

/* At once, in one that runs.  Its default route stays what it is, unless it has none. */
static int attach(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct eng_network *n,
		  const struct eng_net_want *w, bool way_out, struct err *err)
{
	char asked[NET_TEXT_MAX];
	struct net_leg leg;
	int r = names_gateway(e, i->id, asked, err);

	if (r == 0)
		r = network_prepare(e, n, err);
	if (r == 0 && strcmp(n->driver, "bridge") != 0)
		r = err_msg(err, -EOPNOTSUPP, "network %s: only networks on a bridge can be connected to while an instance runs", n->name);
	if (r == 0)
		r = lease(e, i, c, n, w, &leg, err);
	if (r < 0)
		return r;
	if (way_out && !n->internal) {
		leg.gateways[0] = n->v4.gateway;
		leg.gateways[1] = n->v6.gateway;
	}
	r = network_up(e, n, err);
	if (r == 0)
		r = add_device(e, i, &leg, err);
	if (r < 0)
		(void) drop_lease(e, i->id, n->id, NULL); /* else its end does */
	else
		tell_names(e, i, c, asked);
	return r;
}

static int check_join(const struct eng_config *c, const struct eng_instance *i, const struct eng_network *n, struct err *err)
{
	if (c->network != NULL && (strcmp(c->network, "host") == 0 || strchr(c->network, ':') != NULL))
		return err_msg(err, -EPERM, "instance '%s' shares the network of %s: it cannot be connected to network %s", i->name,
			       strcmp(c->network, "host") == 0 ? "the host" : "another instance", n->name);
	if (n->device[0] == '\0' && strcmp(n->name, ENG_NETWORK_DEFAULT) != 0)
		return err_msg(err, -EPERM, "an instance cannot be connected to network '%s' once it is made", n->name);
	return 0;
}

/* Where a network is among those that are asked for; -1 */
static int place_of(const struct eng_net_want *wants, int n, const char *name)
{
	for (int k = 0; k < n; k++)
		if (strcmp(wants[k].name, name) == 0)
			return k;
	return -1;
}

/* Put @n wishes into a configuration: the first has members of its own. */
static int set_wants(struct eng_config *c, const struct eng_net_want *wants, int n, struct err *err)
{
	static const struct eng_net_want none = { .name = "none" };
	const struct eng_net_want *first = n > 0 ? &wants[0] : &none;

	c->network = first->name;
	c->ip = first->ip;
	c->ip6 = first->ip6;
	c->mac_address = first->mac;
	c->network_aliases = first->aliases;
	c->network_rate = first->rate;
	c->networks = (struct img_words) { 0 };
	for (int k = 1; k < n; k++) {
		const char *text = eng_net_want_text(&c->arena, &wants[k]);

		if (text == NULL || eng_words_add(&c->arena, &c->networks, text) < 0)
			return err_set(err, -ENOMEM, "change the networks");
	}
	return 0;
}

static void tell(struct engine *e, const char *action, const struct eng_network *n, const struct eng_instance *i)
{
	eng_event(e, "network", action, n->id, (const char *const[]) { "container", i->id, "name", n->name, "type", n->driver, NULL });
}

/* Its configuration asks for all but one (@without, -1: all) of these networks. */
static int save_wants(struct engine *e, const struct eng_instance *i, struct eng_config *c, const struct eng_net_want *wants, int n,
		      int without, struct err *err)
{
	struct eng_net_want list[ENG_NETWORKS_MAX + 1];
	int count = 0, r;

	for (int k = 0; k < n; k++)
		if (k != without)
			list[count++] = wants[k];
	r = set_wants(c, list, count, err);
	return r == 0 ? eng_instance_config_save(e, i, c, err) : r;
}

/* Return: the number of its device in a network, + 1; 0 it has no lease there; -errno with a message. */
static int find_lease(struct engine *e, const struct eng_instance *i, const struct eng_network *n, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT number + 1 FROM endpoint WHERE instance = ? AND network = ?", "ss", i->id, n->id);

	if (r == 0)
		r = db_next(rows, err);
	return r == 1 ? (int) db_i64(rows, 0) : r;
}

static int detach(struct engine *e, const struct eng_instance *i, struct eng_config *c, const struct eng_network *n, struct err *err)
{
	struct eng_endpoint *list = NULL;
	char asked[NET_TEXT_MAX];
	int r = eng_endpoints(e, NULL, i->id, &c->arena, &list, err), count = r;

	for (int k = 0; r >= 0 && k < count; k++)
		if (strcmp(list[k].network, n->name) == 0)
			r = remove_device(e, i, list[k].number, err);
	if (r >= 0)
		r = names_gateway(e, i->id, asked, err);
	if (r == 0)
		r = drop_lease(e, i->id, n->id, err);
	if (r == 0)
		tell_names(e, i, c, asked);
	return r;
}

static int join(struct engine *e, const struct eng_instance *i, struct eng_config *c, const struct eng_net_want *want,
		struct err *err)
{
	struct eng_net_want wants[ENG_NETWORKS_MAX + 1], w = *want;
	struct eng_network n;
	int r = eng_network_find(e, want->name, &c->arena, &n, err), count = 0;
	bool running = i->state == ENG_STATE_RUNNING, known;

	if (r == 0)
		r = check_join(c, i, &n, err);
	if (r == 0 && n.device[0] == '\0')
		r = network_default(e, &c->arena, &n, err);
	if (r == 0)
		r = count = eng_net_wants(c, &c->arena, wants, err);
	if (r < 0)
		return r;
	known = place_of(wants, count, n.name) >= 0;
	r = running ? find_lease(e, i, &n, err) : 0;
	if (r > 0 && !known)
		r = detach(e, i, c, &n, err);
	if (r < 0)
		return r;
	if (known && (!running || r > 0))
		return err_msg(err, -EEXIST, "endpoint with name %s already exists in network %s", i->name, n.name);
	w.name = n.name;
	wants[known ? place_of(wants, count, n.name) : count++] = w;
	r = running ? attach(e, i, c, &n, &w, count == 1, err) : 0;
	if (r == 0)
		r = save_wants(e, i, c, wants, count, -1, err);
	if (r == 0)
		tell(e, "connect", &n, i);
	return r;
}

int eng_net_join(struct engine *e, const struct eng_instance *i, const struct eng_net_want *want, struct err *err)
{
	struct eng_config c;
	int r = eng_instance_config(e, i, &c, err);

	if (r < 0)
		return r;
	r = join(e, i, &c, want, err);
	eng_config_fini(&c);
	return r;
}

static int leave(struct engine *e, const struct eng_instance *i, struct eng_config *c, const char *network, bool force,
		 struct err *err)
{
	struct eng_net_want wants[ENG_NETWORKS_MAX];
	struct eng_network n;
	int r = eng_network_find(e, network, &c->arena, &n, err), count = 0, at, lease = 0;

	if (r == 0)
		r = count = eng_net_wants(c, &c->arena, wants, err);
	if (r >= 0 && i->state == ENG_STATE_RUNNING)
		r = lease = find_lease(e, i, &n, err);
	if (r < 0)
		return r;
	at = place_of(wants, count, n.name);
	if (at < 0 && lease == 0)
		return err_msg(err, -ENOENT, "instance '%s' is not connected to network %s", i->name, n.name);
	r = at >= 0 ? save_wants(e, i, c, wants, count, at, err) : 0;
	if (r == 0 && lease > 0)
		r = detach(e, i, c, &n, err);
	if (r < 0 && at >= 0 && !force)
		(void) save_wants(e, i, c, wants, count, -1, NULL); /* it is still in it; the next start leaves it out otherwise */
	if (r < 0 && !force)
		return r;
	tell(e, "disconnect", &n, i);
	return 0;
}

int eng_net_leave(struct engine *e, const struct eng_instance *i, const char *network, bool force, struct err *err)
{
	struct eng_config c;
	int r = eng_instance_config(e, i, &c, err);

	if (r < 0)
		return r;
	r = leave(e, i, &c, network, force, err);
	eng_config_fini(&c);
	return r;
}
