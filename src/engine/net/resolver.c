/* SPDX-License-Identifier: MIT */
#include "engine/net/resolver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/net/home.h"
#include "engine/net/network.h"
#include "engine/net/server.h"
#include "net/publish.h"
#include "net/table.h"
#include "oci/cgroup.h"
#include "sys/msg.h"
#include "sys/netns.h"

#define FOLDER "names"
#define DIGITS 12 /* of the network's id, in names of files */
#define SOCKET_END ".sock"
#define UNREADY_END ".new" /* of the socket of one that does not know all yet */
#define NAME_SIZE 32 /* bytes of the name of a file */
#define PROGRAM "cleave-names"
#define CGROUP "/cleave/names-"
#define BACKLOG 16
#define BIND_TRIES 40 /* while the one before is ending */
#define BIND_STEP_MS 5

struct place {
	char lock[NAME_SIZE], socket[NAME_SIZE], unready[NAME_SIZE];
};

static struct place place_of(const char *network)
{
	struct place p;

	(void) snprintf(p.lock, sizeof(p.lock), "%.*s", DIGITS, network);
	(void) snprintf(p.socket, sizeof(p.socket), "%.*s" SOCKET_END, DIGITS, network);
	(void) snprintf(p.unready, sizeof(p.unready), "%.*s" UNREADY_END, DIGITS, network);
	return p;
}

static int open_folder(const struct engine *e)
{
	int fd = openat(e->run_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int resolver_mail(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	return dir < 0 ? dir : server_mail(dir, p.socket);
}

pid_t resolver_pid(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	return dir == -ENOENT ? 0 : dir < 0 ? dir : server_holder(dir, p.lock);
}

static int bind_socket(int type, const struct net_address *a)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(NET_NAMES_PORT) };
	_cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	memcpy(&at.sin_addr, a->bytes, sizeof(at.sin_addr));
	if (fd < 0 || (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (const struct sockaddr *) &at, sizeof(at)) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	return take_fd(fd);
}

static int bind_sockets(const struct eng_network *n, int *ret_udp, int *ret_tcp, struct err *err)
{
	char address[NET_TEXT_MAX], who[NET_HOLDER_MAX] = "";
	int r = -EADDRINUSE;

	for (int i = 0; r == -EADDRINUSE && i < BIND_TRIES; i++) {
		if (i > 0)
			(void) poll(NULL, 0, BIND_STEP_MS);
		cleanup_closep(ret_udp);
		r = *ret_udp = bind_socket(SOCK_DGRAM, &n->v4.gateway);
		if (r >= 0)
			r = *ret_tcp = bind_socket(SOCK_STREAM, &n->v4.gateway);
	}
	if (r >= 0)
		return 0;
	net_address_text(&n->v4.gateway, address);
	if (r != -EADDRINUSE)
		return err_set(err, r, "bind port %d of %s", NET_NAMES_PORT, address);
	net_port_holder(*ret_udp < 0 ? IPPROTO_UDP : IPPROTO_TCP, NET_NAMES_PORT, who);
	return err_msg(err, r, "port %d of %s is in use by %s", NET_NAMES_PORT, address, who[0] != '\0' ? who : "another program");
}

static int make_folder(const struct engine *e, struct err *err)
{
	int fd;

	if (mkdirat(e->run_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s/" FOLDER "'", e->runroot);
	fd = open_folder(e);
	return fd < 0 ? err_set(err, fd, "open '%s/" FOLDER "'", e->runroot) : fd;
}

/* A cgroup of its own; NULL where there are none, or somebody else's */
static struct oci_cgroup *open_cgroup(const struct engine *e, const char *network)
{
	char path[sizeof(CGROUP) + DIGITS];
	const struct oci_cgroup_want want = { .id = PROGRAM, .path = path, .busy = true };
	struct oci_cgroup *cg = NULL;

	(void) snprintf(path, sizeof(path), CGROUP "%.*s", DIGITS, network);
	return e->rootless || oci_cgroup_create(&want, &cg, NULL) < 0 ? NULL : cg;
}

/* Called where its bridge is */
static int start(struct engine *e, const struct eng_network *n, struct err *err)
{
	char *const argv[] = { PROGRAM, e->runroot, (char *) n->name, e->root, e->monitor, NULL };
	const struct place at = place_of(n->id);
	_cleanup_close_ int udp = -EBADF, tcp = -EBADF, mail = -EBADF;
	char program[SERVER_PATH];
	int r = server_program(e, PROGRAM, program, err);

	if (r < 0)
		return r;
	_cleanup_close_ int dir = make_folder(e, err);
	if (dir < 0)
		return dir;
	server_kill(dir, at.lock); /* one whose starter died */
	r = bind_sockets(n, &udp, &tcp, err);
	if (r < 0)
		return r;
	(void) unlinkat(dir, at.unready, 0); /* likewise; bind(2) tells */
	_cleanup_close_ int control = msg_mailbox_at(dir, at.unready);
	if (control < 0)
		return err_set(err, control, "create a socket in '%s/" FOLDER "'", e->runroot);
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cgroup = open_cgroup(e, n->id);
	const struct server s = { .dir = dir, .lock = at.lock, .program = program, .argv = argv, .cgroup = cgroup,
				  .fds = { control, udp, tcp, e->program }, .n = 4 };
	r = server_spawn(&s, err);
	if (r < 0) {
		resolver_end(e, n->id);
		return r;
	}
	mail = server_mail(dir, at.unready);
	return mail < 0 ? err_set(err, mail, "speak to '%s'", program) : take_fd(mail);
}

struct call {
	struct engine *e;
	const struct eng_network *n;
	struct err *err;
};

static int call_start(void *arg)
{
	const struct call *c = arg;

	return start(c->e, c->n, c->err);
}

int resolver_start(struct engine *e, const struct eng_network *n, struct err *err)
{
	struct call c = { e, n, err };
	int r = home_find(e);

	return r < 0 ? err_set(err, r, "start the resolver of network %s", n->name) : netns_call(e->netns, call_start, &c);
}

int resolver_ready(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	return dir < 0 ? dir : renameat(dir, p.unready, dir, p.socket) < 0 ? -errno : 0;
}

void resolver_end(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	if (dir < 0)
		return;
	(void) unlinkat(dir, p.socket, 0); /* nobody tells it anything any more */
	server_kill(dir, p.lock);
	(void) unlinkat(dir, p.unready, 0); /* of one whose starter died */
	(void) unlinkat(dir, p.lock, 0); /* the next start makes it */
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = open_cgroup(e, network);
	if (cg != NULL)
		(void) oci_cgroup_delete(cg, NULL); /* an empty one is no harm */
	(void) unlinkat(e->run_fd, FOLDER, AT_REMOVEDIR); /* with the last one */
}

/* It is dead, or its starter died before it knew all. */
static bool is_lost(int dir, const char *lock)
{
	const struct place p = place_of(lock);

	return server_holder(dir, lock) == 0 || faccessat(dir, p.socket, F_OK, 0) < 0;
}

pid_t resolver_any(struct engine *e)
{
	int fd = open_folder(e);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	pid_t pid = fd == -ENOENT || fd >= 0 ? 0 : fd;
	struct dirent *d;

	while (dir != NULL && pid == 0 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && strchr(d->d_name, '.') == NULL)
			pid = server_holder(dirfd(dir), d->d_name);
	return pid;
}

int resolver_lost(struct engine *e, char *ret, size_t size)
{
	int fd = open_folder(e), found = 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && found == 0 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && strchr(d->d_name, '.') == NULL && is_lost(dirfd(dir), d->d_name)) {
			(void) snprintf(ret, size, "%s", d->d_name);
			found = 1;
		}
	return found;
}
