/* SPDX-License-Identifier: MIT */
/**
 * DOC: programs of the guest
 *
 * Between a program and its connections are pipes or a terminal, as there are in a container.  A program
 * counts as ended when all that it wrote was passed on.
 */
#include "guest/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "guest/child.h"
#include "guest/conn.h"
#include "guest/machine.h"
#include "guest/message.h"
#include "guest/os.h"
#include "guest/request.h"

#define PIPE_SIZE (256 * 1024) /* bytes */
#define VMSTAT_SIZE 16384

struct process processes[PROCESSES_MAX];
static uint64_t kills_before;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void) sys_close(*fd); /* pipes and sockets: nothing is written late */
	*fd = -1;
}

/* Processes that the kernel has killed for want of memory */
static uint64_t oom_kills(void)
{
	static char text[VMSTAT_SIZE];
	const char *number = os_read_file("/proc/vmstat", text, sizeof(text)) > 0 ? os_find(text, "oom_kill") : NULL;

	return number != NULL ? os_number(number) : 0;
}

/* Both ends of a pipe: ours does not block. */
static int make_pipe(int *ours, int *theirs, int our_end)
{
	int fds[2];
	long r = OS2(__NR_pipe2, fds, O_CLOEXEC);

	if (r < 0)
		return (int) r;
	*ours = fds[our_end];
	*theirs = fds[1 - our_end];
	(void) sys_pipe_size(*ours, PIPE_SIZE); /* or as it is */
	return (int) sys_nonblock(*ours);
}

static int make_stdio(struct process *p, uint64_t flags, struct child *c)
{
	int r = 0;

	if (flags & GUEST_TTY)
		return 0;
	if (flags & GUEST_STDIN)
		r = make_pipe(&p->input.to, &c->stdio[0], 1);
	else
		r = c->stdio[0] = (int) os_open("/dev/null", O_RDONLY, 0);
	if (r >= 0)
		r = make_pipe(&p->output[0].from, &c->stdio[1], 0);
	return r < 0 ? r : make_pipe(&p->output[1].from, &c->stdio[2], 0);
}

static void release(struct process *p)
{
	if (!p->tty) {
		close_fd(&p->input.to);
		close_fd(&p->output[0].from);
	}
	close_fd(&p->output[1].from);
	close_fd(&p->master);
	close_fd(&p->slave);
	close_fd(&p->socket[0]);
	close_fd(&p->socket[1]);
	close_fd(&p->report);
	if (!p->first && p->control >= 0) { /* the first one's ends with the machine */
		conn_forget(p->control);
		close_fd(&p->control);
	}
	stream_fini(&p->input);
	stream_fini(&p->output[0]);
	stream_fini(&p->output[1]);
	p->state = PROCESS_NONE;
}

static void init(struct process *p)
{
	__builtin_memset(p, 0, sizeof(*p));
	p->control = p->report = p->master = p->slave = p->socket[0] = p->socket[1] = -1;
	p->input.from = p->input.to = -1;
	p->input.blocks = true;
	for (int i = 0; i < GUEST_STREAM_N_; i++)
		p->output[i].from = p->output[i].to = -1;
}

static const struct process *first_process(void)
{
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].state != PROCESS_NONE && processes[i].first)
			return &processes[i];
	return NULL;
}

static int start(struct process *p, const struct request *r)
{
	struct child c = { .r = r, .stdio = { -1, -1, -1 }, .report = -1, .join = -1 };
	const struct process *first = first_process();
	int pair[2], e = 0;

	if (!p->first) {
		if (first == NULL || first->state != PROCESS_RUNNING)
			return -ESRCH;
		c.join = (int) OS2(__NR_pidfd_open, first->pid, 0);
		if (c.join < 0)
			return c.join;
		c.first = first->pid;
	}
	e = (int) OS4(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	if (e == 0) {
		p->report = pair[0];
		c.report = pair[1];
		e = make_stdio(p, r->flags, &c);
	}
	if (e >= 0) {
		long pid = child_start(&c);

		e = pid < 0 ? (int) pid : 0;
		p->pid = pid > 0 ? pid : 0;
	}
	for (int i = 0; i < 3; i++)
		close_fd(&c.stdio[i]);
	close_fd(&c.report);
	close_fd(&c.join);
	return e < 0 ? e : 0;
}

int process_new(int control, bool first, const struct guest_in *fields)
{
	static struct request r; /* large */
	struct process *p = processes;
	int e = request_parse(fields, &r);

	if (e < 0)
		return e;
	while (p < processes + PROCESSES_MAX && p->state != PROCESS_NONE)
		p++;
	if (p == processes + PROCESSES_MAX) {
		request_fini(&r);
		return -EUSERS;
	}
	init(p);
	p->first = first;
	p->tty = (r.flags & GUEST_TTY) != 0;
	p->number = r.number;
	if (first) {
		machine_apply(&r);
		kills_before = oom_kills();
	}
	e = start(p, &r);
	request_fini(&r);
	if (e < 0) {
		release(p);
		return e;
	}
	p->control = control;
	p->state = PROCESS_STARTING;
	return 0;
}

struct process *process_find(int control)
{
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].state != PROCESS_NONE && processes[i].control == control)
			return &processes[i];
	return NULL;
}

/* Where the bytes of a connection go; a terminal has one for both directions. */
static void connect_streams(struct process *p)
{
	p->input.from = p->socket[GUEST_STREAM_MAIN];
	p->output[0].to = p->socket[GUEST_STREAM_MAIN];
	p->output[1].to = p->socket[GUEST_STREAM_STDERR];
	if (p->tty)
		p->input.to = p->output[0].from = p->master;
	p->input.lost = !p->tty && p->input.to < 0;
}

int process_attach(uint64_t number, uint64_t stream, int sock)
{
	for (int i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = &processes[i];

		if (p->state == PROCESS_NONE || p->number != number || stream >= GUEST_STREAM_N_ ||
		    p->socket[stream] >= 0)
			continue;
		p->socket[stream] = sock;
		connect_streams(p);
		return 0;
	}
	return -ENOENT;
}

static void begin(struct process *p)
{
	p->state = PROCESS_RUNNING;
	close_fd(&p->report);
	message_plain(p->control, GUEST_STARTED);
}

static void fail(struct process *p, const struct child_report *report)
{
	conn_forget(p->control);
	message_failed(p->control, (uint64_t) report->step, report->error);
	p->control = -1; /* closed with the message */
	release(p); /* its end is reaped */
}

void process_reported(struct process *p)
{
	struct child_report report;
	int fd = -1;
	long n = sys_recv(p->report, &report, sizeof(report), &fd);

	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n != (long) sizeof(report)) {
		begin(p);
	} else if (report.step == CHILD_TERMINAL && fd >= 0) {
		p->master = fd;
		(void) sys_nonblock(fd); /* a terminal can */
		p->slave = (int) sys_ioctl(fd, TIOCGPTPEER, (void *) (long) (O_RDWR | O_NOCTTY | O_CLOEXEC));
		connect_streams(p);
	} else {
		fail(p, &report);
	}
}

void process_ended(long pid, int status)
{
	for (int i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = &processes[i];

		if (p->state == PROCESS_NONE || p->state == PROCESS_ENDED || p->pid != pid)
			continue;
		while (p->state == PROCESS_STARTING) /* it is said before the end */
			process_reported(p);
		p->status = status;
		if (p->state == PROCESS_RUNNING)
			p->state = PROCESS_ENDED;
		return;
	}
}

static void tell_exit(struct process *p)
{
	uint8_t buf[128];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	if (p->first)
		machine_sync(); /* the machine ends with it */
	guest_begin(&o, GUEST_EXITED);
	guest_put_number(&o, GUEST_STATUS, (uint64_t) p->status);
	guest_put_number(&o, GUEST_OOM, p->first && oom_kills() > kills_before);
	message_send(p->control, &o);
}

size_t process_run(struct process *p)
{
	bool over = p->state == PROCESS_ENDED;
	size_t moved = 0;

	for (int i = 0; i < GUEST_STREAM_N_; i++) {
		struct stream *s = &p->output[i];
		bool was = s->closed;

		if (s->from < 0)
			s->closed = over;
		else
			moved += stream_run(s, over);
		if (s->closed && !was && s->to >= 0)
			(void) OS2(__NR_shutdown, s->to, SHUT_WR); /* it may be gone */
		over = over && s->closed;
	}
	moved += stream_run(&p->input, false);
	if (p->input.closed && !p->tty)
		close_fd(&p->input.to); /* the program reads the end */
	if (!over)
		return moved;
	if (p->control >= 0)
		tell_exit(p);
	release(p);
	return moved;
}

/* The program goes on, like one whose terminal was closed. */
void process_left(struct process *p)
{
	p->control = -1; /* the caller's */
	p->input.ended = true;
	close_fd(&p->socket[0]);
	close_fd(&p->socket[1]);
	connect_streams(p);
	for (int i = 0; i < GUEST_STREAM_N_; i++)
		p->output[i].lost = true;
}
