/* SPDX-License-Identifier: MIT */
/**
 * DOC: kill a process, or let a call fail, at an exact system call
 *
 *   step [-o FILE] COMMAND...                          count
 *   step -l LABEL -n N [-a] [-o FILE] COMMAND...       SIGKILL at entry to the Nth system call of LABEL
 *   step -e ERROR -n N [-s] -p DIR... COMMAND...       the Nth call that changes a file below a DIR fails
 *
 * Runs COMMAND and follows all its descendants.  Those that run one of our programs (cleave..., and
 * docker-init, as cleave-init is called in an instance) have a label: "0" is COMMAND, "0.2" its second child, whatever the kernel says about who its parent is; the name
 * of the program is appended when a process executes one ("0.1:cleave-monitor", then "0.1:cleave").  A
 * label counts from its own beginning.  Other programs are let go when they are executed.
 *
 * -a   kill all our processes at that moment
 * -s   the disk stays full: all later such calls fail as well
 * -o   FILE gets a line "LABEL CALLS" for each, "writes CALLS" for those below DIR, and "hit CALL" when
 *      something was done, CALL being the number of the system call
 *
 * Status: that of COMMAND, 128+n for signal n; 77 without ptrace.  Ends when all have ended, or
 * when COMMAND has and the others sleep; these are let go unharmed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* <linux/ptrace.h> does not go with <sys/ptrace.h> */
struct syscall_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	uint64_t nr, args[6]; /* at entry */
};
#define OP_ENTRY 1
#define OP_EXIT 2

#define PROCS_MAX 1024
#define LABEL_MAX 192
#define DIRS_MAX 4
#define IDLE_STEPS 4 /* looks without an event, and everybody asleep */
#define LOOK_MS 10
#define OPTIONS                                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC)

struct proc {
	pid_t pid; /* 0: free */
	char label[LABEL_MAX];
	unsigned children;
	bool ours, known, waits; /* @waits: stopped until its parent's event tells who it is */
	bool fails; /* the call it is in */
};

struct count {
	char label[LABEL_MAX];
	unsigned long calls;
	struct count *next;
};

/* What was asked for, and what was seen */
static struct {
	const char *target, *dirs[DIRS_MAX], *out_path;
	unsigned long wanted, writes;
	int error, nr_dirs;
	bool all, sticky;
	long hit; /* the call, -1: none yet */
	struct proc procs[PROCS_MAX];
	struct count *counts;
} s = { .hit = -1 };

static struct proc *find(pid_t pid, bool make)
{
	struct proc *free_slot = NULL;

	for (size_t i = 0; i < PROCS_MAX; i++) {
		if (s.procs[i].pid == pid)
			return &s.procs[i];
		if (s.procs[i].pid == 0 && free_slot == NULL)
			free_slot = &s.procs[i];
	}
	if (make && free_slot != NULL)
		*free_slot = (struct proc) { .pid = pid };
	return make ? free_slot : NULL;
}

static unsigned long count(const char *label)
{
	struct count **c = &s.counts;

	while (*c != NULL && strcmp((*c)->label, label) != 0)
		c = &(*c)->next;
	if (*c == NULL) {
		*c = calloc(1, sizeof(**c));
		if (*c == NULL)
			exit(125);
		(void) snprintf((*c)->label, sizeof((*c)->label), "%s", label);
	}
	return ++(*c)->calls;
}

static bool proc_link(pid_t pid, char ret[PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool proc_link(pid_t pid, char ret[PATH_MAX], const char *format, ...)
{
	char path[64], name[32];
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	(void) vsnprintf(name, sizeof(name), format, ap);
	va_end(ap);
	(void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
	n = readlink(path, ret, PATH_MAX - 1);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool below(const char *path)
{
	for (int i = 0; i < s.nr_dirs; i++) {
		size_t n = strlen(s.dirs[i]);

		if (strncmp(path, s.dirs[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return false;
}

static bool fd_below(pid_t pid, uint64_t fd)
{
	char path[PATH_MAX];

	return proc_link(pid, path, "fd/%d", (int) fd) && below(path);
}

/* @create: only when there is no such file yet, so that the call makes one */
static bool path_below(pid_t pid, uint64_t dir, uint64_t address, bool create)
{
	char path[256] = "", at[PATH_MAX] = "", full[PATH_MAX + 257];
	struct iovec to = { path, sizeof(path) - 1 }, from = { (void *) (uintptr_t) address, 0 };

	/* the string may end before a page that is not there */
	from.iov_len = 4096 - address % 4096 < to.iov_len ? 4096 - address % 4096 : to.iov_len;
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) <= 0)
		return false;
	if (path[0] != '/' && !((int) dir == AT_FDCWD ? proc_link(pid, at, "cwd")
						      : proc_link(pid, at, "fd/%d", (int) dir)))
		return false;
	(void) snprintf(full, sizeof(full), "%s%s%s", at, path[0] != '/' ? "/" : "", path);
	return below(full) && (!create || access(full, F_OK) < 0);
}

/* Does this call need room on a disk, below one of the directories? */
static bool changes_file(pid_t pid, const struct syscall_info *i)
{
	const uint64_t *a = i->args;

	switch (i->nr) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_pwritev2:
	case SYS_ftruncate:
	case SYS_fallocate:
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_syncfs:
	case SYS_sendfile:
	case SYS_fsetxattr:
		return fd_below(pid, a[0]);
	case SYS_copy_file_range:
		return fd_below(pid, a[2]);
	case SYS_open:
		return (a[1] & O_CREAT) != 0 && path_below(pid, (uint64_t) AT_FDCWD, a[0], true);
	case SYS_openat:
		return (a[2] & O_CREAT) != 0 && path_below(pid, a[0], a[1], true);
	case SYS_mkdir:
	case SYS_mknod:
	case SYS_setxattr:
	case SYS_lsetxattr:
		return path_below(pid, (uint64_t) AT_FDCWD, a[0], false);
	case SYS_link:
	case SYS_symlink:
	case SYS_rename:
		return path_below(pid, (uint64_t) AT_FDCWD, a[1], false);
	case SYS_mkdirat:
	case SYS_mknodat:
		return path_below(pid, a[0], a[1], false);
	case SYS_symlinkat:
		return path_below(pid, a[1], a[2], false);
	case SYS_linkat:
	case SYS_renameat:
	case SYS_renameat2:
		return path_below(pid, a[2], a[3], false);
	default:
		return false;
	}
}

static void set_register(pid_t pid, size_t offset, long value)
{
	(void) ptrace(PTRACE_POKEUSER, pid, (void *) offset, (void *) value); /* it may be killed */
}

static void kill_now(const struct proc *p, long nr)
{
	s.hit = nr;
	set_register(p->pid, offsetof(struct user, regs.orig_rax), -1);
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (s.procs[i].pid != 0 && s.procs[i].ours && (s.all || &s.procs[i] == p))
			(void) kill(s.procs[i].pid, SIGKILL); /* it may have ended */
}

static void enter_call(struct proc *p, const struct syscall_info *i)
{
	unsigned long n = count(p->label);

	if (s.target != NULL && s.hit < 0 && n == s.wanted && strcmp(p->label, s.target) == 0)
		kill_now(p, (long) i->nr);
	if (s.nr_dirs == 0 || !changes_file(p->pid, i))
		return;
	s.writes++;
	if (s.error == 0 || !(s.writes == s.wanted || (s.sticky && s.writes > s.wanted)))
		return;
	if (s.hit < 0)
		s.hit = (long) i->nr;
	p->fails = true;
	set_register(p->pid, offsetof(struct user, regs.orig_rax), -1);
}

static void at_call(struct proc *p)
{
	struct syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *) sizeof(info), &info) < 0)
		return;
	if (info.op == OP_ENTRY)
		enter_call(p, &info);
	else if (info.op == OP_EXIT && p->fails) {
		set_register(p->pid, offsetof(struct user, regs.rax), -s.error);
		p->fails = false;
	}
}

static void resume(const struct proc *p, int signal)
{
	(void) ptrace(p->ours ? PTRACE_SYSCALL : PTRACE_CONT, p->pid, NULL,
		      (void *) (long) signal); /* it may be killed */
}

static void name_child(struct proc *parent)
{
	unsigned long pid = 0;
	struct proc *c;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) < 0 || pid == 0)
		return;
	c = find((pid_t) pid, true);
	if (c == NULL)
		return;
	(void) snprintf(c->label, sizeof(c->label), "%.180s.%u", parent->label,
			++parent->children);
	c->ours = parent->ours;
	c->known = true;
	if (c->waits)
		resume(c, 0);
	c->waits = false;
}

/* Return: false when it is let go. */
static bool executed(struct proc *p)
{
	char path[64], argv[LABEL_MAX] = "", *name;
	FILE *f;

	(void) snprintf(path, sizeof(path), "/proc/%d/cmdline", (int) p->pid);
	f = fopen(path, "re");
	if (f != NULL) {
		argv[fread(argv, 1, sizeof(argv) - 1, f)] = '\0';
		(void) fclose(f); /* read-only */
	}
	name = strrchr(argv, '/') != NULL ? strrchr(argv, '/') + 1 : argv;
	p->ours = strncmp(name, "cleave", 6) == 0 || strcmp(name, "docker-init") == 0;
	if (!p->ours && strcmp(p->label, "0") != 0) {
		(void) ptrace(PTRACE_DETACH, p->pid, NULL, NULL); /* it may be killed */
		p->pid = 0;
		return false;
	}
	if (strcmp(p->label, "0") != 0) {
		p->label[strcspn(p->label, ":")] = '\0';
		(void) snprintf(p->label + strlen(p->label), sizeof(p->label) - strlen(p->label),
				":%.40s", name);
	}
	return true;
}

static void stopped(struct proc *p, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case 0:
		if (signal == (SIGTRAP | 0x80)) {
			at_call(p);
			signal = 0;
		}
		resume(p, signal);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		name_child(p);
		break;
	case PTRACE_EVENT_EXEC:
		if (!executed(p))
			return;
		break;
	case PTRACE_EVENT_STOP:
		if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
			(void) ptrace(PTRACE_LISTEN, p->pid, NULL, NULL); /* it may be killed */
			return;
		}
		p->waits = !p->known;
		if (p->waits)
			return;
		break;
	default:
		break;
	}
	resume(p, 0);
}

/* Does everybody wait for something that does not come from us? */
static bool asleep(void)
{
	for (size_t i = 0; i < PROCS_MAX; i++) {
		char path[64], text[256] = "", *state;
		FILE *f;

		if (s.procs[i].pid == 0)
			continue;
		(void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) s.procs[i].pid);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		(void) fclose(f); /* read-only */
		state = strrchr(text, ')');
		if (state != NULL && state[2] != 'S')
			return false;
	}
	return true;
}

static int follow(pid_t root)
{
	int status, result = -1, idle = 0;
	pid_t pid;

	while (idle < IDLE_STEPS && (pid = waitpid(-1, &status, __WALL | (result >= 0 ? WNOHANG : 0))) >= 0) {
		struct proc *p;

		if (pid == 0) {
			(void) poll(NULL, 0, LOOK_MS);
			idle = asleep() ? idle + 1 : 0;
			continue;
		}
		idle = 0;
		p = find(pid, WIFSTOPPED(status));
		if (p != NULL && WIFSTOPPED(status))
			stopped(p, status);
		else if (p != NULL && !WIFSTOPPED(status))
			p->pid = 0;
		if (pid == root && !WIFSTOPPED(status))
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return result;
}

static int report(void)
{
	FILE *f = s.out_path != NULL ? fopen(s.out_path, "we") : NULL;

	if (s.out_path == NULL)
		return 0;
	if (f == NULL)
		return -errno;
	for (const struct count *c = s.counts; c != NULL; c = c->next)
		(void) fprintf(f, "%s %lu\n", c->label, c->calls);
	if (s.nr_dirs > 0)
		(void) fprintf(f, "writes %lu\n", s.writes);
	if (s.hit >= 0)
		(void) fprintf(f, "hit %ld\n", s.hit);
	return fclose(f) == 0 ? 0 : -errno;
}

static bool read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+l:n:ae:sp:o:")) >= 0)
		if (c == 'l')
			s.target = optarg;
		else if (c == 'n')
			s.wanted = strtoul(optarg, NULL, 10);
		else if (c == 'a')
			s.all = true;
		else if (c == 'e')
			s.error = strcmp(optarg, "ENOSPC") == 0 ? ENOSPC : EIO;
		else if (c == 's')
			s.sticky = true;
		else if (c == 'p' && s.nr_dirs < DIRS_MAX)
			s.dirs[s.nr_dirs++] = optarg;
		else if (c == 'o')
			s.out_path = optarg;
		else
			return false;
	return optind < argc;
}

int main(int argc, char **argv)
{
	int go[2], result;
	struct proc *p;
	pid_t pid;
	char c;

	if (!read_options(argc, argv) || pipe2(go, O_CLOEXEC) < 0)
		return 125;
	pid = fork();
	if (pid == 0) {
		(void) read(go[0], &c, 1); /* until we are followed */
		(void) execvp(argv[optind], argv + optind);
		_exit(127);
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *) OPTIONS) < 0) {
		(void) fprintf(stderr, "step: no ptrace: %s\n", strerror(errno));
		return 77;
	}
	p = find(pid, true);
	*p = (struct proc) { .pid = pid, .label = "0", .known = true };
	(void) write(go[1], "", 1); /* a new pipe has room */
	result = follow(pid);
	return report() < 0 ? 125 : result;
}
