/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/bus.h"
#include "vmm/core/conn.h"
#include "vmm/core/gmem.h"
#include "vmm/core/trace.h"

static uint64_t read_offset(void *dev, uint64_t offset, unsigned size)
{
	(void) size;
	return *(uint64_t *) dev + offset;
}

static void keep_value(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	(void) offset;
	(void) size;
	*(uint64_t *) dev = value;
}

static const struct bus_ops ops = { .read = read_offset, .write = keep_value };

static void test_bus(void **state)
{
	uint64_t a = 0x100, c = 0x200;
	struct bus b = { 0 };

	(void) state;
	assert_int_equal(bus_add(&b, 0x70, 2, &ops, &a), 0);
	assert_int_equal(bus_add(&b, 0x3F8, 8, &ops, &c), 0);
	assert_int_equal(bus_add(&b, 0x3FF, 1, &ops, &a), -EBUSY);
	assert_int_equal(bus_add(&b, 0x3F0, 9, &ops, &a), -EBUSY);
	assert_int_equal(bus_add(&b, 0x72, 0, &ops, &a), -EINVAL);
	assert_int_equal(bus_add(&b, UINT64_MAX, 2, &ops, &a), -EINVAL);
	assert_int_equal(bus_add(&b, UINT64_MAX - 1, 2, &ops, &a), 0);
	assert_int_equal(bus_read(&b, 0x71, 4), 0xFFFFFFFF); /* not all inside */
	assert_int_equal(bus_read(&b, 0x71, 1), 1); /* one byte of 0x101 */
	assert_int_equal(bus_read(&b, 0x3FE, 2), 0x206);
	assert_int_equal(bus_read(&b, 0x3F7, 2), 0xFFFF);
	assert_int_equal(bus_read(&b, UINT64_MAX, 1), 1);
	assert_int_equal(bus_read(&b, UINT64_MAX, 8), UINT64_MAX);
	bus_write(&b, 0x3F8, 1, 0x1234);
	assert_int_equal(c, 0x34);
	bus_write(&b, 0x80, 1, 0);
	bus_remove(&b, 0x3F8, &a); /* not its */
	assert_int_equal(b.nr, 3);
	bus_remove(&b, 0x3F8, &c);
	assert_int_equal(bus_read(&b, 0x3F8, 1), 0xFF);
	for (uint64_t i = b.nr; i < BUS_RANGES_MAX; i++)
		assert_int_equal(bus_add(&b, 0x1000 + i * 16, 16, &ops, &a), 0);
	assert_int_equal(bus_add(&b, 0x10000, 16, &ops, &a), -ENOSPC);
}

static void try_gmem(unsigned flags)
{
	struct gmem m;
	struct err err = { 0 };
	char text[5] = "";

	assert_int_equal(gmem_init(&m, GMEM_SIZE_MIN - GMEM_ALIGN, 0, &err), -EINVAL);
	assert_int_equal(gmem_init(&m, GMEM_SIZE_MIN + 4096, 0, &err), -EINVAL);
	assert_int_equal(gmem_init(&m, GMEM_LOW_MAX + (64 << 20), flags, &err), 0);
	assert_int_equal(m.nr_regions, 2);
	assert_int_equal((uintptr_t) m.region[0].host % GMEM_ALIGN, 0);
	assert_null(gmem_map(&m, GMEM_LOW_MAX - 1, 2));
	assert_null(gmem_map(&m, GMEM_HIGH_BASE - 1, 1));
	assert_null(gmem_map(&m, GMEM_HIGH_BASE, (64 << 20) + 1));
	assert_null(gmem_map(&m, UINT64_MAX, 2));
	assert_null(gmem_map(&m, 8, UINT64_MAX - 4));
	assert_ptr_equal(gmem_map(&m, GMEM_HIGH_BASE, 64 << 20), m.region[0].host + GMEM_LOW_MAX);
	assert_int_equal(gmem_write(&m, GMEM_LOW_MAX - 4, "abcd", 4), 0);
	assert_int_equal(gmem_write(&m, GMEM_LOW_MAX - 3, "abcd", 4), -EFAULT);
	assert_int_equal(gmem_read(&m, GMEM_LOW_MAX - 4, text, 4), 0);
	assert_string_equal(text, "abcd");
	assert_int_equal(gmem_clear(&m), 0);
	assert_int_equal(gmem_read(&m, GMEM_LOW_MAX - 4, text, 4), 0);
	assert_string_equal(text, "");
	assert_int_equal(gmem_end(&m), GMEM_HIGH_BASE + (64 << 20));
	assert_int_equal(gmem_address(&m, gmem_map(&m, GMEM_HIGH_BASE + 5, 1)), GMEM_HIGH_BASE + 5);
	assert_int_equal(gmem_address(&m, gmem_map(&m, 4096, 1)), 4096);
	assert_int_equal(gmem_write(&m, GMEM_HIGH_BASE + 4096, "efgh", 4), 0);
	assert_int_equal(gmem_write(&m, GMEM_HIGH_BASE + 8192, "ijkl", 4), 0);
	gmem_discard(&m, GMEM_HIGH_BASE + 4096, 4095); /* not whole pages */
	gmem_discard(&m, GMEM_HIGH_BASE + 4096, UINT64_MAX & ~4095ull);
	assert_memory_equal(gmem_map(&m, GMEM_HIGH_BASE + 4096, 4), "efgh", 4);
	gmem_discard(&m, GMEM_HIGH_BASE + 4096, 4096);
	assert_memory_equal(gmem_map(&m, GMEM_HIGH_BASE + 4096, 4), "\0\0\0", 4);
	assert_memory_equal(gmem_map(&m, GMEM_HIGH_BASE + 8192, 4), "ijkl", 4);
	gmem_fini(&m);
}

static void test_gmem(void **state)
{
	(void) state;
	try_gmem(0);
	try_gmem(GMEM_SHARED);
}

/* What is not reserved is told at once, not when it is touched. */
static void test_no_huge_pages(void **state)
{
	struct err err = { 0 };
	struct gmem m;

	(void) state;
	assert_int_equal(gmem_init(&m, GMEM_SIZE_MAX, GMEM_HUGE, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "reserve 524288 more (sysctl vm.nr_hugepages)"));
}

static void test_trace(void **state)
{
	struct err err = { 0 };
	char line[1024] = { 0 };
	int pipe_fd[2], saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	(void) state;
	assert_int_equal(trace_mask, 0);
	assert_int_equal(trace_choose("virtio-*,port", &err), 0);
	assert_int_equal(trace_mask, 1u << TRACE_VIRTIO_STATUS | 1u << TRACE_VIRTIO_NOTIFY | 1u << TRACE_VIRTIO_SIGNAL |
				     1u << TRACE_PORT);
	assert_int_equal(trace_choose("port,nothing", &err), -EINVAL);
	assert_non_null(strstr(err.text, "'nothing' fits none of port, register"));
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(dup2(pipe_fd[1], STDERR_FILENO), STDERR_FILENO);
	TRACE(TRACE_PORT, "%0500d", 7); /* longer than a line may be */
	TRACE(TRACE_LINE, "not chosen");
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(read(pipe_fd[0], line, sizeof(line) - 1), 256);
	assert_non_null(strstr(line, "] port: 000"));
	assert_int_equal(line[255], '\n');
	assert_int_equal(trace_choose("*", &err), 0);
	assert_int_equal(trace_mask, (1u << TRACE_N_) - 1);
	trace_mask = 0;
	(void) close(pipe_fd[0]);
	(void) close(pipe_fd[1]);
	(void) close(saved);
}

struct talk {
	struct conn conn;
	char got[32];
	int ended;
};

static bool take_text(void *arg, const char *data, size_t len)
{
	struct talk *t = arg;

	assert_true(len < sizeof(t->got));
	memcpy(t->got, data, len);
	t->got[len] = '\0';
	return t->got[0] != 'q';
}

static void note_end(void *arg)
{
	((struct talk *) arg)->ended++;
}

static void no_lock(void *arg)
{
	(void) arg;
}

static void send_fd(int to, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} u = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec iov = { (char[]) { 'f' }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };

	memcpy(CMSG_DATA(&u.head), &fd, sizeof(fd));
	assert_int_equal(sendmsg(to, &msg, 0), 1);
}

static void test_conn(void **state)
{
	static const struct conn_ops talk_ops = { .input = take_text, .ended = note_end };
	static char large[1 << 20];
	struct talk t = { .conn = CONN_NONE };
	struct loop *l;
	size_t got = 0;
	int s[2], first;

	(void) state;
	assert_int_equal(loop_new(&l, no_lock, no_lock, NULL, NULL), 0);
	conn_close(&t.conn); /* there is none */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
		assert_int_equal(conn_open(&t.conn, l, s[0], &talk_ops, &t), 0);
		assert_int_equal(write(s[1], "hello", 5), 5);
		assert_int_equal(loop_round(l, 0), 1);
		assert_string_equal(t.got, "hello");
		/* the last descriptor counts */
		send_fd(s[1], s[1]);
		assert_int_equal(loop_round(l, 0), 1);
		first = t.conn.passed;
		assert_true(first >= 0);
		send_fd(s[1], s[1]);
		assert_int_equal(loop_round(l, 0), 1);
		assert_true(t.conn.passed >= 0 && t.conn.passed != first && fcntl(first, F_GETFD) < 0);
		/* more than the other side takes at once */
		str_add(&t.conn.out, large, sizeof(large));
		conn_flush(&t.conn);
		for (ssize_t n; (n = read(s[1], large, sizeof(large))) > 0; got += (size_t) n)
			(void) loop_round(l, 0);
		assert_int_equal(got, (round + 1) * sizeof(large));
		assert_int_equal(t.ended, round);
		assert_int_equal(write(s[1], "quit", 4), 4);
		assert_int_equal(loop_round(l, 0), 1);
		assert_int_equal(t.ended, round + 1);
		assert_int_equal(read(s[1], large, 1), 0);
		(void) close(s[1]);
	}
	/* one who does not read is dropped as soon as it says something */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
	assert_int_equal(conn_open(&t.conn, l, s[0], &talk_ops, &t), 0);
	for (int i = 0; i < 4; i++)
		str_add(&t.conn.out, large, sizeof(large));
	conn_flush(&t.conn);
	assert_int_equal(write(s[1], "more", 4), 4);
	assert_int_equal(loop_round(l, 0), 1);
	assert_true(t.ended == 3 && t.conn.fd < 0);
	(void) close(s[1]);
	loop_free(l);
}

static void count(void *arg)
{
	++*(int *) arg;
}

/* What has time is called once for all wishes, unless it is withdrawn. */
static void test_later(void **state)
{
	int calls[2] = { 0 };
	struct loop_later one = { .run = count, .arg = &calls[0] }, other = { .run = count, .arg = &calls[1] };
	struct loop *l;

	(void) state;
	assert_int_equal(loop_new(&l, no_lock, no_lock, NULL, NULL), 0);
	loop_not_later(l, &one); /* it does not wait */
	for (int round = 1; round <= 2; round++) {
		loop_later(l, &one);
		loop_later(l, &other);
		loop_later(l, &one);
		assert_int_equal(calls[0], round - 1);
		loop_not_later(l, &other);
		assert_int_equal(loop_round(l, -1), 1);
		assert_true(calls[0] == round && calls[1] == 0 && !one.waits && !other.waits);
	}
	loop_free(l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bus),
		cmocka_unit_test(test_conn),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_gmem),
		cmocka_unit_test(test_no_huge_pages),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
