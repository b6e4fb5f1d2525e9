/* SPDX-License-Identifier: MIT */
/**
 * DOC: a machine that is debugged
 *
 * One debugger at a time.  What a processor meets is noted on its thread, which lets all of them stop; the event
 * loop waits for that, and tells.  A debugger that goes away lets the machine run.
 */
#include "vmm/debug/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "sys/msg.h"
#include "vmm/accel/accel.h"
#include "vmm/core/conn.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/debug/gdb.h"
#include "vmm/machine/cpus.h"
#include "vmm/machine/machine.h"

/**
 * struct gdb_socket - for one machine
 * @event: eventfd, written when @hit is filled
 * @hit: what processor @hit_cpu met, if @has_hit
 */
struct gdb_socket {
	struct machine *machine;
	struct vm *vm;
	int listener, event;
	struct loop_source listening, met;
	struct conn conn;
	bool has_hit;
	unsigned hit_cpu;
	struct accel_exit hit;
	struct gdb gdb;
};

static uint8_t *memory(void *target, uint64_t gpa, uint64_t len)
{
	struct gdb_socket *s = target;

	return gmem_map(&s->vm->mem, gpa, len);
}

static struct accel_vcpu *vcpu(const struct gdb_socket *s, unsigned cpu)
{
	return cpus_vcpu(machine_cpus(s->machine), cpu);
}

/* A processor that stands still, even if somebody at the control socket let it go on. */
static struct accel_vcpu *still(const struct gdb_socket *s, unsigned cpu)
{
	machine_pause(s->machine);
	return vcpu(s, cpu);
}

static int regs_read(void *target, unsigned cpu, struct accel_regs *ret)
{
	const struct gdb_socket *s = target;

	return s->vm->accel->ops->regs_read(still(s, cpu), ret);
}

static int regs_write(void *target, unsigned cpu, const struct accel_regs *regs)
{
	const struct gdb_socket *s = target;

	return s->vm->accel->ops->regs_write(still(s, cpu), regs);
}

static int debug(void *target, unsigned cpu, const struct accel_debug *d)
{
	const struct gdb_socket *s = target;

	return s->vm->accel->ops->debug(still(s, cpu), d);
}

static void go(void *target, const bool *hold)
{
	struct gdb_socket *s = target;

	for (unsigned i = 0; i < s->vm->nr_cpus; i++)
		cpus_hold(machine_cpus(s->machine), i, hold[i]);
	s->has_hit = false;
	machine_resume(s->machine);
}

static void stop(void *target)
{
	struct gdb_socket *s = target;

	machine_pause(s->machine);
}

static void end(void *target)
{
	struct gdb_socket *s = target;

	vm_request(s->vm, VM_CAUSE_QUIT);
}

static const struct gdb_ops ops = {
	.memory = memory,
	.regs_read = regs_read,
	.regs_write = regs_write,
	.debug = debug,
	.go = go,
	.stop = stop,
	.kill = end,
};

/* An INT3 that is the guest's own: it executes it, and is debugged as before. */
static bool give_back(struct gdb_socket *s, unsigned cpu)
{
	struct accel_debug d = { .on = true, .guest_int3 = true, .nr = s->gdb.breaks.nr_hw };

	memcpy(d.at, s->gdb.breaks.hw, sizeof(d.at));
	return s->vm->accel->ops->debug(vcpu(s, cpu), &d) == 0;
}

/* On the processor's thread */
static bool meet(void *arg, unsigned cpu, const struct accel_exit *e)
{
	struct gdb_socket *s = arg;

	if (e->stop == ACCEL_STOP_INT3 && breaks_find(&s->gdb.breaks, e->addr) < 0 && give_back(s, cpu))
		return false;
	if (!s->has_hit) {
		s->has_hit = true;
		s->hit_cpu = cpu;
		s->hit = *e;
		(void) eventfd_write(s->event, 1); /* full means that it was written */
	}
	return true;
}

static void let_go(void *arg)
{
	struct gdb_socket *s = arg;

	gdb_detach(&s->gdb);
	cpus_on_debug(machine_cpus(s->machine), NULL, NULL);
}

static bool take(void *arg, const char *data, size_t len)
{
	struct gdb_socket *s = arg;
	int r = gdb_input(&s->gdb, data, len, &s->conn.out);

	if (r >= 0)
		conn_flush(&s->conn);
	return r == 0;
}

static const struct conn_ops conn_ops = { .input = take, .ended = let_go };

static void accept_ready(void *arg, uint32_t events)
{
	struct gdb_socket *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;

	(void) events;
	if (fd < 0)
		return;
	if (s->conn.fd >= 0 || conn_open(&s->conn, s->vm->loop, fd, &conn_ops, s) < 0) {
		(void) close(fd); /* somebody else is here */
		return;
	}
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* a unix socket has none */
	machine_pause(s->machine);
	gdb_attach(&s->gdb, &ops, s, s->vm->nr_cpus);
	s->has_hit = false;
	cpus_on_debug(machine_cpus(s->machine), meet, s);
}

/* A processor met something: the others stop too. */
static void met(void *arg, uint32_t events)
{
	struct gdb_socket *s = arg;
	eventfd_t n;

	(void) events;
	(void) eventfd_read(s->event, &n); /* nothing in it: somebody was quicker */
	if (!s->has_hit || s->conn.fd < 0)
		return;
	machine_pause(s->machine);
	gdb_stopped(&s->gdb, s->hit_cpu, &s->hit, &s->conn.out);
	conn_flush(&s->conn);
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT" */
static int parse_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint64_t port;
	size_t n;

	if (colon == NULL || (size_t) (colon - text) >= sizeof(host) || str_to_u64(colon + 1, &port) < 0 || port > UINT16_MAX)
		return -EINVAL;
	n = (size_t) (colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	*ret = (struct sockaddr_storage) { 0 };
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t) port);
		*ret_len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t) port);
	*ret_len = sizeof(*v4);
	return inet_pton(AF_INET, n == 0 || strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

static int listen_tcp(const struct sockaddr_storage *address, socklen_t len)
{
	_cleanup_close_ int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* without it, a while is to wait */
	if (bind(fd, (const struct sockaddr *) address, len) < 0 || listen(fd, 1) < 0)
		return -errno;
	return take_fd(fd);
}

int gdb_socket_listen(const char *where, const char **ret_path, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd;

	*ret_path = NULL;
	if (strncmp(where, "unix:", 5) == 0 && where[5] != '\0') {
		fd = msg_listen(where + 5);
		if (fd >= 0)
			*ret_path = where + 5;
	} else if (strncmp(where, "tcp:", 4) == 0 && parse_address(where + 4, &address, &len) == 0) {
		fd = listen_tcp(&address, len);
	} else {
		return err_msg(err, -EINVAL, "option --gdb: '%s' is neither tcp:ADDRESS:PORT nor unix:PATH", where);
	}
	return fd < 0 ? err_set(err, fd, "option --gdb: listen at '%s'", where) : fd;
}

int gdb_socket_new(struct machine *m, int listener, struct gdb_socket **ret, struct err *err)
{
	struct gdb_socket *s = calloc(1, sizeof(*s));
	int r = 0;

	if (s == NULL) {
		(void) close(listener); /* nobody is connected */
		return err_set(err, -ENOMEM, "serve a debugger");
	}
	*s = (struct gdb_socket) { .machine = m, .vm = machine_vm(m), .listener = listener, .conn = CONN_NONE,
				 .listening.fd = -1, .met.fd = -1 };
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->event < 0 ? -errno : loop_add(s->vm->loop, &s->met, s->event, EPOLLIN, met, s);
	if (r == 0)
		r = loop_add(s->vm->loop, &s->listening, listener, EPOLLIN, accept_ready, s);
	if (r < 0) {
		gdb_socket_free(s);
		return err_set(err, r, "serve a debugger");
	}
	*ret = s;
	return 0;
}

void gdb_socket_free(struct gdb_socket *s)
{
	if (s == NULL)
		return;
	vm_lock(s->vm);
	cpus_on_debug(machine_cpus(s->machine), NULL, NULL);
	if (s->conn.fd >= 0) {
		gdb_exited(&s->gdb, &s->conn.out);
		conn_flush(&s->conn);
		conn_close(&s->conn);
	}
	loop_remove(s->vm->loop, &s->listening);
	loop_remove(s->vm->loop, &s->met);
	vm_unlock(s->vm);
	if (s->event >= 0)
		(void) close(s->event); /* nobody writes to it any more */
	(void) close(s->listener); /* nobody is connected */
	free(s);
}
