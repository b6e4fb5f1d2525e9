/* SPDX-License-Identifier: MIT */
/**
 * DOC: the home of a user's networks
 *
 * A process that does nothing keeps the namespace; it is made by the first start of an instance in a network on a
 * bridge, and ended by the last command that leaves nothing running.  Somebody who kills that process ends the
 * namespace only if no resolver is in it: then the next one is made for the same namespace.
 *
 * Who enters it has no right to come back, so what has to be done there is done by netns_call().
 */
#include "engine/net/home.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/keeper.h"
#include "engine/net/pasta.h"
#include "engine/net/relay.h"
#include "engine/net/resolver.h"
#include "net/link.h"
#include "net/route.h"
#include "net/table.h"
#include "sys/netlink.h"
#include "sys/netns.h"

#define HOLDER HOME_FOLDER "/holder"
#define PIDS HOME_FOLDER "/pasta.pid"
#define SEEN HOME_FOLDER "/netns" /* where pasta sees the namespace */
#define DEVICE "out0" /* that of pasta */
/* Link-local, so that they are nobody's: what belongs to the host can be reached */
#define ADDRESS "169.254.1.5"
#define LENGTH "30"
#define GATEWAY "169.254.1.6"
#define PATH_SIZE 4096

/* Use this namespace, of process @pid, from now on. */
static int take(struct engine *e, pid_t pid)
{
	struct stat now, before;
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return -errno;
	if (e->netns >= 0 && fstat(e->netns, &before) == 0 && before.st_ino == now.st_ino)
		return 0;
	cleanup_closep(&e->netns);
	cleanup_closep(&e->rules); /* of another one */
	e->rules = -EBADF;
	e->netns = take_fd(fd);
	return 0;
}

int home_find(struct engine *e)
{
	_cleanup_close_ int note = -EBADF, holder = -EBADF;
	pid_t pid;

	if (e->keeper < 0)
		return 0;
	note = openat(e->run_fd, HOLDER, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (note < 0)
		return -errno;
	holder = keeper_find(note, &pid);
	return holder == -ESRCH ? -ENOENT : holder < 0 ? holder : take(e, pid);
}

static int file_of(const struct engine *e, const char *name, char ret[PATH_SIZE])
{
	return snprintf(ret, PATH_SIZE, "%s/%s", e->runroot, name) < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static bool has_way_out(const struct engine *e)
{
	char file[PATH_SIZE];
	_cleanup_close_ int pasta = file_of(e, PIDS, file) == 0 ? pasta_find(file) : -ENAMETOOLONG;

	return pasta >= 0;
}

bool home_is_open(struct engine *e, bool way_out)
{
	return home_find(e) == 0 && (e->keeper < 0 || !way_out || has_way_out(e));
}

bool home_is_lost(struct engine *e)
{
	if (e->keeper < 0 || faccessat(e->run_fd, HOLDER, F_OK, 0) < 0)
		return false;
	return home_find(e) < 0 || (faccessat(e->run_fd, PIDS, F_OK, 0) == 0 && !has_way_out(e)) || relay_lost(e);
}

const char *home_resolver(const struct engine *e, const struct eng_config *c)
{
	return e->keeper >= 0 && c->dns.n == 0 ? PASTA_RESOLVER : NULL;
}

static int open_netlink(void *unused)
{
	(void) unused;
	return netlink_open();
}

int home_netlink(const struct engine *e, struct err *err)
{
	int fd = netns_call(e->netns, open_netlink, NULL);

	return fd < 0 ? err_set(err, fd, "netlink socket") : fd;
}

/* What may be left of it */
static void leave(struct engine *e)
{
	char file[PATH_SIZE];

	relay_end(e);
	if (file_of(e, PIDS, file) == 0)
		pasta_kill(file);
	cleanup_closep(&e->netns);
	e->netns = -EBADF;
}

struct keeping {
	const struct engine *e;
	int note;
	uint64_t flags;
	struct err *err;
};

static int keep(void *arg)
{
	struct keeping *k = arg;

	return keeper_make(k->e->monitor, k->flags, NULL, k->note, k->err);
}

/* The namespace may be there though nobody keeps it: resolvers are in it. */
static int make_holder(struct engine *e, struct err *err)
{
	_cleanup_close_ int note = openat(e->run_fd, HOLDER, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct keeping k = { .e = e, .note = note, .err = err };
	pid_t there = resolver_any(e) > 0 ? resolver_any(e) : relay_pid(e);
	int r;

	if (note < 0)
		return err_set(err, -errno, "create '%s/" HOLDER "'", e->runroot);
	if (there <= 0 || take(e, there) < 0) {
		k.flags = CLONE_NEWNET;
		leave(e);
	}
	r = netns_call(e->netns, keep, &k);
	if (r < 0)
		return r;
	r = home_find(e);
	if (r < 0)
		return err_set(err, r, "enter the network namespace of the user");
	_cleanup_close_ int fd = home_netlink(e, err);
	if (fd < 0)
		return fd;
	r = net_loopback_up(fd);
	if (r < 0)
		return err_set(err, r, "bring up device lo");
	r = net_route_marked(fd, NET_MARK, NET_LOOPBACK);
	return r < 0 && r != -EEXIST ? err_set(err, r, "route by marks (CONFIG_IP_MULTIPLE_TABLES)") : 0;
}

static int make_way_out(struct engine *e, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct img_words words = { 0 };
	char pids[PATH_SIZE], seen[PATH_SIZE];
	const char *const rest[] = { "-a", ADDRESS, "-n", LENGTH, "-g", GATEWAY, "-t", "none", "-u", "none",
				     "--pid", pids, "--netns", seen };
	int r = pasta_words(&a, DEVICE, &words, err);

	if (r < 0)
		return r;
	r = file_of(e, PIDS, pids);
	if (r == 0)
		r = file_of(e, SEEN, seen);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rest); i++)
		r = eng_words_add(&a, &words, rest[i]);
	if (r < 0)
		return err_set(err, r, "make the way out of the user's networks");
	return pasta_run(&words, e->netns, err);
}

int home_need(struct engine *e, bool way_out, struct err *err)
{
	int r = 0;

	if (e->keeper < 0)
		return 0;
	if (mkdirat(e->run_fd, HOME_FOLDER, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s/" HOME_FOLDER "'", e->runroot);
	if (home_find(e) < 0)
		r = make_holder(e, err);
	return r == 0 && way_out && !has_way_out(e) ? make_way_out(e, err) : r;
}

void home_end(struct engine *e)
{
	_cleanup_close_ int note = openat(e->run_fd, HOLDER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (note < 0)
		return;
	leave(e);
	keeper_end(note);
	(void) dir_remove(e->run_fd, HOME_FOLDER); /* the next start can use what is left */
}

/* What net/link.h does, called there */
struct legs {
	int netns;
	const struct net_leg *legs;
	struct net_leg *tap;
	size_t n;
	const char *inside;
	int *fds;
	struct err *err;
};

static int attach(void *arg)
{
	const struct legs *l = arg;

	return net_legs_attach(l->netns, l->legs, l->n, l->err);
}

int home_attach(const struct engine *e, int netns, const struct net_leg *legs, size_t n, struct err *err)
{
	struct legs l = { .netns = netns, .legs = legs, .n = n, .err = err };

	return netns_call(e->netns, attach, &l);
}

static int detach(void *arg)
{
	const struct legs *l = arg;

	return net_leg_detach(l->netns, l->inside, l->err);
}

int home_detach(const struct engine *e, int netns, const char *inside, struct err *err)
{
	struct legs l = { .netns = netns, .inside = inside, .err = err };

	return netns_call(e->netns, detach, &l);
}

static int tap(void *arg)
{
	const struct legs *l = arg;

	return net_leg_tap(l->tap, (unsigned) l->n, l->fds, l->err);
}

int home_tap(const struct engine *e, struct net_leg *leg, unsigned queues, int *fds, struct err *err)
{
	struct legs l = { .tap = leg, .n = queues, .fds = fds, .err = err };

	return netns_call(e->netns, tap, &l);
}
