/* SPDX-License-Identifier: MIT */
/**
 * DOC: a program without a C library
 *
 * A monitor lives as long as its instance and mostly waits, so its memory counts: a static program
 * with the C library has 696 KiB resident before main() does anything, this one a few pages.
 */
#include "bare/sys.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/wait.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#if defined(__x86_64__)
__asm__(".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call sys_start\n");

long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	".type _start, %function\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	bl sys_start\n");

long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e,
			 x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

_Noreturn void sys_start(long *stack);

/* The stack holds argc, then argv. */
_Noreturn void sys_start(long *stack)
{
	sys_exit(program((int) stack[0], (char **) (stack + 1)));
}

/* The compiler emits calls of these two. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);

#if defined(__x86_64__)
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *t = to;

	__asm__ volatile("rep movsb" : "+D"(t), "+S"(from), "+c"(n) : : "memory");
	return to;
}
#else
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	while (n-- > 0)
		*t++ = *f++;
	return to;
}
#endif

void *memset(void *to, int c, size_t n)
{
	for (char *t = to; n > 0; n--)
		*t++ = (char) c;
	return to;
}

#define CALL1(nr, a) sys_call(nr, (long) (a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) sys_call(nr, (long) (a), (long) (b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) sys_call(nr, (long) (a), (long) (b), (long) (c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) sys_call(nr, (long) (a), (long) (b), (long) (c), (long) (d), 0, 0)
#define CALL5(nr, a, b, c, d, e) \
	sys_call(nr, (long) (a), (long) (b), (long) (c), (long) (d), (long) (e), 0)

long sys_read(int fd, void *buf, size_t n)
{
	return CALL3(__NR_read, fd, buf, n);
}

long sys_write(int fd, const void *buf, size_t n)
{
	return CALL3(__NR_write, fd, buf, n);
}

long sys_write_all(int fd, const void *buf, size_t n)
{
	const char *p = buf;

	while (n > 0) {
		long r = sys_write(fd, p, n);

		if (r == -EINTR)
			continue;
		if (r == -EAGAIN) { /* somebody made our descriptor non-blocking */
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			(void) sys_poll(&wait, 1, -1); /* the write tells */
			continue;
		}
		if (r < 0)
			return r;
		p += r;
		n -= (size_t) r;
	}
	return 0;
}

long sys_close(int fd)
{
	return CALL1(__NR_close, fd);
}

long sys_poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	return CALL5(__NR_ppoll, fds, n, timeout_ms < 0 ? NULL : &ts, NULL, 8);
}

long sys_nonblock(int fd)
{
	long flags = CALL3(__NR_fcntl, fd, F_GETFL, 0);

	return flags < 0 ? flags : CALL3(__NR_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

long sys_send(int sock, const void *data, size_t n)
{
	return sys_call(__NR_sendto, sock, (long) data, (long) n, MSG_NOSIGNAL, 0, 0);
}

long sys_send_parts(int sock, const void *a, size_t a_len, const void *b, size_t b_len)
{
	struct iovec v[] = { { (void *) a, a_len }, { (void *) b, b_len } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return CALL3(__NR_sendmsg, sock, &m, MSG_NOSIGNAL);
}

long sys_send_to(int sock, const char *path, const struct iovec *parts, size_t n)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct msghdr m = { .msg_name = &to,
			    .msg_namelen = sizeof(to),
			    .msg_iov = (struct iovec *) parts,
			    .msg_iovlen = n };

	if (text_len(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	__builtin_memcpy(to.sun_path, path, text_len(path));
	return CALL3(__NR_sendmsg, sock, &m, MSG_NOSIGNAL);
}

long sys_peek(int sock, char *ret)
{
	return sys_call(__NR_recvfrom, sock, (long) ret, 1, MSG_PEEK, 0, 0);
}

long sys_recv(int sock, void *buf, size_t n, int *ret_fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { buf, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	long r;

	if (ret_fd != NULL) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		*ret_fd = -1;
	}
	r = CALL3(__NR_recvmsg, sock, &m, MSG_CMSG_CLOEXEC);
	if (r >= 0 && ret_fd != NULL && m.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    control.head.cmsg_level == SOL_SOCKET && control.head.cmsg_type == SCM_RIGHTS)
		*ret_fd = *(const int *) CMSG_DATA(&control.head);
	return r;
}

long sys_accept(int sock)
{
	return CALL4(__NR_accept4, sock, NULL, NULL, SOCK_NONBLOCK);
}

long sys_ioctl(int fd, unsigned long request, void *arg)
{
	return CALL3(__NR_ioctl, fd, request, arg);
}

long sys_signals(uint64_t blocked, uint64_t wanted)
{
	long r = CALL4(__NR_rt_sigprocmask, SIG_BLOCK, &blocked, NULL, sizeof(blocked));

	return r < 0 ? r
		     : CALL4(__NR_signalfd4, -1, &wanted, sizeof(wanted),
			     SFD_CLOEXEC | SFD_NONBLOCK);
}

long sys_signals_only(uint64_t blocked)
{
	return CALL4(__NR_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked));
}

int sys_next_signal(int fd)
{
	struct signalfd_siginfo info;

	return sys_read(fd, &info, sizeof(info)) == (long) sizeof(info) ? (int) info.ssi_signo : 0;
}

long sys_kill(int pid, int signal)
{
	return CALL2(__NR_kill, pid, signal);
}

long sys_wait(int *ret_status)
{
	return CALL4(__NR_wait4, -1, ret_status, WNOHANG, NULL);
}

void sys_now(int64_t *ret_s, uint32_t *ret_ns)
{
	struct timespec ts = { 0 };

	(void) CALL2(__NR_clock_gettime, CLOCK_REALTIME, &ts); /* fails for unknown clocks only */
	*ret_s = ts.tv_sec;
	*ret_ns = (uint32_t) ts.tv_nsec;
}

int64_t sys_now_ms(void)
{
	struct timespec ts = { 0 };

	(void) CALL2(__NR_clock_gettime, CLOCK_MONOTONIC, &ts); /* fails for unknown clocks only */
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

long sys_open_log(int dir, const char *name)
{
	return CALL4(__NR_openat, dir, name,
		     O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

long sys_rename(int dir, const char *from, const char *to)
{
	return CALL5(__NR_renameat2, dir, from, dir, to, 0);
}

long sys_size(int fd)
{
	return CALL3(__NR_lseek, fd, 0, SEEK_END);
}

long sys_truncate(int fd, int64_t size)
{
	return CALL2(__NR_ftruncate, fd, size);
}

void sys_release(void *p, size_t n)
{
	uintptr_t from = ((uintptr_t) p + 4095) & ~(uintptr_t) 4095,
		  to = ((uintptr_t) p + n) & ~(uintptr_t) 4095;

	if (to > from)
		(void) CALL3(__NR_madvise, from, to - from, MADV_DONTNEED); /* a favour */
}

long sys_pipe_size(int fd, int bytes)
{
	return CALL3(__NR_fcntl, fd, F_SETPIPE_SZ, bytes);
}

long sys_replace(int dir, const char *name, const char *text, size_t n)
{
	static const char tmp[] = ".new";
	long fd = CALL4(__NR_openat, dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return fd;
	r = sys_write_all((int) fd, text, n);
	(void) sys_close((int) fd); /* memory file system */
	return r < 0 ? r
		     : CALL4(__NR_renameat2, dir, tmp, dir, name) /* flags: fifth argument, 0 */;
}

long sys_execute(int fd, const char *const *argv)
{
	static const char *const none[] = { NULL };

	return CALL5(__NR_execveat, fd, "", argv, none, AT_EMPTY_PATH);
}

_Noreturn void sys_exit(int code)
{
	for (;;)
		(void) CALL1(__NR_exit_group, code);
}

size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

char *text_number(char *to, uint64_t v, unsigned digits)
{
	char tmp[20];
	unsigned n = 0;

	do {
		tmp[n++] = (char) ('0' + v % 10);
		v /= 10;
	} while (v > 0 || n < digits);
	while (n > 0)
		*to++ = tmp[--n];
	return to;
}
