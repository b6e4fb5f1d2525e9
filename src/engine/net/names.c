/* SPDX-License-Identifier: MIT */
/**
 * DOC: what resolvers are told
 *
 * The database says who is where; a resolver only repeats it.  An instance that starts is told after its leases are
 * committed, and one that ends before they are gone and in the same transaction: so who starts a resolver, which reads all
 * leases of the network, misses nobody, and the end of the last one and the start of the next cannot cross.
 */
#include "engine/net/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/names/protocol.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"
#include "engine/net/pasta.h"
#include "engine/net/peers.h"
#include "engine/net/resolver.h"

#define RESOLV_MAX (1u << 20) /* bytes of the host's resolv.conf */
#define HOST_SERVERS_MAX 8

/* As names_known(), of network n */
#define KNOWN "n.driver = 'bridge' AND n.nameless = 0 AND n.name != '" ENG_NETWORK_DEFAULT "'"

/* Room for the largest; what is sent is what is used of it. */
struct letter {
	struct names_message head;
	struct names_server servers[NAMES_SERVERS_MAX];
};

bool names_known(const struct eng_network *n)
{
	return strcmp(n->driver, "bridge") == 0 && !n->nameless && strcmp(n->name, ENG_NETWORK_DEFAULT) != 0;
}

static int add_server(struct letter *l, const char *address, bool peer)
{
	struct names_server *s = &l->servers[l->head.nr_servers];
	struct net_address a;

	if (l->head.nr_servers == NAMES_SERVERS_MAX || net_address_parse(address, &a) < 0)
		return -EINVAL;
	*s = (struct names_server) { .family = net_address_size(&a) == 4 ? 4 : 6, .peer = peer };
	memcpy(s->bytes, a.bytes, net_address_size(&a));
	l->head.nr_servers++;
	return 0;
}

static int send_letter(int mail, const struct letter *l, const char *text)
{
	struct iovec parts[] = { { (void *) &l->head, sizeof(l->head) },
				 { (void *) l->servers, l->head.nr_servers * sizeof(l->servers[0]) },
				 { (void *) text, l->head.text } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = ARRAY_LEN(parts) };

	return sendmsg(mail, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int tell_network(int mail, const struct eng_network *n)
{
	struct letter l = { .head = { .type = NAMES_NETWORK, .bits4 = (uint8_t) n->v4.net.length, .text = (uint16_t) strlen(n->name) } };

	memcpy(l.head.v4, n->v4.gateway.bytes, sizeof(l.head.v4));
	if (n->v6.net.base.family != 0) {
		memcpy(l.head.v6, n->v6.gateway.bytes, sizeof(l.head.v6));
		l.head.bits6 = (uint8_t) n->v6.net.length;
	}
	return send_letter(mail, &l, n->name);
}

/* Those of the network; else those that the host's resolv.conf has now */
static int tell_host(const struct engine *e, const struct eng_network *n, int mail)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct letter l = { .head.type = NAMES_HOST };
	char *save = NULL;

	for (size_t i = 0; i < n->servers.n; i++)
		(void) add_server(&l, n->servers.v[i], false); /* they were checked */
	if (n->servers.n > 0)
		return send_letter(mail, &l, "");
	if (e->keeper >= 0) /* what leaves the user's networks goes through pasta, which asks the host's */
		return add_server(&l, PASTA_RESOLVER, false) < 0 ? -EINVAL : send_letter(mail, &l, "");
	if (file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_MAX, &text) < 0 || text.p == NULL)
		return send_letter(mail, &l, "");
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char address[NET_TEXT_MAX];

		if (l.head.nr_servers < HOST_SERVERS_MAX && sscanf(line, " nameserver %63s", address) == 1)
			(void) add_server(&l, address, false); /* one that we cannot ask: "fe80::1%eth0" */
	}
	return send_letter(mail, &l, "");
}

/* The resolvers of its other networks; whether one of them leads outside; then the servers somebody chose for it */
static int read_servers(struct engine *e, struct letter *l, const char *instance, const char *network, const char *chosen,
			struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT n.gateway, n.internal, " KNOWN " AND n.id != ?2 FROM endpoint AS e JOIN network AS n ON n.id = e.network"
			 " WHERE e.instance = ?1 ORDER BY e.number",
			 "ss", instance, network);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		l->head.outside |= db_i64(rows, 1) == 0;
		if (db_i64(rows, 2))
			(void) add_server(l, db_text(rows, 0), true); /* we wrote it */
		r = 0;
	}
	for (size_t n; r == 0 && *chosen != '\0'; chosen += n + (chosen[n] == ' ')) {
		char address[NET_TEXT_MAX];

		n = strcspn(chosen, " ");
		(void) snprintf(address, sizeof(address), "%.*s", (int) n, chosen);
		(void) add_server(l, address, false); /* any text may be given */
	}
	return r;
}

/* One instance in it (@instance), or all (NULL) */
static int tell_instances(struct engine *e, int mail, const char *network, const char *instance, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT instance, ip, ip6, names, servers FROM endpoint WHERE network = ?1 AND (?2 IS NULL OR instance = ?2)", "ss",
			 network, instance);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		struct letter l = { .head.type = NAMES_SET };
		const char *id = db_text(rows, 0), *names = db_text(rows, 3);
		struct net_address a;

		memcpy(l.head.id, id, strnlen(id, sizeof(l.head.id)));
		if (net_address_parse(db_text(rows, 1), &a) == 0)
			memcpy(l.head.v4, a.bytes, sizeof(l.head.v4));
		if (net_address_parse(db_text(rows, 2), &a) == 0)
			memcpy(l.head.v6, a.bytes, sizeof(l.head.v6));
		l.head.text = (uint16_t) (strlen(names) < NAMES_TEXT_MAX ? strlen(names) : NAMES_TEXT_MAX);
		r = read_servers(e, &l, id, network, db_text(rows, 4), err);
		if (r == 0)
			r = send_letter(mail, &l, names);
	}
	return r;
}

/* All that there is to know, for one that was just started */
static int tell_all(struct engine *e, int mail, const struct eng_network *n, struct err *err)
{
	const struct letter serve = { .head.type = NAMES_SERVE };
	int r = tell_network(mail, n);

	if (r == 0)
		r = tell_host(e, n, mail);
	if (r == 0)
		r = tell_instances(e, mail, n->id, NULL, err);
	return r == 0 ? send_letter(mail, &serve, "") : r;
}

/* The caller holds network_lock(). */
static int start_locked(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_close_ int mail = resolver_mail(e, n->id);
	int r;

	if (mail >= 0 && tell_instances(e, mail, n->id, NULL, NULL) == 0) /* somebody was quicker */
		return 0;
	cleanup_closep(&mail);
	mail = resolver_start(e, n, err);
	if (mail < 0)
		return mail;
	r = tell_all(e, mail, n, err);
	if (r == 0)
		r = resolver_ready(e, n->id);
	return r < 0 ? err_set(err, r, "speak to the resolver of network %s", n->name) : 0;
}

int names_start(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_close_ int lock = network_lock(e, err);

	return lock < 0 ? lock : start_locked(e, n, err);
}

static int tell(struct engine *e, const struct eng_network *n, const char *instance, struct err *err)
{
	_cleanup_close_ int mail = resolver_mail(e, n->id);

	if (mail >= 0 && tell_host(e, n, mail) == 0 && tell_instances(e, mail, n->id, instance, NULL) == 0)
		return 0;
	return names_start(e, n, err);
}

int names_tell(struct engine *e, const char *instance, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *list;
	int n = network_of(e, instance, &a, &list, err), r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = names_known(&list[i]) ? tell(e, &list[i], instance, err) : 0;
	return n < 0 ? n : r;
}

int names_tell_servers(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_close_ int mail = resolver_mail(e, n->id);
	int r = mail < 0 ? 0 : tell_host(e, n, mail); /* one that does not run is told when it starts */

	return r < 0 ? err_set(err, r, "speak to the resolver of network %s", n->name) : 0;
}

int names_gateway(struct engine *e, const char *instance, char ret[NET_TEXT_MAX], struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT n.gateway FROM endpoint AS e JOIN network AS n ON n.id = e.network WHERE e.instance = ? AND " KNOWN
			 " ORDER BY e.number LIMIT 1",
			 "s", instance);

	if (r == 0)
		r = db_next(rows, err);
	(void) snprintf(ret, NET_TEXT_MAX, "%s", r == 1 ? db_text(rows, 0) : "");
	return r < 0 ? r : 0;
}

/* The first of the names of a lease is that of the instance. */
int names_rename(struct engine *e, const struct eng_instance *i, const char *name)
{
	int r = db_run(e->db, NULL, "UPDATE endpoint SET names = ? || substr(names, instr(names, ' ')) WHERE instance = ?", "ss", name, i->id);

	if (r > 0)
		r = names_tell(e, i->id, NULL);
	return r == 0 ? peers_tell_all(e, i->id, NULL) : r;
}

int names_forget(struct engine *e, const char *network, const char *instance, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct letter l = { .head.type = NAMES_DROP };
	int r = db_query(e->db, &rows, err, "SELECT 1 FROM endpoint WHERE network = ? AND instance != ? LIMIT 1", "ss", network, instance);

	if (r == 0)
		r = db_next(rows, err);
	if (r == 0)
		resolver_end(e, network);
	if (r <= 0)
		return r;
	_cleanup_close_ int mail = resolver_mail(e, network);
	memcpy(l.head.id, instance, strnlen(instance, sizeof(l.head.id)));
	if (mail >= 0)
		(void) send_letter(mail, &l, ""); /* one that does not listen is started again by the next that tells it something */
	return 0;
}

int names_forget_all(struct engine *e, const char *instance, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *list;
	int n = network_of(e, instance, &a, &list, err), r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = names_known(&list[i]) ? names_forget(e, list[i].id, instance, err) : 0;
	return n < 0 ? n : r;
}

static int repair_one(struct engine *e, const char *digits, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_endpoint *users = NULL;
	_cleanup_close_ int lock = network_lock(e, err); /* nobody else starts it meanwhile */
	struct eng_network n;
	int r = lock < 0 ? lock : eng_network_find(e, digits, &a, &n, err);

	if (r == 0)
		r = eng_endpoints(e, n.id, NULL, &a, &users, err);
	if (r > 0)
		return start_locked(e, &n, err);
	if (r < 0 && r != -ENOENT)
		return r;
	resolver_end(e, digits); /* of a network that nobody needs, or that is gone */
	return 0;
}

int names_repair(struct engine *e, struct err *err)
{
	char digits[ENG_NETWORK_NAME_MAX + 1], before[ENG_NETWORK_NAME_MAX + 1] = "";
	int r = 0;

	while (r == 0 && resolver_lost(e, digits, sizeof(digits)) == 1 && strcmp(digits, before) != 0) {
		(void) snprintf(before, sizeof(before), "%s", digits);
		r = repair_one(e, digits, err);
	}
	return r;
}
