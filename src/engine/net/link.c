/* SPDX-License-Identifier: MIT */
#include "engine/net/link.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/engine.h"
#include "image/config.h"

#define ID_DIGITS 12 /* of an id, as a name */

/* "ID:ALIAS:NAME" */
struct link {
	const char *id, *alias, *name;
	int id_len, alias_len;
};

static struct link parse(const char *text)
{
	size_t n = strcspn(text, ":"), k = text[n] != '\0' ? strcspn(text + n + 1, ":") : 0;
	const char *alias = text[n] != '\0' ? text + n + 1 : text + n, *name = alias[k] != '\0' ? alias + k + 1 : alias + k;

	return (struct link) { .id = text, .alias = alias, .name = name, .id_len = (int) n, .alias_len = (int) k };
}

static void add_line(struct str *hosts, const char *address, const struct link *l, const char *name)
{
	if (address[0] == '\0')
		return;
	str_printf(hosts, "%s\t%.*s", address, l->alias_len, l->alias);
	if (strlen(name) != (size_t) l->alias_len || strncmp(name, l->alias, (size_t) l->alias_len) != 0)
		str_printf(hosts, " %s", name);
	str_printf(hosts, " %.*s\n", l->id_len < ID_DIGITS ? l->id_len : ID_DIGITS, l->id);
}

/* Why there is no network that both are in */
static int none(struct engine *e, const char *id, const struct link *l, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT (SELECT count(*) FROM endpoint WHERE instance = ?1) FROM instance WHERE id = ?1", "s", id);

	if (r == 0)
		r = db_next(rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_msg(err, -ENOENT, "--link: instance '%s' is gone", l->name);
	if (db_i64(rows, 0) == 0)
		return err_msg(err, -ENOTCONN, "Cannot link to a non running container: '%s' AS '%.*s'", l->name, l->alias_len, l->alias);
	return err_msg(err, -ENOTCONN, "Cannot link to '%s': no network has both instances (see 'cleave network connect')", l->name);
}

static int add_one(struct engine *e, const char *instance, const struct link *l, struct str *hosts, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_free_ char *id = strndup(l->id, (size_t) l->id_len);
	int r;

	if (id == NULL)
		return err_set(err, -ENOMEM, "link instances");
	r = db_query(e->db, &rows, err,
		     "SELECT e.ip, e.ip6, i.name FROM endpoint AS e JOIN instance AS i ON i.id = e.instance WHERE e.instance = ?1"
		     " AND e.network IN (SELECT network FROM endpoint WHERE instance = ?2) ORDER BY e.number LIMIT 1",
		     "ss", id, instance);
	if (r == 0)
		r = db_next(rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return none(e, id, l, err);
	add_line(hosts, db_text(rows, 0), l, db_text(rows, 2));
	add_line(hosts, db_text(rows, 1), l, db_text(rows, 2));
	return 0;
}

int link_add(struct engine *e, const char *instance, const struct img_words *links, struct str *hosts, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < links->n; i++) {
		const struct link l = parse(links->v[i]);

		r = add_one(e, instance, &l, hosts, err);
	}
	return r;
}
