/* SPDX-License-Identifier: MIT */
#include "engine/vm/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#define ANSWER_S 30
#define LINE_MAX_BYTES 32

static int make_socket(int dir, const char *name, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
	(void) snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", name); /* short names */
	return fchdir(dir) < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int vm_link_listen(int dir, struct err *err)
{
	struct sockaddr_un addr;
	_cleanup_close_ int fd = make_socket(dir, VM_SOCKET_READY, &addr);
	mode_t old = umask(0077);
	int r = 0;

	if (fd < 0 || bind(fd, (const struct sockaddr *) &addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		r = err_set(err, -errno, "listen for the virtual machine");
	(void) umask(old);
	return r < 0 ? r : take_fd(fd);
}

/* "OK PORT\n" */
static int read_ok(int fd)
{
	char line[LINE_MAX_BYTES];

	for (size_t n = 0; n < sizeof(line); n++) {
		ssize_t k = recv(fd, line + n, 1, 0);

		if (k <= 0)
			return k == 0 ? -ECONNRESET : -errno;
		if (line[n] == '\n')
			return line[0] == 'O' && line[1] == 'K' ? 0 : -EPROTO;
	}
	return -EPROTO;
}

int vm_link_begin(int dir, const void *message, size_t n, struct err *err)
{
	static const char line[] = "CONNECT " GUEST_PORT_TEXT "\n";
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct sockaddr_un addr;
	_cleanup_close_ int fd = make_socket(dir, VM_SOCKET, &addr);
	int r = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
				connect(fd, (const struct sockaddr *) &addr, sizeof(addr)) < 0
			? -errno
			: vm_link_send_all(fd, line, strlen(line));

	if (r == 0)
		r = vm_link_send_all(fd, message, n);
	return r < 0 ? err_set(err, r, "connect to the virtual machine") : take_fd(fd);
}

int vm_link_begun(int sock, struct err *err)
{
	int r = read_ok(sock);

	return r < 0 ? err_set(err, r, "connect to the virtual machine") : 0;
}

int vm_link_stream(int dir, uint64_t number, enum guest_stream stream, struct err *err)
{
	uint8_t buf[64];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, GUEST_STREAM);
	guest_put_number(&o, GUEST_NUMBER, number);
	guest_put_number(&o, GUEST_STREAM_OF, stream);
	(void) guest_end(&o); /* it fits */
	return vm_link_begin(dir, o.p, o.len, err);
}

int vm_link_read(int sock, struct vm_reply *ret, struct err *err)
{
	uint8_t head[GUEST_HEADER];
	ssize_t n = fd_read_full(sock, head, sizeof(head));
	int r = n < 0 ? (int) n : n != (ssize_t) sizeof(head) ? -ECONNRESET : 0;

	if (r == 0)
		r = guest_head_get(head, sizeof(ret->body), &ret->head);
	if (r == 0) {
		n = fd_read_full(sock, ret->body, ret->head.len);
		r = n < 0 ? (int) n : n != (ssize_t) ret->head.len ? -ECONNRESET : 0;
	}
	return r < 0 ? err_set(err, r, "read what the virtual machine says") : 0;
}

uint64_t vm_reply_number(const struct vm_reply *m, enum guest_tag tag, uint64_t fallback)
{
	return guest_number_of(m->body, m->head.len, tag, fallback);
}

int vm_link_send_all(int sock, const void *message, size_t n)
{
	const char *p = message;

	while (n > 0) {
		ssize_t k = send(sock, p, n, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			return -errno;
		p += k > 0 ? k : 0;
		n -= k > 0 ? (size_t) k : 0;
	}
	return 0;
}

int vm_link_send(int sock, enum guest_type type, enum guest_tag tag, uint64_t v, enum guest_tag tag2, uint64_t v2)
{
	uint8_t buf[64];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, type);
	if (tag != 0)
		guest_put_number(&o, tag, v);
	if (tag2 != 0)
		guest_put_number(&o, tag2, v2);
	return guest_end(&o) < 0 ? -EMSGSIZE : vm_link_send_all(sock, o.p, o.len);
}

/* As containers say it: others look for these words. */
static int exec_failed(const char *program, int error, struct err *err)
{
	static const char prefix[] = "error during virtual machine init: exec";

	if (error == ESRCH)
		return err_msg(err, -ENOENT, "%s: \"%s\": executable file not found in $PATH", prefix, program);
	if (error == EISDIR)
		return err_msg(err, -EACCES, "%s: \"%s\": is a directory: permission denied", prefix, program);
	if (error == ENOENT)
		return err_msg(err, -ENOENT, "%s: \"%s\": stat %s: no such file or directory", prefix, program, program);
	return err_set(err, -error, "%s: \"%s\"", prefix, program);
}

static int failed(const struct vm_reply *m, const char *program, struct err *err)
{
	static const char *const steps[GUEST_STEP_N_] = {
		[GUEST_STEP_REQUEST] = "understand the request",
		[GUEST_STEP_PROCESS] = "create a process",
		[GUEST_STEP_MOUNT] = "mount the file systems",
		[GUEST_STEP_DEVICES] = "make the devices",
		[GUEST_STEP_TERMINAL] = "open a terminal",
		[GUEST_STEP_SYSCTL] = "set the kernel's parameters (--sysctl)",
		[GUEST_STEP_LIMITS] = "set the limits of resources (--ulimit, --oom-score-adj)",
		[GUEST_STEP_CWD] = "enter the working directory",
		[GUEST_STEP_IDENTITY] = "become the user",
		[GUEST_STEP_FILTER] = "load the filter of system calls",
		[GUEST_STEP_NETWORK] = "set up the network devices",
	};
	uint64_t step = vm_reply_number(m, GUEST_STEP, 0), error = vm_reply_number(m, GUEST_ERROR, EIO);

	if (error == 0 || error > 4095)
		error = EIO;
	if (step == GUEST_STEP_EXEC)
		return exec_failed(program, (int) error, err);
	return err_set(err, -(int) error, "error during virtual machine init: %s",
		       step < GUEST_STEP_N_ ? steps[step] : "start the program");
}

int vm_link_answer(int sock, enum guest_type want, const char *program, struct err *err)
{
	struct vm_reply m;
	int r = vm_link_read(sock, &m, err);

	if (r == 0 && m.head.type == GUEST_FAILED)
		return failed(&m, program, err);
	return r == 0 && m.head.type != want
		       ? err_msg(err, -EPROTO, "the virtual machine answers with message %u", m.head.type)
		       : r;
}
