/* SPDX-License-Identifier: MIT */
#include "engine/net/resolver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/names/protocol.h"
#include "engine/net/network.h"
#include "net/publish.h"
#include "sys/exe.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define FOLDER "names"
#define DIGITS 12 /* of the network's id, in names of files */
#define SOCKET_END ".sock"
#define NAME_SIZE 32 /* bytes of the name of a file */
#define PROGRAM "cleave-names"
#define PATH_SIZE 4096
#define FD_LOCK (NAMES_FD_TCP + 1)
#define FDS_END (FD_LOCK + 1)
#define SPARE_FD 64 /* above those */
#define BACKLOG 16
#define SEND_WAIT_S 1 /* for one that does not read what it is told */
#define END_WAIT_MS 2000
#define BIND_TRIES 40 /* while the one before is ending */
#define BIND_STEP_MS 5

struct place {
	char lock[NAME_SIZE], socket[NAME_SIZE];
};

static struct place place_of(const char *network)
{
	struct place p;

	(void) snprintf(p.lock, sizeof(p.lock), "%.*s", DIGITS, network);
	(void) snprintf(p.socket, sizeof(p.socket), "%.*s" SOCKET_END, DIGITS, network);
	return p;
}

static int open_folder(const struct engine *e)
{
	int fd = openat(e->run_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Who is stopped does not read; we do not wait for ever. */
static int open_mail(int dir, const char *socket)
{
	const struct timeval limit = { .tv_sec = SEND_WAIT_S };
	_cleanup_close_ int fd = msg_mail_at(dir, socket);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return take_fd(fd);
}

int resolver_mail(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	return dir < 0 ? dir : open_mail(dir, p.socket);
}

/* Who holds the lock; 0 nobody, also when there is no such file */
static pid_t holder(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

pid_t resolver_pid(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	return dir == -ENOENT ? 0 : dir < 0 ? dir : holder(dir, p.lock);
}

static int bind_socket(int type, const struct net_address *a)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(NAMES_PORT) };
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
		return err_set(err, r, "bind port %d of %s", NAMES_PORT, address);
	net_port_holder(*ret_udp < 0 ? IPPROTO_UDP : IPPROTO_TCP, NAMES_PORT, who);
	return err_msg(err, r, "port %d of %s is in use by %s", NAMES_PORT, address, who[0] != '\0' ? who : "another program");
}

struct starting {
	int dir, control, udp, tcp, report;
	struct place at;
	char program[PATH_SIZE];
	char *const *argv;
};

/*
 * Descriptors get their numbers, through spare ones.  The lock goes with any descriptor of its file that this process
 * closes, so it is taken when only one is left.
 */
static int place_fds(const struct starting *s)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const int lock = openat(s->dir, s->at.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	const int fds[] = { s->control, s->udp, s->tcp, lock };

	for (int i = 0; i < (int) ARRAY_LEN(fds); i++)
		if (fds[i] < 0 || dup3(fds[i], SPARE_FD + i, O_CLOEXEC) < 0)
			return -errno;
	(void) close(lock);
	for (int i = 0; i < (int) ARRAY_LEN(fds); i++)
		if (dup2(SPARE_FD + i, NAMES_FD_CONTROL + i) < 0)
			return -errno;
	(void) close(SPARE_FD + FD_LOCK - NAMES_FD_CONTROL);
	return fcntl(FD_LOCK, F_SETLK, &whole) < 0 ? -errno : 0;
}

/* s->report tells the caller -errno, or closes when the program runs. */
static _Noreturn void become(struct starting *s)
{
	char *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), report = dup3(s->report, SPARE_FD + FDS_END, O_CLOEXEC);
	int r = null < 0 || report < 0 ? -errno : 0;

	for (int fd = 0; r == 0 && fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			r = -errno;
	if (r == 0)
		r = place_fds(s);
	proc_default_signals();
	if (r == 0 && (chdir("/") < 0 || proc_cloexec_from(FDS_END) < 0))
		r = -errno;
	if (r == 0) {
		(void) execve(s->program, s->argv, env);
		r = -errno;
	}
	(void) write(report, &r, sizeof(r)); /* the caller waits for it, or is gone */
	_exit(1);
}

/* Not our child, so that nobody has to wait for it */
static int spawn(struct starting *s, struct err *err)
{
	int report[2], r = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	s->report = report[1];
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid == 0) {
		(void) setsid();
		pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
		if (pid == 0)
			become(s);
		_exit(pid < 0);
	}
	(void) close(report[1]);
	if (pid > 0 && proc_wait(pid) != 0)
		r = -EAGAIN;
	if (pid > 0 && r == 0 && read(report[0], &r, sizeof(r)) < 0)
		r = -errno;
	(void) close(report[0]);
	return pid < 0 || r < 0 ? err_set(err, pid < 0 ? pid : r, "start '%s'", s->program) : 0;
}

static int make_folder(const struct engine *e, struct err *err)
{
	int fd;

	if (mkdirat(e->run_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s/" FOLDER "'", e->runroot);
	fd = open_folder(e);
	return fd < 0 ? err_set(err, fd, "open '%s/" FOLDER "'", e->runroot) : fd;
}

int resolver_start(struct engine *e, const struct eng_network *n, struct err *err)
{
	char *const argv[] = { PROGRAM, e->runroot, (char *) n->name, NULL };
	struct starting s = { .at = place_of(n->id), .argv = argv };
	_cleanup_close_ int udp = -EBADF, tcp = -EBADF, mail = -EBADF;
	int r = exe_helper(PROGRAM, s.program, sizeof(s.program));

	if (r < 0)
		return err_set(err, r, "find the program '%s'", s.program);
	_cleanup_close_ int dir = make_folder(e, err);
	if (dir < 0)
		return dir;
	r = bind_sockets(n, &udp, &tcp, err);
	if (r < 0)
		return r;
	(void) unlinkat(dir, s.at.socket, 0); /* of one that died; bind(2) tells */
	_cleanup_close_ int control = msg_mailbox_at(dir, s.at.socket);
	if (control < 0)
		return err_set(err, control, "create a socket in '%s/" FOLDER "'", e->runroot);
	s.dir = dir;
	s.control = control;
	s.udp = udp;
	s.tcp = tcp;
	r = spawn(&s, err);
	if (r < 0) {
		resolver_end(e, n->id);
		return r;
	}
	mail = open_mail(dir, s.at.socket);
	return mail < 0 ? err_set(err, mail, "speak to '%s'", s.program) : take_fd(mail);
}

/* The process that holds the lock, killed and gone */
static void kill_holder(int dir, const char *lock)
{
	pid_t pid = holder(dir, lock);
	_cleanup_close_ int fd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || holder(dir, lock) != pid) /* it is that process, and no later one with its number */
		return;
	if (proc_pidfd_kill(fd, SIGKILL) == 0)
		(void) poll(&p, 1, END_WAIT_MS); /* so that its port is free; else the next start waits */
}

void resolver_end(struct engine *e, const char *network)
{
	const struct place p = place_of(network);
	_cleanup_close_ int dir = open_folder(e);

	if (dir < 0)
		return;
	(void) unlinkat(dir, p.socket, 0); /* nobody tells it anything any more */
	kill_holder(dir, p.lock);
	(void) unlinkat(dir, p.lock, 0); /* the next start makes it */
	(void) unlinkat(e->run_fd, FOLDER, AT_REMOVEDIR); /* with the last one */
}

int resolver_lost(struct engine *e, char *ret, size_t size)
{
	int fd = open_folder(e), found = 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && found == 0 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && strchr(d->d_name, '.') == NULL && holder(dirfd(dir), d->d_name) == 0) {
			(void) snprintf(ret, size, "%s", d->d_name);
			found = 1;
		}
	return found;
}
