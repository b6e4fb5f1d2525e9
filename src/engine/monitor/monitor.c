/* SPDX-License-Identifier: MIT */
/**
 * DOC: the parent of an instance
 *
 * Copies the instance's output to the log and to attached clients, their input to the instance.  One
 * record is under way at a time: it is sent to every client before more output is read, so a slow
 * client slows the instance down and nothing is lost or reordered.  A client that hangs up is
 * forgotten.  Input likewise: a client is not read while its last record is not written.
 *
 * When the first process has ended, what is left in the pipes is read, the exit status is written
 * down and told, and this process becomes the clean-up program.  It keeps its descriptors: the lock and
 * the sockets of clients are closed when that ends.
 */
#include "engine/monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "engine/monitor/log.h"
#include "engine/monitor/protocol.h"
#include "engine/monitor/sys.h"

#define CLIENTS_MAX 8
#define CLEANUP_ARGS_MAX 16

struct client {
	int fd; /* -1: free */
	bool behind; /* has not got the record under way yet */
};

struct monitor {
	int pid, signals;
	int in, out[2]; /* the instance's stdio, the terminal's master as in and out[0]; -1 closed */
	bool terminal, in_open, in_ends;
	struct client clients[CLIENTS_MAX];
	struct log_stream streams[2];
	char record[1 + MON_DATA_MAX]; /* output under way */
	size_t record_len; /* 0: none */
	char input[1 + MON_DATA_MAX];
	size_t input_pos, input_len;
	int status;
	bool ended;
};

static struct monitor m;

static void drop_client(struct client *c)
{
	(void) sys_close(c->fd); /* a socket */
	c->fd = -1;
	c->behind = false;
}

static void send_record(struct client *c)
{
	long r = sys_send(c->fd, m.record, m.record_len);

	if (r == -EAGAIN)
		return;
	c->behind = false;
	if (r < 0)
		drop_client(c);
}

/* Send on what is under way.  Return: true when everybody has it. */
static bool send_all(void)
{
	bool done = true;

	for (struct client *c = m.clients; c < m.clients + CLIENTS_MAX; c++) {
		if (c->behind)
			send_record(c);
		done = done && !c->behind;
	}
	if (done)
		m.record_len = 0;
	return done;
}

static void start_record(size_t n)
{
	m.record_len = n;
	for (struct client *c = m.clients; c < m.clients + CLIENTS_MAX; c++)
		c->behind = c->fd >= 0;
	(void) send_all(); /* the rest by and by */
}

/* Return: false when there is nothing to read now or any more. */
static bool read_output(int i)
{
	long n = sys_read(m.out[i], m.record + 1, MON_DATA_MAX);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) { /* EIO: nobody has the terminal open */
		if (!m.terminal)
			(void) sys_close(m.out[i]);
		m.out[i] = -1;
		log_end(&m.streams[i]);
		return false;
	}
	m.record[0] = i == 0 ? MON_STDOUT : MON_STDERR;
	log_add(&m.streams[i], m.record + 1, (size_t) n);
	start_record((size_t) n + 1);
	return true;
}

static void close_input(void)
{
	static const char end = 4; /* ^D */

	if (m.terminal)
		(void) sys_write(m.in, &end, 1); /* a full terminal has other input to end first */
	else if (m.in >= 0)
		(void) sys_close(m.in);
	if (!m.terminal)
		m.in = -1;
	m.in_open = m.in_ends = false;
}

static void write_input(void)
{
	while (m.input_pos < m.input_len) {
		long n = sys_write(m.in, m.input + m.input_pos, m.input_len - m.input_pos);

		if (n == -EAGAIN)
			return;
		if (n < 0 && n != -EINTR) { /* the instance closed it */
			m.input_len = m.input_pos;
			m.in_ends = true;
		} else if (n > 0)
			m.input_pos += (size_t) n;
	}
	m.input_pos = m.input_len = 0;
	if (m.in_ends)
		close_input();
}

static void read_client(struct client *c)
{
	long n = sys_recv(c->fd, m.input, sizeof(m.input), NULL);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		drop_client(c);
		return;
	}
	if (m.input[0] == MON_STDIN && m.in_open) {
		m.input_pos = 1;
		m.input_len = (size_t) n;
		write_input();
	} else if (m.input[0] == MON_EOF && m.in_open) {
		m.in_ends = true;
		write_input();
	} else if (m.input[0] == MON_RESIZE && n == (long) sizeof(struct mon_resize) &&
		   m.terminal) {
		const struct mon_resize *r = (const void *) m.input;
		struct winsize size = { .ws_row = r->rows, .ws_col = r->columns };

		(void) sys_ioctl(m.out[0], TIOCSWINSZ, &size); /* cosmetic */
	} else if (m.input[0] == MON_SIGNAL && n == (long) sizeof(struct mon_signal) && !m.ended) {
		const struct mon_signal *s = (const void *) m.input;

		if (s->number > 0 && s->number < 65) /* not reaped yet, so the pid is still its */
			(void) sys_kill(m.pid, s->number); /* it may have ended just now */
	}
}

static void accept_client(int sock)
{
	int fd = (int) sys_accept(sock);

	if (fd < 0)
		return;
	for (struct client *c = m.clients; c < m.clients + CLIENTS_MAX; c++)
		if (c->fd < 0) {
			c->fd = fd;
			return;
		}
	(void) sys_close(fd); /* too many: it sees the end of the connection */
}

/* Return: true when the first process is among those that ended. */
static void reap(void)
{
	int status;
	long pid;

	(void) sys_next_signal(m.signals); /* signals are merged, so reap all there are */
	while ((pid = sys_wait(&status)) > 0)
		if (pid == m.pid) {
			m.status = (status & 127) != 0 ? 128 + (status & 127) : status >> 8 & 255;
			m.ended = true;
		}
}

static void wait_for_events(void)
{
	struct pollfd p[4 + 1 + CLIENTS_MAX] = {
		{ .fd = m.signals, .events = POLLIN },
		{ .fd = MON_FD_LISTEN, .events = POLLIN },
		{ .fd = m.record_len == 0 ? m.out[0] : -1, .events = POLLIN },
		{ .fd = m.record_len == 0 ? m.out[1] : -1, .events = POLLIN },
		{ .fd = m.input_len != 0 ? m.in : -1, .events = POLLOUT },
	};
	struct pollfd *of = p + 5;

	for (int i = 0; i < CLIENTS_MAX; i++)
		of[i] = (struct pollfd) { .fd = m.clients[i].fd,
					  .events = (short) ((m.input_len == 0 ? POLLIN : 0) |
							     (m.clients[i].behind ? POLLOUT : 0)) };
	if (sys_poll(p, 5 + CLIENTS_MAX, -1) < 0)
		return; /* EINTR */
	if (p[4].revents != 0)
		write_input();
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (of[i].revents != 0 && m.input_len == 0)
			read_client(&m.clients[i]);
	if (m.record_len != 0)
		(void) send_all(); /* the rest by and by */
	for (int i = 0; i < 2; i++)
		if (p[2 + i].revents != 0 && m.record_len == 0)
			(void) read_output(i); /* more comes with the next event */
	if (p[1].revents != 0)
		accept_client(MON_FD_LISTEN);
	if (p[0].revents != 0)
		reap();
}

/* All processes that could write have ended.  Clients that do not read now lose nothing they asked for. */
static void drain(void)
{
	while (m.record_len != 0 || m.out[0] >= 0 || m.out[1] >= 0) {
		bool more = false;

		if (m.record_len != 0 && !send_all()) {
			struct pollfd p[CLIENTS_MAX];

			for (int i = 0; i < CLIENTS_MAX; i++)
				p[i] = (struct pollfd) { .fd = m.clients[i].behind ? m.clients[i].fd
										   : -1,
							 .events = POLLOUT };
			(void) sys_poll(p, CLIENTS_MAX, -1); /* send_all() tells */
			continue;
		}
		for (int i = 0; i < 2 && m.record_len == 0; i++)
			if (m.out[i] >= 0)
				more = read_output(i) || more;
		if (!more && m.record_len == 0)
			break; /* somebody outside still holds the pipe */
	}
	log_end(&m.streams[0]);
	log_end(&m.streams[1]);
}

static void tell_exit(void)
{
	struct mon_exit x = { MON_EXIT, m.status };
	char text[64], *end = text_number(text, (uint64_t) m.status, 1);
	int64_t s;
	uint32_t ns;

	sys_now(&s, &ns);
	*end++ = ' ';
	end = text_number(end, (uint64_t) s, 1);
	end = text_number(end, ns, 9);
	*end++ = '\n';
	(void) sys_replace(MON_FD_DIR, "exit", text,
			   (size_t) (end - text)); /* the argument says it too */
	for (struct client *c = m.clients; c < m.clients + CLIENTS_MAX; c++)
		if (c->fd >= 0)
			(void) sys_send(c->fd, &x,
					sizeof(x)); /* one that does not read will ask the store */
}

static int clean_up(int argc, char **argv)
{
	const char *words[CLEANUP_ARGS_MAX];
	char code[24], *end = text_number(code, (uint64_t) m.status, 1);

	*end = '\0';
	if (argc > CLEANUP_ARGS_MAX - 2)
		return 125;
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	words[argc] = code;
	words[argc + 1] = NULL;
	(void) sys_execute(MON_FD_PROGRAM, words); /* the next command cleans up instead */
	return 125;
}

/* Return: false when the instance could not be started; whoever tried knows why. */
static bool wait_for_start(void)
{
	struct mon_started started;
	int master;
	long n;

	do
		n = sys_recv(MON_FD_STARTER, &started, sizeof(started), &master);
	while (n == -EINTR);
	if (n != (long) sizeof(started))
		return false;
	(void) sys_close(MON_FD_STARTER); /* a socket */
	m.pid = started.pid;
	if (m.terminal)
		m.in = m.out[0] = master;
	return true;
}

int monitor_run(int argc, char **argv)
{
	bool client = false;
	char pid[24];

	for (const char *flag = argv[0]; *flag != '\0'; flag++) {
		m.terminal = m.terminal || *flag == 't';
		m.in_open = m.in_open || *flag == 'i';
		client = client || *flag == 'c';
	}
	for (int i = 0; i < CLIENTS_MAX; i++)
		m.clients[i].fd = i == 0 && client ? MON_FD_CLIENT : -1;
	m.streams[0].name = "stdout";
	m.streams[1].name = "stderr";
	m.in = m.in_open && !m.terminal ? MON_FD_STDIN : -1;
	m.out[0] = m.terminal ? -1 : MON_FD_STDOUT;
	m.out[1] = m.terminal ? -1 : MON_FD_STDERR;
	m.signals = (int) sys_signals(~0ull, 1ull << (SIGCHLD - 1)); /* only SIGKILL ends us */
	if (m.signals < 0 || !wait_for_start())
		return 125;
	(void) sys_replace(MON_FD_DIR, "pid", pid,
			   (size_t) (text_number(pid, (uint64_t) m.pid, 1) - pid));
	for (int i = 0; i < 2; i++)
		if (m.out[i] >= 0)
			(void) sys_nonblock(m.out[i]);
	if (m.in >= 0)
		(void) sys_nonblock(m.in);
	if (client)
		(void) sys_nonblock(MON_FD_CLIENT);
	reap(); /* those that ended before the signal was received */
	while (!m.ended)
		wait_for_events();
	drain();
	tell_exit();
	return clean_up(argc - 1, argv + 1);
}
