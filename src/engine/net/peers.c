/* SPDX-License-Identifier: MIT */
/**
 * DOC: names without a resolver
 *
 * An instance on a device of the host reaches the others and the world, but not the host, and its gateway is somebody
 * else's.  So what a resolver would tell it stands in its /etc/hosts, between two comments, and is written anew when somebody
 * comes or goes.  The file stays the same one, since it is mounted; what others wrote into it stays, too.
 */
#include "engine/net/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/net/network_parts.h"

#define HOSTS_MAX (4u << 20) /* bytes of a file */
#define PATH_SIZE 128
#define MARK_SIZE (ENG_NETWORK_NAME_MAX + 64)

bool peers_known(const struct eng_network *n)
{
	return strcmp(n->driver, "macvlan") == 0 || strcmp(n->driver, "ipvlan") == 0;
}

static void make_marks(const struct eng_network *n, char begin[MARK_SIZE], char end[MARK_SIZE])
{
	(void) snprintf(begin, MARK_SIZE, "# instances of network %s\n", n->name); /* names are shorter */
	(void) snprintf(end, MARK_SIZE, "# end of network %s\n", n->name);
}

static void add_line(struct str *ret, const char *address, const char *names)
{
	if (address[0] != '\0')
		str_printf(ret, "%s\t%s\n", address, names);
}

static void add_lines(const struct eng_network *n, const struct eng_endpoint *list, int count, const char *instance, struct str *ret)
{
	char begin[MARK_SIZE], end[MARK_SIZE];
	bool any = false;

	make_marks(n, begin, end);
	for (int i = 0; i < count; i++) {
		if (strcmp(list[i].instance, instance) == 0)
			continue;
		if (!any)
			str_puts(ret, begin);
		any = true;
		add_line(ret, list[i].ip, list[i].names);
		add_line(ret, list[i].ip6, list[i].names);
	}
	if (any)
		str_puts(ret, end);
}

int peers_add(struct engine *e, const struct eng_network *n, const char *instance, struct str *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_endpoint *list = NULL;
	int count = eng_endpoints(e, n->id, NULL, &a, &list, err);

	if (count < 0)
		return count;
	add_lines(n, list, count, instance, ret);
	return ret->failed ? err_set(err, -ENOMEM, "write the names of network %s", n->name) : 0;
}

/* Without what stands between the marks; a writer that died may have left only the first. */
static void keep_others(const struct eng_network *n, const char *text, struct str *ret)
{
	char begin[MARK_SIZE], end[MARK_SIZE];
	const char *from, *to;

	make_marks(n, begin, end);
	from = strstr(text, begin);
	to = from != NULL ? strstr(from, end) : NULL;
	str_add(ret, text, from != NULL ? (size_t) (from - text) : strlen(text));
	if (to != NULL)
		str_puts(ret, to + strlen(end));
}

/* One that has no such file is being started, and looks itself. */
static int rewrite(struct engine *e, const struct eng_network *n, const struct eng_endpoint *list, int count, const char *instance)
{
	_cleanup_(str_fini) struct str old = { 0 }, new = { 0 };
	char path[PATH_SIZE];
	int r;

	(void) snprintf(path, sizeof(path), "instances/%.64s/hosts", instance);
	_cleanup_close_ int fd = openat(e->root_fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fd_read_str(fd, HOSTS_MAX, &old);
	if (r < 0)
		return r;
	keep_others(n, old.p != NULL ? old.p : "", &new);
	add_lines(n, list, count, instance, &new);
	if (new.failed)
		return -ENOMEM;
	if (new.len == old.len && (new.len == 0 || memcmp(new.p, old.p, new.len) == 0))
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	r = fd_write_full(fd, new.p != NULL ? new.p : "", new.len);
	return r == 0 && ftruncate(fd, (off_t) new.len) < 0 ? -errno : r;
}

int peers_tell(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_close_ int lock = network_lock(e, err); /* one at a time writes, and each knows what the one before did */
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_endpoint *list = NULL;
	int count = lock < 0 ? lock : eng_endpoints(e, n->id, NULL, &a, &list, err), r = count < 0 ? count : 0;

	for (int i = 0; r == 0 && i < count; i++) {
		r = rewrite(e, n, list, count, list[i].instance);
		if (r < 0)
			r = err_set(err, r, "write the names of network %s for instance '%s'", n->name, list[i].name);
	}
	return r;
}

int peers_tell_all(struct engine *e, const char *instance, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_network *list = NULL;
	int n = network_of(e, instance, &a, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++)
		if (peers_known(&list[i]))
			r = peers_tell(e, &list[i], err);
	return r;
}
