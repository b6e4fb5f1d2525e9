/* SPDX-License-Identifier: MIT */
/* What becomes of compiled filters: the cache, the kernel, the agent of notifications. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"
#include "oci/seccomp_test.h"
#include "oci/spec.h"

static char cache_path[] = "/tmp/seccomp_test.XXXXXX";

static int make_dir(void **state)
{
	(void) state;
	return mkdtemp(cache_path) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void) state;
	return dir_remove(AT_FDCWD, cache_path);
}

/* The one file in the cache directory.  Return: its descriptor. */
static int open_slot(int dirfd, int flags, char *name)
{
	_cleanup_closedir_ DIR *d = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *e;
	int fd = -1;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(fd, -1);
		(void) snprintf(name, 256, "%s", e->d_name);
		fd = openat(dirfd, name, flags);
	}
	assert_true(fd >= 0);
	return fd;
}

static void cache_hit_miss_damage(void **state)
{
	struct oci_seccomp_rule rule = { .names = NAMES("read", "write"), .action = SECCOMP_RET_ALLOW };
	struct oci_seccomp s = { .default_action = SECCOMP_RET_ERRNO, .rules = &rule, .nr_rules = 1 };
	_cleanup_close_ int dir = open(cache_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat before, after;
	char name[256];
	char byte;

	(void) state;
	_cleanup_(oci_filter_fini) struct oci_filter plain = compile(&s);
	for (int round = 0; round < 5; round++) {
		_cleanup_(oci_filter_fini) struct oci_filter f = { 0 };

		assert_int_equal(oci_seccomp_compile(&s, dir, &f, NULL), 0);
		assert_int_equal(f.len, plain.len);
		assert_memory_equal(f.prog, plain.prog, f.len * sizeof(*f.prog));

		_cleanup_close_ int fd = open_slot(dir, O_RDWR | O_CLOEXEC, name);
		assert_int_equal(fstat(fd, &after), 0);
		if (round == 1) /* a hit: the file was not written again */
			assert_int_equal(after.st_ino, before.st_ino);
		if (round > 1) /* unusable: replaced */
			assert_int_not_equal(after.st_ino, before.st_ino);
		before = after;
		/* so that its inode number is not used again */
		_cleanup_close_ int keep = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		switch (round) {
		case 1: /* a flipped bit in the program */
			assert_int_equal(pread(fd, &byte, 1, after.st_size - 5), 1);
			byte ^= 4;
			assert_int_equal(pwrite(fd, &byte, 1, after.st_size - 5), 1);
			(void) take_fd(keep);
			break;
		case 2: /* cut */
			assert_int_equal(ftruncate(fd, after.st_size - 8), 0);
			(void) take_fd(keep);
			break;
		case 3: /* writable by others */
			assert_int_equal(fchmod(fd, 0666), 0);
			(void) take_fd(keep);
			break;
		}
	}
	/* another profile in the same slot: the program in the file is not what was asked for */
	struct oci_filter other = { 0 };
	assert_int_equal(seccomp_cache_load(dir, "some key", 8, &other), -ENOENT);
	seccomp_cache_store(dir, "some key", 8, &plain);
	assert_int_equal(seccomp_cache_load(dir, "some key", 8, &other), 0);
	oci_filter_fini(&other);
	assert_int_equal(seccomp_cache_load(dir, "some kez", 8, &other), -ENOENT);
}

/* A link in place of the file is not followed */
static void cache_link(void **state)
{
	struct oci_filter f = { .prog = (struct sock_filter[]) { { 0x06, 0, 0, 0 } }, .len = 1 };
	struct oci_filter got = { 0 };
	char name[256];

	(void) state;
	assert_int_equal(dir_remove(AT_FDCWD, cache_path), 0);
	assert_int_equal(mkdir(cache_path, 0700), 0);
	_cleanup_close_ int dir = open(cache_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	seccomp_cache_store(dir, "k", 1, &f);
	(void) close(open_slot(dir, O_RDONLY | O_CLOEXEC, name));
	assert_int_equal(seccomp_cache_load(dir, "k", 1, &got), 0);
	oci_filter_fini(&got);
	assert_int_equal(renameat(dir, name, dir, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", dir, name), 0);
	assert_int_equal(seccomp_cache_load(dir, "k", 1, &got), -ENOENT);
}

/* Run @f in a child.  Return: its exit code. */
static int in_child(int (*f)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int load_and_try(void *arg)
{
	struct oci_filter *f = arg;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (oci_seccomp_load(f, -EBADF, NULL, NULL) < 0)
		return 2;
	return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/x", 0) == -1 && errno == ENOTTY ? 0 : 3;
}

static void load_in_kernel(void **state)
{
	struct oci_seccomp_rule rule = { .names = NAMES("mkdirat"), .action = SECCOMP_RET_ERRNO,
					 .errno_ret = { true, ENOTTY } };
	struct oci_seccomp s = { .default_action = SECCOMP_RET_ALLOW, .rules = &rule, .nr_rules = 1 };
	_cleanup_(oci_filter_fini) struct oci_filter f = compile(&s);

	(void) state;
	assert_int_equal(in_child(load_and_try, &f), 0);
}

struct notify {
	struct oci_filter filter;
	int sock;
	const char *state;
};

static int load_and_ask(void *arg)
{
	struct notify *n = arg;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (oci_seccomp_load(&n->filter, n->sock, n->state, NULL) < 0)
		return 2;
	/* the agent lets this fail with ENOTBLK */
	return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/x", 0) == -1 && errno == ENOTBLK ? 0 : 3;
}

static int receive(int sock, char *text, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, size - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	int fd;

	assert_true(n > 0 && CMSG_FIRSTHDR(&msg) != NULL);
	text[n] = '\0';
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* sendmsg, recvmsg, read, futex and close wait for the agent too: none of them may be needed */
static void notify_handover(void **state)
{
	struct oci_seccomp_rule rule = {
		.names = NAMES("mkdirat", "sendmsg", "recvmsg", "read", "futex", "close", "wait4"),
		.action = SECCOMP_RET_USER_NOTIF,
	};
	struct oci_seccomp s = {
		.default_action = SECCOMP_RET_ALLOW,
		.rules = &rule,
		.nr_rules = 1,
		.listener_path = "/unused",
	};
	struct notify n = { .filter = compile(&s) };
	static const char text[] = "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":42}";
	struct seccomp_notif_resp resp = { .error = -ENOTBLK };
	struct seccomp_notif req = { 0 };
	int pair[2], fd, status;
	char got[256];
	pid_t pid;

	(void) state;
	assert_int_equal(n.filter.flags,
			 SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	n.sock = pair[1];
	n.state = text;
	pid = fork();
	if (pid == 0)
		_exit(load_and_ask(&n));
	fd = receive(pair[0], got, sizeof(got));
	assert_string_equal(got, text);
	assert_int_equal(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req), 0);
	assert_int_equal(req.data.nr, SYS_mkdirat);
	resp.id = req.id;
	assert_int_equal(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp), 0);
	(void) close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	(void) close(pair[0]);
	(void) close(pair[1]);
	oci_filter_fini(&n.filter);
}

static void agent_missing(void **state)
{
	static const struct {
		char *path;
		int code;
	} cases[] = {
		{ "/no/such/agent.sock", -ENOENT },
		{ "@no-such-agent", -ECONNREFUSED },
		{ "", -EINVAL },
		{ NULL, -EINVAL },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oci_seccomp s = { .listener_path = cases[i].path };
		struct err err = { 0 };

		assert_int_equal(oci_seccomp_connect(&s, &err), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].code == -EINVAL ?
							 "listenerPath is not set" :
							 "failed to connect with seccomp agent"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_hit_miss_damage),
		cmocka_unit_test(cache_link),
		cmocka_unit_test(load_in_kernel),
		cmocka_unit_test(notify_handover),
		cmocka_unit_test(agent_missing),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
