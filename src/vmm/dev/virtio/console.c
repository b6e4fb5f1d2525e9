/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio console
 *
 * Ports in both directions, each with two rings; two more rings carry messages about ports.  What the
 * other side does not take stays in the guest's buffers: the guest waits, nobody else does.
 * Spec: virtio 1.2, 5.3.
 */
#include "vmm/dev/virtio/console.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/keys.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/virtio.h"

#define F_SIZE (1ull << 0)
#define F_MULTIPORT (1ull << 1)

#define Q_CONTROL_IN 2 /* messages to the guest */
#define Q_CONTROL_OUT 3
#define WRITE_MAX 4096 /* bytes: no more than a pipe takes without blocking */
#define OUTPUT_MAX (1u << 20) /* bytes of one buffer; what is more is lost */
#define TYPED_MAX 256 /* bytes taken from a terminal at once */
#define MESSAGES_MAX 64 /* to the guest, while it has no buffers for them */
#define MESSAGE_MAX (8 + CONSOLE_NAME_MAX)

enum { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };

/**
 * struct port - a port
 * @peer: connection that @listener accepted
 * @open: the guest has it open
 * @busy: @chain is a buffer of the guest that is not written completely; @written: bytes of it that are
 */
struct port {
	struct console *console;
	unsigned index;
	int in, out, listener, peer, watched;
	const char *name;
	bool open, busy, in_watched;
	struct loop_source in_source, out_source, listen_source;
	struct vq_chain chain;
	size_t written;
	struct keys keys;
};

struct message {
	uint8_t data[MESSAGE_MAX];
	unsigned len;
};

/** struct console - @first, @count: ring of messages that wait */
struct console {
	struct vio_dev vio;
	unsigned nr_ports, first, count;
	struct port port[CONSOLE_PORTS_MAX];
	struct message message[MESSAGES_MAX];
};

static unsigned queue_in(unsigned port)
{
	return port == 0 ? 0 : 2 + port * 2;
}

static struct loop *loop_of(const struct port *p)
{
	return p->console->vio.vm->loop;
}

static void send_messages(struct console *c)
{
	struct vq_chain chain;

	while (c->count > 0 && vio_pop(&c->vio, Q_CONTROL_IN, &chain) > 0) {
		const struct message *m = &c->message[c->first];

		vio_push(&c->vio, Q_CONTROL_IN, &chain, (uint32_t) vq_chain_write(&chain, m->data, m->len));
		c->first = (c->first + 1) % MESSAGES_MAX;
		c->count--;
	}
	vio_signal(&c->vio, Q_CONTROL_IN);
}

/* Queue a message; when a guest takes none, the newest are lost. */
static void tell(struct console *c, unsigned port, unsigned event, unsigned value, const void *more, size_t n)
{
	struct message *m = &c->message[(c->first + c->count) % MESSAGES_MAX];

	if (!(c->vio.features & F_MULTIPORT) || c->count == MESSAGES_MAX)
		return;
	put_le32(m->data, port);
	put_le16(m->data + 4, (uint16_t) event);
	put_le16(m->data + 6, (uint16_t) value);
	if (n > 0)
		memcpy(m->data + 8, more, n);
	m->len = (unsigned) (8 + n);
	c->count++;
}

static void tell_size(const struct port *p)
{
	uint8_t size[4];
	struct winsize w;

	if (p->out < 0 || ioctl(p->out, TIOCGWINSZ, &w) < 0 || w.ws_row == 0)
		return;
	put_le16(size, w.ws_col); /* as specified: older kernels than 6.15 and its stable series take them the other way round */
	put_le16(size + 2, w.ws_row);
	if (p->index == 0)
		memcpy(p->console->vio.config, size, sizeof(size)); /* for drivers that know one port only */
	tell(p->console, p->index, RESIZE, 0, size, sizeof(size));
}

static bool is_connected(const struct port *p)
{
	return p->listener < 0 || p->peer >= 0;
}

static int input_of(const struct port *p)
{
	return p->listener >= 0 ? p->peer : p->in;
}

static int output_of(const struct port *p)
{
	return p->listener >= 0 ? p->peer : p->out;
}

static void watch_in(struct port *p, bool on)
{
	if (on == p->in_watched || p->in_source.fd < 0)
		return;
	p->in_watched = on;
	(void) loop_change(loop_of(p), &p->in_source, on ? EPOLLIN : 0); /* it is watched */
}

static void hang_up(struct port *p)
{
	loop_remove(loop_of(p), &p->in_source);
	if (p->peer >= 0) {
		loop_remove(loop_of(p), &p->out_source);
		if (p->watched >= 0)
			(void) close(p->watched); /* a copy */
		(void) close(p->peer); /* what was not read is lost */
		p->peer = p->watched = -1;
		tell(p->console, p->index, PORT_OPEN, 0, NULL, 0);
		send_messages(p->console);
	}
}

/* What is typed at a terminal, without keys that are for us; as read(2), but -EAGAIN when nothing is left. */
static ssize_t read_typed(struct port *p, struct vq_chain *chain)
{
	uint8_t typed[TYPED_MAX];
	size_t room = chain->in_len < sizeof(typed) ? chain->in_len : sizeof(typed);
	ssize_t n = read(p->in, typed, room);

	if (n <= 0)
		return n;
	n = (ssize_t) keys_take(&p->keys, p->console->vio.vm, typed, (size_t) n);
	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t) vq_chain_write(chain, typed, (size_t) n);
}

/* Bytes for the guest: into its next buffer, without a copy in between unless somebody types them. */
static void in_ready(void *arg, uint32_t events)
{
	struct port *p = arg;
	struct vio_dev *d = &p->console->vio;
	unsigned q = queue_in(p->index);
	struct vq_chain chain;
	ssize_t n = 0;

	if (!d->started || !p->open || vio_pop(d, q, &chain) <= 0) {
		if (events & (EPOLLHUP | EPOLLERR))
			hang_up(p);
		else
			watch_in(p, false); /* until the guest has a buffer */
		return;
	}
	if (events & EPOLLIN)
		n = p->keys.on ? read_typed(p, &chain) : readv(input_of(p), vq_chain_in(&chain), (int) chain.nr_in);
	if (n <= 0) {
		vq_unpop(&d->queue[q].vq, &chain);
		if (n == 0 || errno != EAGAIN)
			hang_up(p);
		return;
	}
	vio_push(d, q, &chain, (uint32_t) n);
	vio_signal(d, q);
}

/* Write what the other side takes now; true when all of the buffer is written. */
static bool write_out(struct port *p, struct vq_chain *chain)
{
	int fd = output_of(p);

	while (chain->nr_out > 0 && fd >= 0) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		struct iovec *v = &chain->iov[0];
		ssize_t n;

		if (poll(&ready, 1, 0) == 0)
			return false;
		n = write(fd, v->iov_base, v->iov_len < WRITE_MAX ? v->iov_len : WRITE_MAX);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0 || p->written > OUTPUT_MAX)
			return true; /* nobody reads any more, or nobody needs so much at once */
		p->written += (size_t) n;
		v->iov_base = (uint8_t *) v->iov_base + n;
		v->iov_len -= (size_t) n;
		if (v->iov_len == 0) {
			chain->nr_out--;
			memmove(&chain->iov[0], &chain->iov[1], (chain->nr_out + chain->nr_in) * sizeof(chain->iov[0]));
		}
	}
	return true;
}

static void out_ready(void *arg, uint32_t events)
{
	struct port *p = arg;
	struct vio_dev *d = &p->console->vio;
	unsigned q = queue_in(p->index) + 1;

	if (!(events & EPOLLOUT) || !p->busy || !write_out(p, &p->chain)) {
		if (!(events & EPOLLOUT))
			loop_remove(loop_of(p), &p->out_source);
		return;
	}
	p->busy = false;
	(void) loop_change(loop_of(p), &p->out_source, 0); /* it is watched */
	vio_push(d, q, &p->chain, 0);
	vio_signal(d, q);
	vio_again(d, q);
}

static int take_output(struct port *p, unsigned q)
{
	struct vio_dev *d = &p->console->vio;
	unsigned left = VIO_BUDGET;
	struct vq_chain chain;
	int r = 0;

	do {
		while (!p->busy && (r = vio_pop(d, q, &chain)) > 0) {
			p->written = 0;
			if (!write_out(p, &chain)) {
				p->chain = chain;
				p->busy = true;
				(void) loop_change(loop_of(p), &p->out_source, EPOLLOUT); /* it is watched */
				break;
			}
			vio_push(d, q, &chain, 0);
			if (--left == 0) {
				vio_again(d, q);
				vio_signal(d, q);
				return 0;
			}
		}
		if (r < 0)
			return r;
	} while (!p->busy && vq_rearm(&d->queue[q].vq));
	vio_signal(d, q);
	return 0;
}

/* The guest has found a port: say what it is. */
static void introduce(struct port *p)
{
	struct console *c = p->console;

	if (p->name == NULL)
		tell(c, p->index, CONSOLE_PORT, 1, NULL, 0);
	else
		tell(c, p->index, PORT_NAME, 1, p->name, strlen(p->name));
	if (is_connected(p))
		tell(c, p->index, PORT_OPEN, 1, NULL, 0);
	tell_size(p);
}

static int take_message(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct console *c = (struct console *) d;
	uint32_t port, event, value;
	uint8_t m[8];

	if (vq_chain_read(chain, m, sizeof(m)) != sizeof(m))
		return -EPROTO;
	vio_push(d, q, chain, 0);
	port = get_le32(m);
	event = get_le16(m + 4);
	value = get_le16(m + 6);
	if (event == DEVICE_READY && value == 1) {
		for (unsigned i = 0; i < c->nr_ports; i++)
			tell(c, i, PORT_ADD, 1, NULL, 0);
	} else if (port >= c->nr_ports) {
		return 0; /* a port that is not there: ignored */
	} else if (event == PORT_READY && value == 1) {
		introduce(&c->port[port]);
	} else if (event == PORT_OPEN) {
		c->port[port].open = value == 1;
		watch_in(&c->port[port], value == 1);
	}
	return 0;
}

static int console_notify(struct vio_dev *d, unsigned q)
{
	struct console *c = (struct console *) d;
	unsigned port = q < 2 ? 0 : q / 2 - 1;
	int r;

	if (q == Q_CONTROL_IN) {
		send_messages(c);
		return vq_rearm(&d->queue[q].vq) && c->count > 0 ? (send_messages(c), 0) : 0;
	}
	if (q == Q_CONTROL_OUT) {
		r = vio_each(d, q, take_message);
		send_messages(c);
		return r;
	}
	if (q % 2 == 1)
		return take_output(&c->port[port], q);
	(void) vq_rearm(&d->queue[q].vq); /* tell us of more buffers */
	watch_in(&c->port[port], c->port[port].open);
	return 0;
}

static int console_start(struct vio_dev *d)
{
	struct console *c = (struct console *) d;

	c->first = c->count = 0;
	c->port[0].open = !(d->features & F_MULTIPORT); /* without messages there is one port, always open */
	watch_in(&c->port[0], c->port[0].open);
	return 0;
}

static void console_stop(struct vio_dev *d)
{
	struct console *c = (struct console *) d;

	c->count = 0;
	for (unsigned i = 0; i < c->nr_ports; i++)
		c->port[i].busy = c->port[i].open = false;
}

static void accept_ready(void *arg, uint32_t events)
{
	struct port *p = arg;
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void) events;
	if (fd < 0)
		return;
	if (p->peer >= 0 || loop_add(loop_of(p), &p->in_source, fd, 0, in_ready, p) < 0) {
		(void) close(fd); /* one at a time */
		return;
	}
	p->peer = fd;
	p->watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (p->watched >= 0)
		(void) loop_add(loop_of(p), &p->out_source, p->watched, 0, out_ready, p); /* else it polls */
	p->in_watched = false;
	watch_in(p, p->open);
	tell(p->console, p->index, PORT_OPEN, 1, NULL, 0);
	send_messages(p->console);
}

static void console_free(struct vio_dev *d)
{
	struct console *c = (struct console *) d;

	for (unsigned i = 0; i < c->nr_ports; i++) {
		struct port *p = &c->port[i];

		hang_up(p);
		loop_remove(d->vm->loop, &p->out_source);
		loop_remove(d->vm->loop, &p->listen_source);
		if (p->watched >= 0)
			(void) close(p->watched); /* a copy */
	}
	free(c);
}

static const struct vio_ops console_ops = { .name = "virtio-console", .nick = "console", .id = 3, .class = 0x078000,
					    .start = console_start, .stop = console_stop,
					    .notify = console_notify, .free = console_free };

/* Files that cannot be waited for, such as regular ones, are always ready, or have nothing to read. */
static int watch_port(struct port *p)
{
	struct loop *l = loop_of(p);
	int r = 0;

	if (p->listener >= 0)
		return loop_add(l, &p->listen_source, p->listener, EPOLLIN, accept_ready, p);
	if (p->in >= 0)
		r = loop_add(l, &p->in_source, p->in, 0, in_ready, p);
	if ((r == 0 || r == -EPERM) && p->out >= 0) {
		p->watched = fcntl(p->out, F_DUPFD_CLOEXEC, 0);
		r = p->watched < 0 ? -errno : loop_add(l, &p->out_source, p->watched, 0, out_ready, p);
	}
	return r == -EPERM ? 0 : r;
}

int console_add(struct vm *vm, struct pci_bus *bus, const struct console_port *port, unsigned nr, struct err *err)
{
	struct console *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return err_set(err, -ENOMEM, "make virtio-console");
	r = vio_init(&c->vio, vm, &console_ops, F_SIZE | F_MULTIPORT, 2 + nr * 2, err);
	c->nr_ports = nr;
	put_le32(c->vio.config + 4, nr);
	c->vio.config_len = 12;
	for (unsigned i = 0; i < nr; i++)
		c->port[i] = (struct port) { .console = c, .index = i, .in = port[i].in, .out = port[i].out,
					     .listener = port[i].listener, .name = port[i].name, .peer = -1,
					     .watched = -1, .in_source.fd = -1, .out_source.fd = -1,
					     .listen_source.fd = -1 };
	for (unsigned i = 0; i < nr && r == 0; i++) {
		keys_init(&c->port[i].keys, port[i].in);
		r = watch_port(&c->port[i]);
		if (r < 0)
			(void) err_set(err, r, "virtio-console: watch port %u", i);
	}
	if (r == 0)
		tell_size(&c->port[0]);
	if (r < 0) {
		vio_fini(&c->vio);
		console_free(&c->vio);
		return r;
	}
	return vio_pci_add(vm, bus, &c->vio, err);
}

void console_resized(struct vio_dev *d)
{
	struct console *c = (struct console *) d;

	if (d == NULL || d->ops != &console_ops || !d->started)
		return;
	for (unsigned i = 0; i < c->nr_ports; i++)
		if (c->port[i].name == NULL)
			tell_size(&c->port[i]);
	if (c->vio.features & F_MULTIPORT)
		send_messages(c);
	else
		vio_config_changed(d);
}
