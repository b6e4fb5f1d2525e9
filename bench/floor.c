/* SPDX-License-Identifier: MIT */
/**
 * DOC: floor - the least that starting a container can cost here
 *
 *   floor ROOTFS PROGRAM [ARG...]
 *
 * One clone3(2) with new mount, pid, ipc, uts, net and cgroup namespaces; the
 * root file system bound over itself, proc, pivot_root(2), the old root
 * unmounted, execve(2), wait.  No cgroup, no seccomp, no capabilities, no
 * devices, no state: a runtime cannot be faster than this, only close to it.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void container(const char *rootfs, char **argv)
{
	char *const env[] = { "PATH=/bin", NULL };

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make the mounts private");
	must(mount(rootfs, rootfs, NULL, MS_BIND, NULL), "bind the root file system");
	must(chdir(rootfs), "enter the root file system");
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL), "mount proc");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "unmount the old root");
	must(chdir("/"), "enter the new root");
	execve(argv[0], argv, env);
	must(-1, argv[0]);
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			 CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status;
	long pid;

	if (argc < 3) {
		fputs("usage: floor ROOTFS PROGRAM [ARG...]\n", stderr);
		return 125;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	must(pid, "clone3");
	if (pid == 0)
		container(argv[1], argv + 2);
	must(waitpid((pid_t) pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
