/* SPDX-License-Identifier: MIT */
#include "sys/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
	ino_t namespace;
	int fd;
};

static int look(void *arg)
{
	struct seen *s = arg;
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	s->namespace = st.st_ino;
	s->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 7;
}

static void here(void **state)
{
	struct seen s = { 0 };
	struct stat own;

	(void) state;
	assert_int_equal(stat("/proc/self/ns/net", &own), 0);
	assert_int_equal(netns_call(-EBADF, look, &s), 7);
	assert_int_equal(s.namespace, own.st_ino);
	assert_int_equal(close(s.fd), 0);
	assert_int_equal(netns_call(STDIN_FILENO, look, &s), -EINVAL);
}

/* What it was told and what it has opened is ours; where it was, we are not. */
static void elsewhere(void **state)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), other;
	struct stat there, now, before;
	struct seen s = { .fd = -1 };

	(void) state;
	assert_true(own >= 0);
	if (unshare(CLONE_NEWNET) < 0) {
		(void) close(own);
		skip(); /* that needs root */
	}
	other = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	assert_int_equal(netns_call(other, look, &s), 7);
	assert_int_equal(fstat(other, &there), 0);
	assert_int_equal(fstat(own, &before), 0);
	assert_int_equal(stat("/proc/self/ns/net", &now), 0);
	assert_int_equal(s.namespace, there.st_ino);
	assert_int_equal(now.st_ino, before.st_ino);
	assert_int_equal(close(s.fd), 0);
	(void) close(other);
	(void) close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(here), cmocka_unit_test(elsewhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
