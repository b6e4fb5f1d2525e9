/* SPDX-License-Identifier: MIT */
/**
 * DOC: a hostile client of the control socket
 *
 * The input is what somebody sends to the control socket of a machine whose processors do nothing.  Whatever it is, it
 * is answered, or the client is dropped, and the machine goes on.  The file system and the network of whoever runs this
 * are left alone: inputs that name files or ports are not tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "fuzz.h"
#include "vmm/accel/accel.h"
#include "vmm/control/qmp.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/machine/machine.h"

#define ROUNDS_MAX 64 /* of the event loop after everything was sent */

/** struct accel_vcpu - a processor that waits until it is kicked */
struct accel_vcpu {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool kicked;
};

/** struct idle - an accelerator with such processors */
struct idle {
	struct accel base;
	struct accel_vcpu vcpu[2];
};

static int idle_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err);

static void idle_close(struct accel *a)
{
	free(a);
}

static int idle_vcpu_new(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err)
{
	struct accel_vcpu *v = &((struct idle *) a)->vcpu[index];

	(void) err;
	(void) pthread_mutex_init(&v->lock, NULL);
	(void) pthread_cond_init(&v->changed, NULL);
	*ret = v;
	return 0;
}

static int idle_vcpu_run(struct accel_vcpu *v, struct accel_exit *ret, struct err *err)
{
	(void) err;
	(void) pthread_mutex_lock(&v->lock);
	while (!v->kicked)
		(void) pthread_cond_wait(&v->changed, &v->lock);
	v->kicked = false;
	(void) pthread_mutex_unlock(&v->lock);
	*ret = (struct accel_exit) { .kind = ACCEL_EXIT_KICKED };
	return 0;
}

static void idle_vcpu_kick(struct accel_vcpu *v)
{
	(void) pthread_mutex_lock(&v->lock);
	v->kicked = true;
	(void) pthread_cond_signal(&v->changed);
	(void) pthread_mutex_unlock(&v->lock);
}

static void idle_line(struct accel *a, unsigned gsi, bool level)
{
	(void) a;
	(void) gsi;
	(void) level;
}

static void idle_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	(void) a;
	(void) addr;
	(void) data;
}

static int idle_notify(struct accel *a, uint64_t gpa, int fd)
{
	(void) a;
	(void) gpa;
	(void) fd;
	return 0;
}

static void idle_notify_remove(struct accel *a, uint64_t gpa, int fd)
{
	(void) idle_notify(a, gpa, fd);
}

static void idle_stats(struct accel_vcpu *v, accel_stat_fn *one, void *arg)
{
	one(arg, "kicked", v->kicked);
}

static int idle_reset(struct accel *a, struct err *err)
{
	(void) a;
	(void) err;
	return 0;
}

static const struct accel_ops idle_ops = {
	.name = "idle",
	.open = idle_open,
	.reset = idle_reset,
	.vcpu_new = idle_vcpu_new,
	.vcpu_run = idle_vcpu_run,
	.vcpu_kick = idle_vcpu_kick,
	.irq_line = idle_line,
	.irq_msi = idle_msi,
	.notify_add = idle_notify,
	.notify_remove = idle_notify_remove,
	.stats = idle_stats,
	.close = idle_close,
};

static int idle_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err)
{
	struct idle *i = calloc(1, sizeof(*i));

	(void) mem;
	(void) conf;
	if (i == NULL)
		return err_set(err, -ENOMEM, "idle");
	i->base.ops = &idle_ops;
	*ret = &i->base;
	return 0;
}

/* A socket that listens at an address without a path, and somebody who is connected to it. */
static int listen_and_connect(int *client)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(at);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || *client < 0 || bind(listener, (const struct sockaddr *) &at, sizeof(at.sun_family)) < 0 ||
	    getsockname(listener, (struct sockaddr *) &at, &len) < 0 || listen(listener, 1) < 0 ||
	    connect(*client, (const struct sockaddr *) &at, len) < 0)
		abort();
	return listener;
}

/* A name may be written with escapes. */
static bool leaves_machine(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "filename", "ifname", "hostfwd", "\\u" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(data, size, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

static void drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_config conf = { .memory = GMEM_SIZE_MIN, .accel = &idle_ops, .accel_config.nr_cpus = 2,
				       .hotplug = true, .balloon = true, .serial_in = -1, .serial_out = -1,
				       .vsock_listener = -1, .sandbox = CONFINE_OFF };
	struct machine *m = NULL;
	struct qmp *q = NULL;
	size_t sent = 0;
	int client, listener;

	if (leaves_machine(data, size))
		return 0;
	listener = listen_and_connect(&client);
	if (machine_new(&conf, &m, NULL) < 0 || qmp_new(m, listener, "fuzz", &q, NULL) < 0)
		abort();
	for (int round = 0; sent < size || round < ROUNDS_MAX; round++) {
		ssize_t n = sent < size ? write(client, data + sent, size - sent) : 0;

		if (n < 0 && errno != EAGAIN)
			break; /* it was dropped */
		sent += n > 0 ? (size_t) n : 0;
		if (loop_round(machine_vm(m)->loop, 0) == 0 && sent == size)
			break;
		drain(client);
	}
	qmp_free(q);
	machine_free(m);
	close(client);
	return 0;
}
