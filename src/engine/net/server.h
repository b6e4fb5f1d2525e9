/* SPDX-License-Identifier: MIT */
/*
 * Small processes that serve networks: started, told things, found by the lock that they hold while they live, ended.
 */
#pragma once

#include <sys/types.h>

struct engine;
struct err;
struct oci_cgroup;

#define SERVER_FDS_MAX 4 /* descriptors that one starts with */
#define SERVER_PATH 4096 /* bytes of the path of its program */

/**
 * struct server - one that is about to be started
 * @dir: of its files
 * @lock: name of the file there that it locks
 * @program: path
 * @cgroup: where it goes, so that whoever ends or freezes what we belong to, a service or a session, does not mean it;
 * NULL: it stays
 * @fds: what its descriptors from 3 on are, @n of them; the one after them holds the lock
 */
struct server {
	int dir;
	const char *lock, *program;
	char *const *argv;
	struct oci_cgroup *cgroup;
	int fds[SERVER_FDS_MAX], n;
};

/** server_program() - path of one of our programs, beside the monitor; 0 or -errno with a message */
int server_program(const struct engine *e, const char *name, char ret[SERVER_PATH], struct err *err);

/** server_spawn() - start it, as nobody's child, in the network namespace of the caller; 0 or -errno with a message */
int server_spawn(const struct server *s, struct err *err);

/** server_holder() - pid of the one that holds the lock; 0 nobody, also when there is no such file; -errno */
pid_t server_holder(int dir, const char *lock);

/** server_kill() - kill it, and wait until its ports are free */
void server_kill(int dir, const char *lock);

/** server_mail() - descriptor by which it is told things; who is stopped does not make us wait for ever; -ECONNREFUSED, -ENOENT; -errno */
int server_mail(int dir, const char *socket);
