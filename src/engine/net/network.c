/* SPDX-License-Identifier: MIT */
#include "engine/net/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/instance.h"
#include "engine/name.h"
#include "engine/net/attach.h"
#include "engine/net/home.h"
#include "engine/net/names.h"
#include "engine/net/network_parts.h"
#include "sys/netns.h"

#define LOCK_FILE "/run/cleave.net.lock" /* for all stores of this host */
#define TEXT_MAX (64u << 10) /* bytes of all labels, of all options */
#define DEVICE_DIGITS 12 /* of the id, in the name of a bridge */

static const struct {
	const char *name, *driver;
} fixed[] = { { "bridge", "bridge" }, { "host", "host" }, { "none", "null" } };

bool eng_network_is_fixed(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (strcmp(name, fixed[i].name) == 0)
			return true;
	return false;
}

const char *eng_network_option(const struct eng_network *n, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n->options.n; i++)
		if (strncmp(n->options.v[i], name, len) == 0 && n->options.v[i][len] == '=')
			return n->options.v[i] + len + 1;
	return NULL;
}

/* A user's networks concern nobody else; the lock of the file itself has another purpose (rootless.c). */
static int lock_own(const struct engine *e, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = openat(e->run_fd, ENG_KEEPER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_set(err, -errno, "open '%s/" ENG_KEEPER "'", e->runroot);
	while (fcntl(fd, F_OFD_SETLKW, &whole) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "lock '%s/" ENG_KEEPER "'", e->runroot);
	return take_fd(fd);
}

int network_lock(const struct engine *e, struct err *err)
{
	if (e->keeper >= 0)
		return lock_own(e, err);
	_cleanup_close_ int fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return err_msg(err, -EPERM, "networks on bridges need root, or a user namespace of ours: --network pasta, host and none are possible");
	if (fd < 0)
		return err_set(err, -errno, "open '%s'", LOCK_FILE);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "lock '%s'", LOCK_FILE);
	return take_fd(fd);
}

bool eng_network_off(const struct eng_network *n, const char *option)
{
	const char *value = eng_network_option(n, option);

	return value != NULL && (strcmp(value, "false") == 0 || strcmp(value, "0") == 0);
}

int network_mode(const struct eng_network *n, unsigned *ret, struct err *err)
{
	static const struct {
		const char *name;
		unsigned mode;
	} macvlan[] = { { "bridge", 4 }, { "private", 1 }, { "vepa", 2 }, { "passthru", 8 } },
	  ipvlan[] = { { "l2", 0 }, { "l3", 1 }, { "l3s", 2 } };
	bool is_ip = strcmp(n->driver, "ipvlan") == 0;
	const char *want = eng_network_option(n, is_ip ? "ipvlan_mode" : "macvlan_mode");
	size_t count = is_ip ? ARRAY_LEN(ipvlan) : ARRAY_LEN(macvlan);

	if (want == NULL)
		want = eng_network_option(n, "mode"); /* as Podman has it */
	for (size_t i = 0; i < count; i++)
		if (want == NULL ? i == 0 : strcmp(want, is_ip ? ipvlan[i].name : macvlan[i].name) == 0) {
			*ret = is_ip ? ipvlan[i].mode : macvlan[i].mode;
			return 0;
		}
	return err_msg(err, -EINVAL, "network %s: the mode '%.64s' is not known: %s are", n->name, want != NULL ? want : "",
		       is_ip ? "l2, l3 and l3s" : "bridge, private, vepa and passthru");
}

const char *network_aux(const struct eng_network *n, const char *address, size_t *ret_n)
{
	for (size_t i = 0; i < n->aux.n; i++) {
		const char *is = strchr(n->aux.v[i], '=');

		if (is != NULL && strcmp(is + 1, address) == 0) {
			*ret_n = (size_t) (is - n->aux.v[i]);
			return n->aux.v[i];
		}
	}
	return NULL;
}

/* Lists are kept as lines. */
static const char *join(struct arena *a, const struct img_words *list)
{
	_cleanup_(str_fini) struct str s = { 0 };

	for (size_t i = 0; i < list->n; i++)
		str_printf(&s, "%s\n", list->v[i]);
	return s.failed ? NULL : arena_strdup(a, s.p != NULL ? s.p : "");
}

static int split(struct arena *a, const char *text, struct img_words *ret)
{
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		char *line = arena_strndup(a, text, strcspn(text, "\n"));

		if (line == NULL || eng_words_add(a, ret, line) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void read_subnet(struct db_rows *rows, int column, struct eng_subnet *ret)
{
	(void) net_prefix_parse(db_text(rows, column), &ret->net); /* "": there is none */
	(void) net_address_parse(db_text(rows, column + 1), &ret->gateway);
	(void) net_prefix_parse(db_text(rows, column + 2), &ret->range);
}

int network_row(struct db_rows *rows, struct arena *arena, struct eng_network *ret, struct err *err)
{
	struct eng_network n = { .internal = db_i64(rows, 10) != 0,
				 .nameless = db_i64(rows, 17) != 0,
				 .mtu = (unsigned) db_i64(rows, 11),
				 .created = db_i64(rows, 14) };
	const char **const texts[] = { &n.id, &n.name, &n.driver, &n.device };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if ((*texts[i] = arena_strdup(arena, db_text(rows, (int) i))) == NULL)
			return err_set(err, -ENOMEM, "read the list of networks");
	read_subnet(rows, 4, &n.v4);
	read_subnet(rows, 7, &n.v6);
	if (split(arena, db_text(rows, 12), &n.labels) < 0 || split(arena, db_text(rows, 13), &n.options) < 0 ||
	    split(arena, db_text(rows, 15), &n.aux) < 0 || split(arena, db_text(rows, 16), &n.servers) < 0)
		return err_set(err, -ENOMEM, "read the list of networks");
	*ret = n;
	return 0;
}

int network_of(struct engine *e, const char *instance, struct arena *arena, struct eng_network **ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_network *list = arena_alloc(arena, ENG_NETWORKS_MAX, sizeof(*list));
	int n = 0, r = list == NULL ? err_set(err, -ENOMEM, "read the networks of an instance")
				    : db_query(e->db, &rows, err,
					       NETWORK_COLUMNS "WHERE id IN (SELECT network FROM endpoint WHERE instance = ?)", "s", instance);

	while (r == 0 && n < ENG_NETWORKS_MAX && (r = db_next(rows, err)) == 1) {
		r = network_row(rows, arena, &list[n], err);
		if (r == 0)
			n++;
	}
	*ret = list;
	return r < 0 ? r : n;
}

int network_insert(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct eng_subnet *const subnets[] = { &n->v4, &n->v6 };
	char net[2][NET_TEXT_MAX], gateway[2][NET_TEXT_MAX], range[2][NET_TEXT_MAX];
	const char *labels = join(&a, &n->labels), *options = join(&a, &n->options), *aux = join(&a, &n->aux),
		   *servers = join(&a, &n->servers);
	int r;

	for (size_t i = 0; i < ARRAY_LEN(subnets); i++) {
		net_prefix_text(&subnets[i]->net, net[i]);
		net_address_text(&subnets[i]->gateway, gateway[i]);
		net_prefix_text(&subnets[i]->range, range[i]);
	}
	if (labels == NULL || options == NULL || aux == NULL || servers == NULL)
		return err_set(err, -ENOMEM, "create network '%s'", n->name);
	r = db_run(e->db, err,
		   "INSERT INTO network(id, name, driver, device, subnet, gateway, ip_range, subnet6, gateway6, ip_range6,"
		   " internal, mtu, labels, options, created, aux, servers, nameless)"
		   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		   "ssssssssssiississi", n->id, n->name, n->driver, n->device, net[0], gateway[0], range[0], net[1], gateway[1],
		   range[1], (int64_t) n->internal, (int64_t) n->mtu, labels, options, n->created, aux, servers,
		   (int64_t) n->nameless);
	if (r == -EEXIST)
		return err_msg(err, r, "network with name %s already exists", n->name);
	return r < 0 ? r : 0;
}

/* One of those without a row: its id is made of its name. */
static int fixed_network(struct arena *a, size_t which, struct eng_network *ret)
{
	char id[SHA256_HEX_LEN + 1];

	sha256_hex(fixed[which].name, strlen(fixed[which].name), id);
	*ret = (struct eng_network) { .id = arena_strdup(a, id), .name = fixed[which].name, .driver = fixed[which].driver, .device = "" };
	return ret->id != NULL ? 0 : -ENOMEM;
}

static int find_row(struct engine *e, const char *what, struct arena *arena, struct eng_network *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_network found = { 0 }, more;
	size_t n = 0;
	int r = db_query(e->db, &rows, err,
			 NETWORK_COLUMNS "WHERE name = ?1 OR (id >= ?1 AND id < ?1 || 'g' AND length(?1) > 0)"
					 " ORDER BY name = ?1 DESC LIMIT 2",
			 "s", what);

	while (r == 0 && (r = db_next(rows, err)) == 1)
		r = network_row(rows, arena, n++ == 0 ? &found : &more, err);
	if (r < 0)
		return r;
	if (n == 0)
		return -ENOENT;
	if (n > 1 && strcmp(found.name, what) != 0)
		return err_msg(err, -ENOTUNIQ, "several networks have an id that begins with '%s': give more digits", what);
	*ret = found;
	return 0;
}

int eng_network_find(struct engine *e, const char *what, struct arena *arena, struct eng_network *ret, struct err *err)
{
	int r = find_row(e, what, arena, ret, err);

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(fixed); i++) {
		struct eng_network n;

		if (fixed_network(arena, i, &n) < 0)
			return err_set(err, -ENOMEM, "find network '%.255s'", what);
		if (strcmp(what, n.name) != 0 && (strlen(what) < DEVICE_DIGITS || !str_starts(n.id, what)))
			continue;
		*ret = n;
		r = 0;
	}
	return r == -ENOENT ? err_msg(err, r, "network %.255s not found (see 'cleave network ls')", what) : r;
}

static int append(struct arena *arena, struct eng_network **list, size_t *n, size_t *room, const struct eng_network *one)
{
	*list = arena_grow(arena, *list, *n, room, sizeof(**list));
	if (*list == NULL)
		return -ENOMEM;
	(*list)[(*n)++] = *one;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct eng_network *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int eng_network_list(struct engine *e, struct arena *arena, struct eng_network **ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_network *list = NULL, one;
	bool has_default = false;
	size_t n = 0, room = 0;
	int r = db_query(e->db, &rows, err, NETWORK_COLUMNS, "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		r = network_row(rows, arena, &one, err);
		if (r == 0 && append(arena, &list, &n, &room, &one) < 0)
			r = err_set(err, -ENOMEM, "read the list of networks");
		has_default = has_default || (r == 0 && strcmp(one.name, ENG_NETWORK_DEFAULT) == 0);
	}
	for (size_t i = has_default; r == 0 && i < ARRAY_LEN(fixed); i++) /* the default one is the first of these */
		if (fixed_network(arena, i, &one) < 0 || append(arena, &list, &n, &room, &one) < 0)
			r = err_set(err, -ENOMEM, "read the list of networks");
	if (r < 0)
		return r;
	qsort(list, n, sizeof(*list), by_name);
	*ret = list;
	return (int) n;
}

static int check_words(const char *what, const struct img_words *list, struct err *err)
{
	size_t sum = 0;

	for (size_t i = 0; i < list->n; i++) {
		sum += strlen(list->v[i]) + 1;
		if (strchr(list->v[i], '\n') != NULL)
			return err_msg(err, -EINVAL, "%s '%.*s...' contains a newline", what, (int) strcspn(list->v[i], "\n"),
				       list->v[i]);
	}
	return sum <= TEXT_MAX ? 0 : err_msg(err, -E2BIG, "all %ss together are over %u bytes", what, TEXT_MAX);
}

static int check(const struct engine *e, const struct eng_network *n, struct err *err)
{
	static const char *const drivers[] = { "bridge", "macvlan", "ipvlan" };
	unsigned mode;
	size_t d = 0;
	int r;

	if (!eng_name_valid(n->name, 1, ENG_NETWORK_NAME_MAX))
		return err_msg(err, -EINVAL, "invalid network name '%.200s': letters, digits, '_', '.' and '-' are allowed", n->name);
	if (eng_network_is_fixed(n->name) || strcmp(n->name, "default") == 0 || strcmp(n->name, "private") == 0)
		return err_msg(err, -EPERM, "operation is not permitted on predefined %s network", n->name);
	while (d < ARRAY_LEN(drivers) && strcmp(drivers[d], n->driver) != 0)
		d++;
	if (d == ARRAY_LEN(drivers))
		return err_msg(err, -EINVAL, "network driver '%.64s' is not known: bridge, macvlan and ipvlan are", n->driver);
	if (e->keeper >= 0 && strcmp(n->driver, "bridge") != 0)
		return err_msg(err, -EPERM, "network driver %s needs root: without it, networks are on bridges", n->driver);
	r = check_words("label", &n->labels, err);
	if (r == 0)
		r = check_words("option", &n->options, err);
	if (r == 0)
		r = check_words("aux-address", &n->aux, err);
	return r == 0 && strcmp(n->driver, "bridge") != 0 ? network_mode(n, &mode, err) : r;
}

/* Those of the store in its usual place have short names. */
static bool is_usual(const struct engine *e)
{
	return strcmp(e->root, "/var/lib/cleave") == 0;
}

static int open_rules(void *err)
{
	return net_table_open(err);
}

int network_table(struct engine *e, char ret[NET_TABLE_MAX], int *ret_fd, struct err *err)
{
	char id[SHA256_HEX_LEN + 1];
	int r;

	sha256_hex(e->root, strlen(e->root), id);
	(void) snprintf(ret, NET_TABLE_MAX, "%s%s%.*s", NET_TABLE, is_usual(e) ? "" : "-", is_usual(e) ? 0 : DEVICE_DIGITS, id);
	r = home_find(e);
	if (r < 0)
		return err_set(err, r, "enter the network namespace of the user");
	if (e->rules < 0)
		e->rules = netns_call(e->netns, open_rules, err);
	*ret_fd = e->rules;
	return e->rules < 0 ? e->rules : 0;
}

/* The caller holds the lock. */
static int create(struct engine *e, struct eng_network *n, bool ipv6, struct arena *arena, struct err *err)
{
	char id[ENG_ID_LEN + 1];
	int r = eng_id_random(id, err);

	if (r < 0)
		return r;
	n->id = arena_strdup(arena, id);
	n->created = time_now_ns();
	if (n->device == NULL)
		n->device = strcmp(n->name, ENG_NETWORK_DEFAULT) == 0 && is_usual(e) ? "cleave0"
			    : arena_printf(arena, "cl-%.*s", DEVICE_DIGITS, id);
	if (n->id == NULL || n->device == NULL)
		return err_set(err, -ENOMEM, "create network '%s'", n->name);
	r = network_choose(e, n, ipv6, err);
	return r == 0 ? network_insert(e, n, err) : r;
}

/* As Podman: its own name and a number */
static int choose_name(struct engine *e, struct eng_network *n, struct arena *arena, struct err *err)
{
	struct eng_network there;
	int r = 0;

	for (unsigned i = 1; r == 0; i++) {
		n->name = arena_printf(arena, "cleave%u", i);
		if (n->name == NULL)
			return err_set(err, -ENOMEM, "create a network");
		r = find_row(e, n->name, arena, &there, err);
		if (r == 0 && strcmp(there.name, n->name) != 0) /* an id begins like that */
			return 0;
	}
	return r == -ENOENT ? 0 : r;
}

int eng_network_create(struct engine *e, struct eng_network *n, bool ipv6, struct arena *arena, struct err *err)
{
	struct eng_network there;
	int r = n->name == NULL ? choose_name(e, n, arena, err) : 0;

	if (r == 0)
		r = check(e, n, err);
	if (r < 0)
		return r;
	if (find_row(e, n->name, arena, &there, NULL) == 0 && strcmp(there.name, n->name) == 0)
		return err_msg(err, -EEXIST, "network with name %s already exists", n->name);
	_cleanup_close_ int lock = network_lock(e, err);
	r = lock < 0 ? lock : create(e, n, ipv6, arena, err);
	if (r < 0)
		return r;
	r = network_make(e, n, err);
	if (r < 0) {
		(void) network_down(e, n, NULL); /* nothing is left when it cannot be */
		(void) db_run(e->db, NULL, "DELETE FROM network WHERE id = ?", "s", n->id);
		return r;
	}
	eng_event(e, "network", "create", n->id, (const char *const[]) { "name", n->name, "type", n->driver, NULL });
	return 0;
}

int network_default(struct engine *e, struct arena *arena, struct eng_network *ret, struct err *err)
{
	struct eng_network n = { .name = ENG_NETWORK_DEFAULT, .driver = "bridge" };
	int r = find_row(e, ENG_NETWORK_DEFAULT, arena, ret, err);

	if (r != -ENOENT)
		return r;
	_cleanup_close_ int lock = network_lock(e, err);
	if (lock < 0)
		return lock;
	r = find_row(e, ENG_NETWORK_DEFAULT, arena, ret, err); /* somebody may have been quicker */
	if (r != -ENOENT)
		return r;
	r = create(e, &n, false, arena, err);
	if (r == 0)
		r = network_make(e, &n, err);
	if (r == 0)
		*ret = n;
	return r;
}

/* One row, as it is now; the caller holds the lock. */
static int save_servers(struct engine *e, const struct eng_network *n, struct arena *a, struct err *err)
{
	const char *text = join(a, &n->servers);
	int r = text == NULL ? err_set(err, -ENOMEM, "update network '%s'", n->name)
			     : db_run(e->db, err, "UPDATE network SET servers = ? WHERE id = ?", "ss", text, n->id);

	return r < 0 ? r : 0;
}

static int change_servers(struct eng_network *n, const struct img_words *add, const struct img_words *drop, struct arena *a,
			  struct err *err)
{
	struct img_words left = { 0 };

	for (size_t i = 0; i < drop->n; i++)
		if (!img_words_have(&n->servers, drop->v[i]))
			return err_msg(err, -ENOENT, "network %s has no server %.64s", n->name, drop->v[i]);
	for (size_t i = 0; i < n->servers.n + add->n; i++) {
		const char *one = i < n->servers.n ? n->servers.v[i] : add->v[i - n->servers.n];

		if (img_words_have(&left, one) || (i < n->servers.n && img_words_have(drop, one)))
			continue;
		if (left.n == ENG_NETWORK_SERVERS_MAX)
			return err_msg(err, -E2BIG, "network %s: at most %d servers are possible", n->name, ENG_NETWORK_SERVERS_MAX);
		if (eng_words_add(a, &left, one) < 0)
			return err_set(err, -ENOMEM, "update network '%s'", n->name);
	}
	n->servers = left;
	return 0;
}

int eng_network_servers(struct engine *e, const char *what, const struct img_words *add, const struct img_words *drop,
			struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	_cleanup_close_ int lock = network_lock(e, err);
	struct eng_network n;
	int r = lock < 0 ? lock : eng_network_find(e, what, &a, &n, err);

	if (r == 0 && !names_known(&n))
		r = err_msg(err, -EPERM, "network %s has no names of its own: its instances ask the servers of the host", n.name);
	if (r == 0)
		r = change_servers(&n, add, drop, &a, err);
	if (r == 0)
		r = save_servers(e, &n, &a, err);
	return r == 0 ? names_tell_servers(e, &n, err) : r;
}

int eng_network_remove(struct engine *e, const char *what, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_endpoint *users;
	struct eng_network n;
	int r = eng_network_find(e, what, &a, &n, err);

	if (r < 0)
		return r;
	if (eng_network_is_fixed(n.name))
		return err_msg(err, -EPERM, "%s is a pre-defined network and cannot be removed", n.name);
	_cleanup_close_ int lock = network_lock(e, err); /* nobody is making its bridge */
	r = lock < 0 ? lock : db_begin(e->db, err);
	if (r < 0)
		return r;
	r = eng_endpoints(e, n.id, NULL, &a, &users, err);
	if (r > 0)
		r = err_msg(err, -EBUSY, "network %s has active endpoints: instance '%s' runs in it", n.name, users[0].name);
	if (r == 0)
		r = db_run(e->db, err, "DELETE FROM network WHERE id = ?", "s", n.id);
	if (r == 0)
		r = err_msg(err, -ENOENT, "network %s was removed meanwhile", n.name);
	if (r > 0) /* before nobody knows of it any more */
		r = network_down(e, &n, err);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	r = db_commit(e->db, err);
	if (r == 0)
		eng_event(e, "network", "destroy", n.id, (const char *const[]) { "name", n.name, "type", n.driver, NULL });
	return r;
}

int eng_endpoints(struct engine *e, const char *network, const char *instance, struct arena *arena,
		  struct eng_endpoint **ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_endpoint *list = NULL;
	size_t n = 0, room = 0;
	int r = db_query(e->db, &rows, err,
			 "SELECT e.instance, i.name, n.name, e.ip, e.ip6, e.mac, e.names, e.number FROM endpoint AS e"
			 " JOIN network AS n ON n.id = e.network LEFT JOIN instance AS i ON i.id = e.instance"
			 " WHERE (?1 IS NULL OR e.network = ?1) AND (?2 IS NULL OR e.instance = ?2) ORDER BY e.number, i.created",
			 "ss", network, instance);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		struct eng_endpoint p = { .number = (int) db_i64(rows, 7) };
		const char **const texts[] = { &p.instance, &p.name, &p.network, &p.ip, &p.ip6, &p.mac, &p.names };

		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			if ((*texts[i] = arena_strdup(arena, db_text(rows, (int) i))) == NULL)
				return err_set(err, -ENOMEM, "read who is in a network");
		list = arena_grow(arena, list, n, &room, sizeof(*list));
		if (list == NULL)
			return err_set(err, -ENOMEM, "read who is in a network");
		list[n++] = p;
		r = 0;
	}
	if (r < 0)
		return r;
	*ret = list;
	return (int) n;
}
