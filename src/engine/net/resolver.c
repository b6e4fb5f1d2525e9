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
#include "net/table.h"
#include "oci/cgroup.h"
#include "sys/cg_layout.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define FOLDER "names"
#define DIGITS 12 /* of the network's id, in names of files */
#define SOCKET_END ".sock"
#define UNREADY_END ".new" /* of the socket of one that does not know all yet */
#define NAME_SIZE 32 /* bytes of the name of a file */
#define PROGRAM "cleave-names"
#define CGROUP "/cleave/names-"
#define PATH_SIZE 4096
#define FDS_END (NAMES_FD_PROGRAM + 1)
#define SPARE_FD 64 /* above those */
#define BACKLOG 16
#define SEND_WAIT_S 1 /* for one that does not read what it is told */
#define END_WAIT_MS 2000
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

struct starting {
	int dir, control, udp, tcp, cleave, report;
	struct place at;
	struct oci_cgroup *cgroup; /* NULL: it stays where we are */
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
	const int fds[] = { s->control, s->udp, s->tcp, lock, s->cleave };

	for (int i = 0; i < (int) ARRAY_LEN(fds); i++)
		if (fds[i] < 0 || dup3(fds[i], SPARE_FD + i, O_CLOEXEC) < 0)
			return -errno;
	(void) close(lock);
	for (int i = 0; i < (int) ARRAY_LEN(fds); i++)
		if (dup2(SPARE_FD + i, NAMES_FD_CONTROL + i) < 0)
			return -errno;
	(void) close(SPARE_FD + NAMES_FD_LOCK - NAMES_FD_CONTROL);
	return fcntl(NAMES_FD_LOCK, F_SETLK, &whole) < 0 ? -errno : 0;
}

/* Whoever ends or freezes what the starter belongs to, a service or a session, does not mean the network. */
static void enter_cgroup(const struct starting *s)
{
	int fds[CG_V1_MAX], n = s->cgroup != NULL ? oci_cgroup_task_fds(s->cgroup, fds, ARRAY_LEN(fds), NULL) : 0;

	if (n > 0)
		(void) oci_cgroup_join_fds(fds, (size_t) n, NULL); /* else it stays in some */
	for (int i = 0; i < n; i++)
		(void) close(fds[i]); /* joining has told */
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
		enter_cgroup(s);
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
	pid = proc_clone(0, SIGCHLD, s->cgroup != NULL ? oci_cgroup_clone_fd(s->cgroup) : -EBADF, NULL);
	if (pid < 0)
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

/* Beside the monitor: what runs here may be a copy that is nowhere */
static int find_program(const struct engine *e, char ret[PATH_SIZE], struct err *err)
{
	const char *slash = strrchr(e->monitor, '/');
	int n = snprintf(ret, PATH_SIZE, "%.*s" PROGRAM, slash != NULL ? (int) (slash + 1 - e->monitor) : 0, e->monitor);

	if (n >= PATH_SIZE)
		return err_set(err, -ENAMETOOLONG, "find the program '" PROGRAM "'");
	return access(ret, X_OK) < 0 ? err_set(err, -errno, "find the program '%s'", ret) : 0;
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

int resolver_start(struct engine *e, const struct eng_network *n, struct err *err)
{
	char *const argv[] = { PROGRAM, e->runroot, (char *) n->name, e->root, e->monitor, NULL };
	struct starting s = { .at = place_of(n->id), .cleave = e->program, .argv = argv };
	_cleanup_close_ int udp = -EBADF, tcp = -EBADF, mail = -EBADF;
	int r = find_program(e, s.program, err);

	if (r < 0)
		return r;
	_cleanup_close_ int dir = make_folder(e, err);
	if (dir < 0)
		return dir;
	kill_holder(dir, s.at.lock); /* one whose starter died */
	r = bind_sockets(n, &udp, &tcp, err);
	if (r < 0)
		return r;
	(void) unlinkat(dir, s.at.unready, 0); /* likewise; bind(2) tells */
	_cleanup_close_ int control = msg_mailbox_at(dir, s.at.unready);
	if (control < 0)
		return err_set(err, control, "create a socket in '%s/" FOLDER "'", e->runroot);
	s.dir = dir;
	s.control = control;
	s.udp = udp;
	s.tcp = tcp;
	s.cgroup = open_cgroup(e, n->id);
	r = spawn(&s, err);
	oci_cgroup_free(s.cgroup);
	if (r < 0) {
		resolver_end(e, n->id);
		return r;
	}
	mail = open_mail(dir, s.at.unready);
	return mail < 0 ? err_set(err, mail, "speak to '%s'", s.program) : take_fd(mail);
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
	kill_holder(dir, p.lock);
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

	return holder(dir, lock) == 0 || faccessat(dir, p.socket, F_OK, 0) < 0;
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
