/* SPDX-License-Identifier: MIT */
/**
 * DOC: published ports without root
 *
 * Whoever starts an instance binds its ports, where a failure can be told, and hands the sockets over.  What leads where
 * is in the database; a process that somebody killed is started again and gets all of it.
 */
#include "engine/net/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/net/home.h"
#include "engine/net/network_parts.h"
#include "engine/net/server.h"
#include "engine/ports/protocol.h"
#include "net/publish.h"
#include "net/table.h"
#include "sys/msg.h"
#include "sys/netns.h"

#define PROGRAM "cleave-ports"
#define LOCK "ports"
#define SOCKET "ports.sock"
#define CLOSE_WAIT_MS 2000

static int open_folder(const struct engine *e)
{
	int fd = openat(e->run_fd, HOME_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Descriptor by which it is told things; -errno there is none */
static int open_mail(int dir)
{
	return server_holder(dir, LOCK) > 0 ? server_mail(dir, SOCKET) : -ESRCH;
}

static int bind_port(const struct net_table_port *p, struct err *err)
{
	char address[NET_TEXT_MAX], who[NET_HOLDER_MAX] = "";
	const int on = 1;
	_cleanup_close_ int fd = net_port_open(p->protocol, &p->host, p->port);
	int r = fd;

	net_address_text(&p->host, address);
	if (r == -EADDRINUSE) { /* since it was tried */
		net_port_holder(p->protocol, p->port, who);
		return err_msg(err, r, "Bind for %s:%u failed: port %u/%s is in use by %s", address, p->port, p->port,
			       net_protocol_name(p->protocol), who[0] != '\0' ? who : "another program");
	}
	if (r >= 0 && p->protocol == IPPROTO_TCP)
		r = listen(fd, SOMAXCONN) < 0 || setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ? -errno : 0;
	else if (r >= 0) /* answers come from the address that was asked */
		r = (p->host.family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))
						: setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))) < 0
			    ? -errno
			    : 0;
	if (r >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "Bind for %s:%u failed", address, p->port) : take_fd(fd);
}

static int hand_over(int mail, const char *instance, const struct net_table_port *p, struct err *err)
{
	struct ports_message m = { .type = PORTS_OPEN,
				   .protocol = p->protocol,
				   .family = p->to.family == AF_INET6 ? 6 : 4,
				   .to_port = p->to_port };
	_cleanup_close_ int fd = bind_port(p, err);
	int r;

	if (fd < 0)
		return fd;
	memcpy(m.to, p->to.bytes, net_address_size(&p->to));
	memcpy(m.id, instance, strnlen(instance, sizeof(m.id)));
	r = msg_send(mail, &m, sizeof(m), &fd, 1);
	return r < 0 ? err_set(err, r, "speak to '" PROGRAM "'") : 0;
}

struct spawning {
	struct server server;
	struct err *err;
};

/* Called in the home */
static int spawn(void *arg)
{
	const struct spawning *s = arg;

	return server_spawn(&s->server, s->err);
}

static int start(struct engine *e, int dir, struct err *err)
{
	char *const argv[] = { PROGRAM, e->runroot, NULL };
	char program[SERVER_PATH];
	int r = server_program(e, PROGRAM, program, err);

	if (r < 0)
		return r;
	server_kill(dir, LOCK); /* one that does not listen */
	(void) unlinkat(dir, SOCKET, 0); /* bind(2) tells */
	_cleanup_close_ int control = msg_mailbox_at(dir, SOCKET);
	if (control < 0)
		return err_set(err, control, "create a socket in '%s/" HOME_FOLDER "'", e->runroot);
	struct spawning s = { { .dir = dir, .lock = LOCK, .program = program, .argv = argv, .fds = { control }, .n = 1 }, err };
	return netns_call(e->netns, spawn, &s);
}

static int restore(struct engine *e, int mail, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT protocol, address, port, target, inside, instance FROM port", "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		struct net_table_port p = { .protocol = (unsigned char) db_i64(rows, 0),
					    .port = (uint16_t) db_i64(rows, 2),
					    .to_port = (uint16_t) db_i64(rows, 4) };
		struct err why = { 0 };

		r = 0;
		if (net_address_parse(db_text(rows, 1), &p.host) < 0 || net_address_parse(db_text(rows, 3), &p.to) < 0 ||
		    net_address_is_any(&p.to)) /* of network pasta */
			continue;
		if (hand_over(mail, db_text(rows, 5), &p, &why) < 0)
			log_warning("instance %.12s: %s", db_text(rows, 5), why.text);
	}
	return r;
}

int relay_restore(struct engine *e, struct err *err)
{
	_cleanup_close_ int dir = open_folder(e), mail = -EBADF;
	int r = dir < 0 ? err_set(err, dir, "open '%s/" HOME_FOLDER "'", e->runroot) : start(e, dir, err);

	if (r < 0)
		return r;
	mail = server_mail(dir, SOCKET);
	return mail < 0 ? err_set(err, mail, "speak to '" PROGRAM "'") : restore(e, mail, err);
}

int relay_open(struct engine *e, const char *instance, const struct net_table_port *ports, size_t n, struct err *err)
{
	_cleanup_close_ int dir = -EBADF, mail = -EBADF;
	int r = 0;

	if (e->keeper < 0 || n == 0)
		return 0;
	_cleanup_close_ int lock = network_lock(e, err);
	if (lock < 0)
		return lock;
	dir = open_folder(e);
	if (dir < 0)
		return err_set(err, dir, "open '%s/" HOME_FOLDER "'", e->runroot);
	mail = open_mail(dir);
	if (mail < 0 && faccessat(dir, LOCK, F_OK, 0) == 0) { /* somebody killed it: all of them, with ours */
		return relay_restore(e, err);
	}
	if (mail < 0) {
		r = start(e, dir, err);
		mail = r == 0 ? server_mail(dir, SOCKET) : -EBADF;
		if (r == 0 && mail < 0)
			r = err_set(err, mail, "speak to '" PROGRAM "'");
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = hand_over(mail, instance, &ports[i], err);
	return r;
}

void relay_close(const struct engine *e, const char *instance)
{
	struct ports_message m = { .type = PORTS_CLOSE };
	_cleanup_close_ int dir = open_folder(e), mail = dir >= 0 ? open_mail(dir) : -EBADF;
	int done[2];

	if (mail < 0 || pipe2(done, O_CLOEXEC) < 0)
		return;
	memcpy(m.id, instance, strnlen(instance, sizeof(m.id)));
	if (msg_send(mail, &m, sizeof(m), &done[1], 1) == 0) {
		struct pollfd p = { .fd = done[0], .events = POLLIN };

		(void) close(done[1]);
		(void) poll(&p, 1, CLOSE_WAIT_MS); /* it closes its end when it is done */
	} else {
		(void) close(done[1]);
	}
	(void) close(done[0]);
}

pid_t relay_pid(const struct engine *e)
{
	_cleanup_close_ int dir = open_folder(e);

	return dir < 0 ? dir : server_holder(dir, LOCK);
}

bool relay_lost(const struct engine *e)
{
	_cleanup_close_ int dir = open_folder(e);

	return dir >= 0 && faccessat(dir, LOCK, F_OK, 0) == 0 && server_holder(dir, LOCK) == 0;
}

void relay_end(const struct engine *e)
{
	_cleanup_close_ int dir = open_folder(e);

	if (dir >= 0)
		server_kill(dir, LOCK);
}
