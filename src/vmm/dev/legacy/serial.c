/* SPDX-License-Identifier: MIT */
/**
 * DOC: serial port, 16550A
 *
 * What the guest writes is collected and leaves in pieces: after a line, when much has come together,
 * or FLUSH_MS later, because every write(2) costs the guest more than a byte.  When the reader is
 * slow the port says that it cannot take more, and the guest waits.
 *
 * Not there: baud rates (bytes are as fast as they can be), parity and framing errors, modem lines
 * beyond what a local loop shows.
 * Spec: PC16550D data sheet, sections 6 and 8.
 */
#include "vmm/dev/legacy/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/dev.h"
#include "vmm/core/keys.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"

#define PORT 0x3F8
#define IRQ 4
#define FIFO 16 /* bytes of input */
#define TYPED_MAX 4096 /* bytes of input from a terminal: whoever looks for a key to end a guest that stands still finds it */
#define OUT_MAX 16384 /* bytes of output that wait for the reader */
#define OUT_PIECE 1024 /* bytes after which output leaves without a new line */
#define WRITE_MAX 4096 /* bytes: no more than a pipe takes without blocking */
#define FLUSH_MS 5
#define LOG_MAX (4u << 20) /* bytes of a file that output goes to: no guest fills the disk */

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX 1u
#define IER_TX 2u
#define IER_MASK 0x0Fu
#define IIR_NONE 1u
#define IIR_TX 2u
#define IIR_RX 4u
#define IIR_TIMEOUT 12u
#define IIR_FIFOS 0xC0u
#define FCR_ENABLE 1u
#define FCR_CLEAR_RX 2u
#define LCR_DLAB 0x80u
#define MCR_MASK 0x1Fu
#define MCR_OUT2 8u
#define MCR_LOOP 16u
#define LSR_DATA 1u
#define LSR_OVERRUN 2u
#define LSR_THRE 0x20u
#define LSR_IDLE 0x40u
#define MSR_ALL 0xB0u /* carrier, data set ready, clear to send */

struct serial {
	struct dev dev;
	struct vm *vm;
	int in_fd, out_fd, timer;
	int watched; /* copy of out_fd: epoll takes a descriptor once, and in_fd may be the same terminal */
	struct loop_source in, out, tick;
	struct keys keys;
	uint64_t log_room; /* bytes that a file may still get; UINT64_MAX for what is none */
	bool tx_pending, overrun, line, waits_out, ticking, closed_in;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t rx[TYPED_MAX];
	unsigned rx_len;
	uint8_t buf[OUT_MAX];
	unsigned buf_len;
};

static bool has_room(const struct serial *s)
{
	return s->buf_len < OUT_MAX;
}

static unsigned interrupt_of(const struct serial *s)
{
	if ((s->ier & IER_RX) && s->rx_len > 0)
		return IIR_RX;
	if ((s->ier & IER_TX) && s->tx_pending)
		return IIR_TX;
	return IIR_NONE;
}

static void update_irq(struct serial *s)
{
	bool line = interrupt_of(s) != IIR_NONE;

	if (line == s->line)
		return;
	s->line = line;
	accel_irq(s->vm->accel, IRQ, line);
}

static unsigned room_for_input(const struct serial *s)
{
	unsigned max = s->keys.on ? TYPED_MAX : FIFO;

	return s->rx_len < max ? max - s->rx_len : 0;
}

/* Read input only while there is room for it. */
static void watch_in(struct serial *s)
{
	if (s->in_fd >= 0 && !s->closed_in)
		(void) loop_change(s->vm->loop, &s->in, room_for_input(s) > 0 ? EPOLLIN : 0); /* it is watched */
}

static void set_tick(struct serial *s, bool on)
{
	struct itimerspec t = { .it_value.tv_nsec = on ? FLUSH_MS * 1000000l : 0 };

	if (on == s->ticking)
		return;
	s->ticking = on;
	(void) timerfd_settime(s->timer, 0, &t, NULL); /* valid arguments */
}

static void watch_out(struct serial *s, bool on)
{
	if (on == s->waits_out)
		return;
	s->waits_out = on;
	if (s->out.fd >= 0)
		(void) loop_change(s->vm->loop, &s->out, on ? EPOLLOUT : 0); /* it is watched */
}

static void flush_out(struct serial *s)
{
	bool full = !has_room(s);
	unsigned done = 0;

	set_tick(s, false);
	while (done < s->buf_len) {
		struct pollfd p = { .fd = s->out_fd, .events = POLLOUT };
		unsigned n = s->buf_len - done < WRITE_MAX ? s->buf_len - done : WRITE_MAX;
		ssize_t w;

		if (poll(&p, 1, 0) == 0)
			break; /* write(2) would block */
		if (s->log_room < n) { /* its beginning is kept */
			done = s->buf_len;
			break;
		}
		w = write(s->out_fd, s->buf + done, n);
		if (w < 0 && errno == EAGAIN)
			break;
		s->log_room -= s->log_room != UINT64_MAX && w > 0 ? (uint64_t) w : 0;
		done += w < 0 ? n : (unsigned) w; /* nobody reads any more: the guest goes on without */
	}
	memmove(s->buf, s->buf + done, s->buf_len - done);
	s->buf_len -= done;
	watch_out(s, s->buf_len > 0);
	if (full && has_room(s)) {
		s->tx_pending = true;
		update_irq(s);
	}
}

static void out_ready(void *arg, uint32_t events)
{
	struct serial *s = arg;

	if (events & EPOLLOUT)
		flush_out(s);
	else
		loop_remove(s->vm->loop, &s->out); /* the reader is gone; writes will say so */
}

static void tick_ready(void *arg, uint32_t events)
{
	struct serial *s = arg;
	uint64_t ticks;

	(void) events;
	(void) !read(s->timer, &ticks, sizeof(ticks)); /* it is ready */
	s->ticking = false;
	flush_out(s);
}

static void in_ready(void *arg, uint32_t events)
{
	struct serial *s = arg;
	ssize_t n = 0;

	if (events & EPOLLIN)
		n = read(s->in_fd, s->rx + s->rx_len, room_for_input(s));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		s->closed_in = true;
		loop_remove(s->vm->loop, &s->in);
		return;
	}
	s->rx_len += (unsigned) keys_take(&s->keys, s->vm, s->rx + s->rx_len, (size_t) n);
	watch_in(s);
	update_irq(s);
}

static void receive_own(struct serial *s, uint8_t byte)
{
	if (s->rx_len < FIFO)
		s->rx[s->rx_len++] = byte;
	else
		s->overrun = true;
}

static void transmit(struct serial *s, uint8_t byte)
{
	s->tx_pending = true;
	if (s->mcr & MCR_LOOP) {
		receive_own(s, byte);
		return;
	}
	if (s->out_fd < 0)
		return;
	if (!has_room(s)) {
		s->tx_pending = false;
		return; /* it was told that there is no room */
	}
	s->buf[s->buf_len++] = byte;
	if (byte == '\n' || s->buf_len >= OUT_PIECE)
		flush_out(s);
	else
		set_tick(s, true);
	s->tx_pending = has_room(s);
}

static void drop_input(struct serial *s, unsigned n)
{
	s->rx_len -= n;
	memmove(s->rx, s->rx + n, s->rx_len);
	watch_in(s);
}

static uint8_t receive(struct serial *s)
{
	uint8_t byte = 0;

	if (s->rx_len > 0) {
		byte = s->rx[0];
		drop_input(s, 1);
	}
	return byte;
}

static uint8_t line_status(struct serial *s)
{
	uint8_t v = (uint8_t) ((s->rx_len > 0 ? LSR_DATA : 0) | (s->overrun ? LSR_OVERRUN : 0));

	s->overrun = false;
	return has_room(s) ? v | LSR_THRE | LSR_IDLE : v;
}

/* In a local loop the modem's outputs are its inputs. */
static uint8_t modem_status(const struct serial *s)
{
	if (!(s->mcr & MCR_LOOP))
		return MSR_ALL;
	return (uint8_t) ((s->mcr & 2) << 3 | (s->mcr & 1) << 5 | (s->mcr & 4) << 4 | (s->mcr & 8) << 4);
}

static uint8_t interrupt_id(struct serial *s)
{
	unsigned v = interrupt_of(s);

	if (v == IIR_TX)
		s->tx_pending = false; /* reading it acknowledges */
	if (v == IIR_RX && (s->fcr & FCR_ENABLE) && s->rx_len < FIFO / 2)
		v = IIR_TIMEOUT;
	return (uint8_t) (v | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
}

static uint64_t serial_read(void *dev, uint64_t offset, unsigned size)
{
	struct serial *s = dev;
	uint8_t v = 0;

	if (size != 1)
		return UINT64_MAX;
	switch (offset) {
	case RBR:
		v = s->lcr & LCR_DLAB ? s->dll : receive(s);
		break;
	case IER:
		v = s->lcr & LCR_DLAB ? s->dlm : s->ier;
		break;
	case IIR:
		v = interrupt_id(s);
		break;
	case LCR:
		v = s->lcr;
		break;
	case MCR:
		v = s->mcr;
		break;
	case LSR:
		v = line_status(s);
		break;
	case MSR:
		v = modem_status(s);
		break;
	default:
		v = s->scr;
		break;
	}
	update_irq(s);
	return v;
}

static void write_fcr(struct serial *s, uint8_t v)
{
	if (v & FCR_CLEAR_RX)
		drop_input(s, s->rx_len < FIFO ? s->rx_len : FIFO); /* what else was typed is not there yet */
	s->fcr = v & FCR_ENABLE;
}

static void write_ier(struct serial *s, uint8_t v)
{
	if ((v & IER_TX) && !(s->ier & IER_TX) && has_room(s))
		s->tx_pending = true;
	s->ier = v & IER_MASK;
}

static void serial_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct serial *s = dev;
	uint8_t v = (uint8_t) value;

	if (size != 1)
		return;
	switch (offset) {
	case RBR:
		if (s->lcr & LCR_DLAB)
			s->dll = v;
		else
			transmit(s, v);
		break;
	case IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = v;
		else
			write_ier(s, v);
		break;
	case IIR:
		write_fcr(s, v);
		break;
	case LCR:
		s->lcr = v;
		break;
	case MCR:
		s->mcr = v & MCR_MASK;
		break;
	case SCR:
		s->scr = v;
		break;
	default:
		break; /* status registers are read-only */
	}
	update_irq(s);
}

static const struct bus_ops serial_bus = { .read = serial_read, .write = serial_write };

static void serial_reset(struct dev *d)
{
	struct serial *s = (struct serial *) d;

	flush_out(s);
	s->ier = s->fcr = s->lcr = s->scr = s->dlm = 0;
	s->dll = 12; /* 9600 baud */
	s->mcr = MCR_OUT2;
	s->tx_pending = s->overrun = false;
	s->rx_len = 0;
	watch_in(s);
	update_irq(s);
}

static void serial_free(struct vm *vm, struct dev *d)
{
	struct serial *s = (struct serial *) d;

	flush_out(s);
	loop_remove(vm->loop, &s->in);
	loop_remove(vm->loop, &s->out);
	loop_remove(vm->loop, &s->tick);
	bus_remove(&vm->pio, PORT, s);
	if (s->watched >= 0)
		(void) close(s->watched); /* everything was written through out_fd */
	if (s->timer >= 0)
		(void) close(s->timer); /* nothing was written to it */
	free(s);
}

static const struct dev_ops serial_ops = { .name = "serial", .reset = serial_reset, .free = serial_free };

static int watch(struct serial *s, struct err *err)
{
	struct loop *l = s->vm->loop;
	int r = loop_add(l, &s->tick, s->timer, EPOLLIN, tick_ready, s);

	if (r == 0 && s->in_fd >= 0) {
		r = loop_add(l, &s->in, s->in_fd, EPOLLIN, in_ready, s);
		if (r == -EPERM) { /* a regular file, /dev/null: nothing comes */
			s->in_fd = -1;
			r = 0;
		}
	}
	if (r == 0 && s->out_fd >= 0) {
		s->watched = fcntl(s->out_fd, F_DUPFD_CLOEXEC, 0);
		r = s->watched < 0 ? -errno : loop_add(l, &s->out, s->watched, 0, out_ready, s);
		if (r == -EPERM)
			r = 0; /* a regular file: always ready */
	}
	return r < 0 ? err_set(err, r, "watch the serial port's files") : 0;
}

static uint64_t log_room(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return UINT64_MAX;
	return (uint64_t) st.st_size < LOG_MAX ? LOG_MAX - (uint64_t) st.st_size : 0;
}

int serial_add(struct vm *vm, int in, int out, struct err *err)
{
	struct serial *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "make serial port");
	*s = (struct serial) { .vm = vm, .in_fd = in, .out_fd = out, .watched = -1,
			       .in.fd = -1, .out.fd = -1, .tick.fd = -1 };
	s->log_room = log_room(in < 0 ? out : -1);
	keys_init(&s->keys, in);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	dev_add(vm, &s->dev, &serial_ops);
	if (s->timer < 0)
		return err_set(err, -errno, "make timer");
	r = watch(s, err);
	if (r == 0)
		r = bus_add(&vm->pio, PORT, 8, &serial_bus, s);
	if (r < 0)
		return err_set(err, r, "give ports to the serial port");
	serial_reset(&s->dev);
	return 0;
}
