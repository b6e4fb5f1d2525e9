/* SPDX-License-Identifier: MIT */
/**
 * DOC: from the first program to one of the image
 *
 * The first program of an instance gets namespaces of its own, as in a container: it is number 1, and does
 * not see who started it.  Others join it there.
 */
#include "guest/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "guest/child_parts.h"
#include "guest/machine.h"
#include "guest/os.h"
#include "guest/request.h"

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID)
#define PATH_SIZE 4096
#define CGROUP "/cgroup"
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int send_report(int sock, int step, long error, int fd)
{
	struct child_report report = { step, (int32_t) error };
	struct iovec v = { &report, sizeof(report) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd >= 0) {
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		*(int *) CMSG_DATA(&control.head) = fd;
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	return (int) OS3(__NR_sendmsg, sock, &m, MSG_NOSIGNAL);
}

/* A terminal of the instance's own; who started us gets its other end. */
static int open_terminal(const struct child *c)
{
	struct winsize size = { .ws_row = (uint16_t) c->r->rows, .ws_col = (uint16_t) c->r->columns };
	long master = os_open("/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0), slave;
	int unlocked = 0, r;

	if (master < 0)
		return (int) master;
	(void) sys_ioctl((int) master, TIOCSPTLCK, &unlocked); /* the next line tells */
	slave = sys_ioctl((int) master, TIOCGPTPEER, (void *) (long) (O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (slave < 0)
		return (int) slave;
	if (size.ws_row != 0)
		(void) sys_ioctl((int) master, TIOCSWINSZ, &size); /* cosmetic */
	(void) OS3(__NR_fchown, slave, c->r->uid, -1); /* as of a login; else it stays root's */
	r = send_report(c->report, CHILD_TERMINAL, 0, (int) master);
	(void) sys_close((int) master); /* handed over */
	if (r < 0)
		return r;
	for (int fd = 0; fd < 3; fd++)
		if (OS3(__NR_dup3, slave, fd, 0) < 0)
			return -EBADF;
	r = (int) sys_ioctl(0, TIOCSCTTY, NULL);
	if (r == 0 && c->join < 0) { /* where systemd and others look for it */
		long fd = os_open("/dev/console", O_WRONLY | O_CREAT, 0600);
		char name[32] = "/dev/pts/";
		unsigned n = 0;

		if (fd >= 0)
			(void) sys_close((int) fd);
		if (sys_ioctl(0, TIOCGPTN, &n) == 0) {
			*text_number(name + 9, n, 1) = '\0';
			(void) os_mount(name, "/dev/console", NULL, MS_BIND, NULL); /* or there is none */
		}
	}
	return r;
}

static int connect_stdio(const struct child *c)
{
	(void) OS0(__NR_setsid); /* it is no leader of a group yet */
	if (c->r->flags & GUEST_TTY)
		return open_terminal(c);
	for (int fd = 0; fd < 3; fd++)
		if (OS3(__NR_dup3, c->stdio[fd], fd, 0) < 0)
			return -EBADF;
	return 0;
}

static const char *find_path(const struct request *r)
{
	const char *found = PATH_DEFAULT;

	for (uint32_t i = 0; i < r->envc; i++) {
		const char *e = r->envp[i];

		if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' && e[4] == '=')
			found = e + 5;
	}
	return found;
}

/* What the host's programs do here is not looked for in the instance. */
static long execute_ours(int fd, const struct request *r)
{
	return OS5(__NR_execveat, fd, "", r->argv, r->envp, AT_EMPTY_PATH);
}

static long execute(const char *path, const struct request *r)
{
	struct stat st;

	if (OS4(__NR_newfstatat, AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	return OS3(__NR_execve, path, r->argv, r->envp);
}

static long search(const struct request *r)
{
	const char *name = r->argv[0], *dir = find_path(r);
	char file[PATH_SIZE];
	size_t len = text_len(name);
	long result = -ENOENT;

	for (size_t i = 0; i < len; i++)
		if (name[i] == '/')
			return execute(name, r);
	while (*dir != '\0') {
		size_t n = 0;

		while (dir[n] != '\0' && dir[n] != ':')
			n++;
		if (n + len + 2 <= sizeof(file)) {
			long e;

			__builtin_memcpy(file, dir, n);
			file[n] = '/';
			__builtin_memcpy(file + n + 1, name, len + 1);
			e = execute(file, r);
			if (e != -ENOENT && e != -ENOTDIR && e != -EISDIR)
				result = e;
		}
		dir += n + (dir[n] == ':');
	}
	return result == -ENOENT ? -ESRCH : result; /* not in PATH, which is told apart */
}

/* The instance's own program has its directory made, others find it or fail. */
static int enter_cwd(const struct child *c)
{
	long e = OS1(__NR_chdir, c->r->cwd);

	if (e == -ENOENT && c->join < 0 && child_make_dirs(c->r->cwd, 0) == 0)
		e = OS1(__NR_chdir, c->r->cwd);
	return (int) e;
}

static int prepare(const struct child *c, int *step)
{
	int r = 0;

	if (c->join >= 0) {
		(void) OS2(__NR_setns, c->join, CLONE_NEWCGROUP); /* without cgroups there is none to hide */
		r = (int) OS2(__NR_setns, c->join, NAMESPACES & ~CLONE_NEWPID);
	} else {
		r = child_machine(c->r, step);
	}
	if (r == 0) {
		*step = GUEST_STEP_TERMINAL;
		r = connect_stdio(c);
	}
	if (r == 0) {
		*step = GUEST_STEP_CWD;
		r = enter_cwd(c);
	}
	return r < 0 ? r : child_identity(c->r, step);
}

static _Noreturn void be_child(const struct child *c)
{
	int step = GUEST_STEP_PROCESS, ours = -1;
	long r = 0;

	os_be_patient(false); /* as its parent may be */
	if (c->r->flags & GUEST_OURS)
		r = ours = (int) os_open(MACHINE_SHARED GUEST_COPIER, O_PATH, 0);
	if (r >= 0)
		r = prepare(c, &step);
	if (r >= 0) {
		(void) sys_signals_only(0); /* a valid set */
		r = ours >= 0 ? execute_ours(ours, c->r) : search(c->r);
		step = GUEST_STEP_EXEC;
	}
	(void) send_report(c->report, step, r, -1); /* or it sees our end */
	sys_exit(127);
}

static long spawn_in(uint64_t flags, long cgroup)
{
	struct clone_args a = { .flags = flags | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t) cgroup };
	long pid = cgroup >= 0 ? OS2(__NR_clone3, &a, sizeof(a)) : cgroup;

	if (cgroup >= 0)
		(void) sys_close((int) cgroup); /* a directory; of the child's copy its program frees it */
	return pid;
}

/* "0::/instance/init.scope" is /cgroup/instance/init.scope. */
static long open_cgroup_of(long pid)
{
	char path[40] = "/proc/", text[PATH_SIZE], *end = text_number(path + 6, (uint64_t) pid, 1);
	char *const line = text + sizeof(CGROUP) - 4; /* room for its beginning in the place of "0::" */
	long n;

	__builtin_memcpy(end, "/cgroup", 8);
	n = os_read_file(path, line, sizeof(text) - sizeof(CGROUP));
	if (n < 4 || line[0] != '0' || line[1] != ':' || line[2] != ':')
		return n < 0 ? n : -ENOENT;
	__builtin_memcpy(text, CGROUP, sizeof(CGROUP) - 1);
	for (end = line; *end != '\n' && *end != '\0'; end++)
		;
	*end = '\0';
	return os_open(text, O_PATH | O_DIRECTORY, 0);
}

/*
 * In the instance's cgroup from the beginning: to move there later takes the kernel a grace period.  If that has been
 * divided, as systemd does, no process can be in it but in the part where the first one is.  Without memory cgroups it is not
 * counted.
 */
static long spawn(uint64_t flags, long first)
{
	long pid = spawn_in(flags, os_open(CGROUP "/instance", O_PATH | O_DIRECTORY, 0));

	if (pid == -EBUSY && first > 0)
		pid = spawn_in(flags, open_cgroup_of(first));
	return pid < 0 ? sys_call(__NR_clone, (long) flags | SIGCHLD, 0, 0, 0, 0, 0) : pid;
}

/* Numbers of processes are given in the namespace that their parent has chosen for its children, for a moment. */
static long spawn_inside(int join, long first)
{
	long own = os_open("/proc/self/ns/pid", O_RDONLY, 0), pid = own;

	if (pid >= 0)
		pid = OS2(__NR_setns, join, CLONE_NEWPID);
	if (pid == 0) {
		pid = spawn(0, first);
		if (pid != 0)
			(void) OS2(__NR_setns, own, CLONE_NEWPID); /* it was there before */
	}
	if (own >= 0)
		(void) sys_close((int) own);
	return pid;
}

long child_start(const struct child *c)
{
	long pid = c->join < 0 ? spawn(NAMESPACES, 0) : spawn_inside(c->join, c->first);

	if (pid == 0)
		be_child(c);
	return pid;
}
