/* SPDX-License-Identifier: MIT */
/**
 * DOC: the process that stands for a program in a virtual machine
 *
 * To its monitor it is what the first process of a container is: it reads and writes the same pipes, gets the
 * same signals, and ends with the same status.  It tells the guest when this host's clock was set or the host was suspended: a
 * container would see that, too.  Both directions are held up when the other side does not
 * take what is there; nothing is dropped.
 */
#include "engine/vm/conduct.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "sys/proc.h"

#define BUFFER GUEST_BLOCK_MAX
#define LEAVE_MS 5000 /* for a machine whose guest is gone */
#define NEVER (1ll << 33) /* seconds since 1970 */
#define ROUNDS 16 /* buffers at once, then others have their turn */

/* Bytes from one descriptor to another, with a header in front of what was read at a time when @header is not 0;
   @ended: there are no more, @closed: and all are passed on */
struct pump {
	int from, to;
	size_t pos, len, header;
	bool ended, closed, lost;
	uint8_t buf[GUEST_BLOCK_HEADER + BUFFER];
};

struct conductor {
	struct vm_program *p;
	struct pump input, output[GUEST_STREAM_N_];
	bool exited, gone;
	int status, clock;
};

int vm_conduct_signals(struct err *err)
{
	sigset_t all;
	int fd;

	(void) sigfillset(&all); /* never fails */
	(void) sigprocmask(SIG_SETMASK, &all, NULL); /* a valid set */
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, -errno, "receive signals") : fd;
}

int vm_conduct_terminal(int *ret_master, int *ret_slave, struct err *err)
{
	_cleanup_close_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), slave = -EBADF;
	int unlocked = 0;
	struct termios t;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_set(err, -errno, "open a terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &t) < 0)
		return err_set(err, -errno, "open a terminal");
	cfmakeraw(&t);
	if (tcsetattr(slave, TCSANOW, &t) < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(err, -errno, "set up a terminal");
	*ret_master = take_fd(master);
	*ret_slave = take_fd(slave);
	return 0;
}

struct vm_size vm_conduct_size(int fd)
{
	struct winsize w = { 0 };

	if (fd >= 0)
		(void) ioctl(fd, TIOCGWINSZ, &w); /* stays unknown */
	return (struct vm_size) { w.ws_row, w.ws_col };
}

static void nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void) fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* it is open */
}

static void write_out(struct pump *u)
{
	while (u->len > 0) {
		ssize_t n = u->lost ? (ssize_t) u->len : write(u->to, u->buf + u->pos, u->len);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR)
			u->lost = true; /* nobody reads it any more */
		if (n > 0) {
			u->pos += (size_t) n;
			u->len -= (size_t) n;
		}
	}
}

/* Whole buffers have more behind them, mostly. */
static void run(struct pump *u)
{
	ssize_t n = BUFFER;

	write_out(u);
	for (int i = 0; i < ROUNDS && n == BUFFER && u->len == 0 && !u->ended && u->from >= 0; i++) {
		n = read(u->from, u->buf + GUEST_BLOCK_HEADER, BUFFER);
		guest_put32(u->buf, n > 0 ? (uint32_t) n : 0);
		u->pos = GUEST_BLOCK_HEADER - u->header;
		u->len = n > 0 ? (size_t) n + u->header : 0;
		u->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
		write_out(u);
	}
	u->closed = u->ended && u->len == 0;
}

/* Who kills us is meant to reach the program; what the kernel tells us is ours. */
static void take_signals(struct conductor *c)
{
	struct signalfd_siginfo info;

	while (read(c->p->signals, &info, sizeof(info)) == (ssize_t) sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && c->p->terminal >= 0) {
			struct vm_size size = vm_conduct_size(c->p->terminal);

			(void) vm_link_send(c->p->control, GUEST_RESIZE, GUEST_ROWS, size.rows, GUEST_COLUMNS,
					    size.columns); /* the end of the connection is seen */
		} else if (info.ssi_code <= 0) {
			(void) vm_link_send(c->p->control, GUEST_SIGNAL, GUEST_SIGNAL_OF, info.ssi_signo, 0,
					    0); /* likewise */
		}
	}
}

/* A descriptor that tells when the clock jumps; -EBADF: nobody does */
static int watch_clock(void)
{
	const struct itimerspec never = { .it_value.tv_sec = NEVER };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		(void) timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL); /* all known kernels can */
	return fd < 0 ? -EBADF : fd;
}

static void take_clock(const struct conductor *c)
{
	uint64_t n;

	if (read(c->clock, &n, sizeof(n)) < 0 && errno == ECANCELED)
		(void) vm_link_send(c->p->control, GUEST_CLOCK, GUEST_TIME, (uint64_t) time_now_ns(), 0, 0); /* its end is seen */
}

static void take_message(struct conductor *c)
{
	struct vm_reply m;

	if (vm_link_read(c->p->control, &m, NULL) < 0) {
		c->gone = true;
	} else if (m.head.type == GUEST_EXITED) {
		c->exited = true;
		c->status = (int) vm_reply_number(&m, GUEST_STATUS, 0);
		c->p->oom = vm_reply_number(&m, GUEST_OOM, 0) != 0;
	}
}

/* So that all connections end.  One that ends by itself tells more by its status than one that is killed. */
static void end_machine(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (poll(&p, 1, LEAVE_MS) <= 0)
		(void) proc_pidfd_kill(pidfd, SIGKILL); /* it may be dead */
}

static void wait_for_events(struct conductor *c)
{
	struct pump *const all[] = { &c->input, &c->output[0], &c->output[1] };
	struct pollfd f[4 + 2 * ARRAY_LEN(all)] = {
		{ .fd = c->p->signals, .events = POLLIN },
		{ .fd = c->exited || c->gone ? -1 : c->p->control, .events = POLLIN },
		{ .fd = c->gone ? -1 : c->p->machine, .events = POLLIN },
		{ .fd = c->exited || c->gone ? -1 : c->clock, .events = POLLIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		f[4 + 2 * i] = (struct pollfd) { .fd = all[i]->len == 0 && !all[i]->ended ? all[i]->from : -1,
						 .events = POLLIN };
		f[5 + 2 * i] = (struct pollfd) { .fd = all[i]->len > 0 ? all[i]->to : -1, .events = POLLOUT };
	}
	if (poll(f, ARRAY_LEN(f), -1) < 0)
		return; /* EINTR */
	if (f[0].revents != 0)
		take_signals(c);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (f[4 + 2 * i].revents != 0 || f[5 + 2 * i].revents != 0)
			run(all[i]);
	if (f[3].revents != 0)
		take_clock(c);
	if (f[1].revents != 0)
		take_message(c);
	if (f[2].revents != 0)
		c->gone = true;
	if (c->gone && c->p->machine >= 0)
		end_machine(c->p->machine);
}

/* All connections begin at once: each takes a way to the guest and back. */
int vm_conduct_start(struct vm_program *p, const struct str *message, uint64_t number, const char *name, struct err *err)
{
	int streams = p->terminal >= 0 ? 1 : GUEST_STREAM_N_, r = 0;
	bool first = p->control >= 0;

	if (!first)
		r = p->control = vm_link_begin(p->dir, message->p, message->len, err);
	else if (vm_link_send_all(p->control, message->p, message->len) < 0)
		r = err_msg(err, -ECONNRESET, "the virtual machine does not take the request to run a program");
	for (int i = 0; r >= 0 && i < streams; i++)
		r = p->stream[i] = vm_link_stream(p->dir, number, (enum guest_stream) i, err);
	if (r < 0)
		return r;
	r = first ? 0 : vm_link_begun(p->control, err);
	if (r == 0)
		r = vm_link_answer(p->control, GUEST_STARTED, name, err);
	for (int i = 0; r == 0 && i < streams; i++)
		r = vm_link_begun(p->stream[i], err);
	return r;
}

static void connect_streams(struct conductor *c)
{
	const struct vm_program *p = c->p;

	c->output[1].closed = p->terminal >= 0;
	c->output[0].from = p->stream[GUEST_STREAM_MAIN];
	c->output[1].from = p->stream[GUEST_STREAM_STDERR];
	c->output[0].to = p->terminal >= 0 ? p->terminal : STDOUT_FILENO;
	c->output[1].to = p->terminal >= 0 ? -1 : STDERR_FILENO;
	c->input.from = !p->input ? -1 : p->terminal >= 0 ? p->terminal : STDIN_FILENO;
	c->input.to = c->output[0].from;
	c->input.header = GUEST_BLOCK_HEADER;
	for (int i = 0; i < GUEST_STREAM_N_; i++) {
		nonblock(c->output[i].from);
		nonblock(c->output[i].to);
	}
	nonblock(c->input.from);
}

int vm_conduct(struct vm_program *p)
{
	static struct conductor c; /* large */
	bool told = false;

	c.p = p;
	c.clock = p->machine >= 0 ? watch_clock() : -EBADF;
	connect_streams(&c);
	while (!(c.exited || c.gone) || !c.output[0].closed || !c.output[1].closed) {
		wait_for_events(&c);
		if (c.input.closed && !told && p->terminal < 0) { /* the program reads the end */
			(void) shutdown(c.input.to, SHUT_WR); /* or it has ended */
			told = true;
		}
	}
	if (!c.exited)
		return -ECONNRESET;
	return proc_exit_code(c.status);
}
