/* SPDX-License-Identifier: MIT */
/**
 * DOC: the parent of an instance
 *
 * Copies the instance's output to the log and to attached clients, their input to the instance.  Input
 * likewise as output (clients.h): one record is under way at a time, and a client is asked for the next
 * when its last one is written.
 *
 * When the first process has ended, what is left in the pipes is read, the exit status is written
 * down and told, and this process becomes the clean-up program.  It keeps its descriptors: the lock and
 * the sockets of clients are closed when that ends.
 */
#include "engine/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "engine/monitor/clients.h"
#include "engine/monitor/log.h"
#include "engine/monitor/protocol.h"
#include "engine/monitor/screen.h"
#include "bare/sys.h"

#define CLEANUP_ARGS_MAX 16
#define PIPE_SIZE (256 * 1024) /* bytes; less switching between the instance and us */
#define MUCH 16384 /* bytes of output at once, after which memory is given back */
#define RELEASE_MS 1000 /* of silence, until memory is given back */

struct monitor {
	int pid, signals;
	int in, out[2]; /* the instance's stdio, the terminal's master as in and out[0]; -1 closed */
	int held; /* the terminal itself, once nobody else had it open; -1 not */
	bool terminal, exec, in_open, in_once, in_ends, much;
	bool more; /* there is more output, so the log is not written yet */
	struct log_stream streams[2];
	char output[MON_DATA_MAX];
	char input[1 + MON_DATA_MAX];
	size_t input_pos, input_len;
	struct client *writer; /* whose input is under way */
	int status;
	bool ended;
};

static struct monitor m;

/*
 * Nobody has the terminal open (EIO), and somebody may open it again, as systemd does with /dev/console.
 * A master tells nothing of that, so from now on it is held open here, where nobody reads or writes; again
 * after vhangup(2).
 */
static bool hold_terminal(void)
{
	long fd;

	if (m.ended)
		return false;
	if (m.held >= 0)
		(void) sys_close(m.held);
	fd = sys_ioctl(m.out[0], TIOCGPTPEER, (void *) (long) (O_RDWR | O_NOCTTY | O_CLOEXEC));
	m.held = fd >= 0 ? (int) fd : -1;
	return fd >= 0;
}

/* Return: false when there is nothing to read now or any more. */
static bool read_output(int i)
{
	long n = sys_read(m.out[i], m.output, sizeof(m.output));

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n == -EIO && m.terminal && hold_terminal())
		return false;
	if (n <= 0) {
		if (!m.terminal)
			(void) sys_close(m.out[i]);
		m.out[i] = -1;
		log_end(&m.streams[i]);
		return false;
	}
	m.much = m.much || n > MUCH;
	m.more = n == (long) sizeof(m.output);
	log_add(&m.streams[i], m.output, (size_t) n);
	if (!m.more)
		log_flush();
	if (m.terminal)
		screen_add(m.output, (size_t) n);
	clients_send(i == 0 ? MON_STDOUT : MON_STDERR, m.output, (size_t) n);
	return true;
}

static void close_input(void)
{
	static const char end = 4; /* ^D */

	if (m.terminal)
		(void) sys_write(m.in, &end, 1); /* a full terminal has other input to end first */
	else if (m.in >= 0)
		(void) sys_close(m.in);
	if (!m.terminal) {
		m.in = -1;
		m.in_open = false;
	}
	m.in_ends = false;
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
	if (m.in_open && m.writer != NULL)
		client_taken(m.writer);
	m.writer = NULL;
	CLIENTS_FOREACH(c)
		c->holds = false;
}

static void end_input(const struct client *c)
{
	if (!m.in_open || (!m.terminal && !m.in_once) || (m.in_once && !c->owner))
		return;
	m.in_ends = true;
	if (m.input_len == 0)
		write_input();
}

static void drop(struct client *c)
{
	if (m.writer == c)
		m.writer = NULL;
	client_drop(c);
}

/* Nothing that a client sends is trusted: what does not fit is ignored. */
static void take_record(struct client *c, const char *record, size_t n)
{
	const struct mon_resize *r = (const void *) record;
	const struct mon_signal *s = (const void *) record;

	switch (record[0]) {
	case MON_STDIN:
		if (!m.in_open)
			return;
		m.writer = c;
		m.input_pos = 1;
		m.input_len = n;
		write_input();
		return;
	case MON_EOF:
		end_input(c);
		return;
	case MON_REPLAY:
		if (m.terminal)
			client_replay(c);
		return;
	case MON_RESIZE:
		if (n == sizeof(*r) && m.terminal) {
			struct winsize size = { .ws_row = r->rows, .ws_col = r->columns };

			(void) sys_ioctl(m.out[0], TIOCSWINSZ, &size); /* cosmetic */
		}
		return;
	case MON_SIGNAL: /* not reaped yet, so the pid is still its */
		if (n == sizeof(*s) && !m.ended && s->number > 0 && s->number < 65)
			(void) sys_kill(m.pid, s->number); /* it may have ended just now */
		return;
	default:
		return;
	}
}

static void read_client(struct client *c)
{
	char small[sizeof(struct mon_resize) + sizeof(struct mon_signal)], *record = small, kind;
	long n = sys_peek(c->fd, &kind);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n > 0 && (kind == MON_STDIN || kind == MON_EOF)) {
		c->holds = m.input_len != 0;
		if (c->holds)
			return;
		record = m.input;
		n = sys_recv(c->fd, record, sizeof(m.input), NULL);
	} else if (n > 0)
		n = sys_recv(c->fd, small, sizeof(small), NULL);
	if (n <= 0)
		drop(c);
	else
		take_record(c, record, (size_t) n);
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

static int wait_ms(void)
{
	int ms = clients_wait_ms();

	if (m.more)
		return 0;
	return ms < 0 && m.much ? RELEASE_MS : ms;
}

/* After a lot of output an idle monitor is as small as before. */
static void release_memory(void)
{
	m.much = false;
	log_release();
	sys_release(m.output, sizeof(m.output));
	if (m.input_len == 0)
		sys_release(m.input, sizeof(m.input));
}

/* The input of an instance in the foreground ends with its owner, however that ends. */
static void notice_owner(void)
{
	if (!m.in_once || clients[0].owner)
		return;
	m.in_once = false;
	m.in_ends = true;
	if (m.input_len == 0)
		write_input();
}

static void handle_clients(const struct pollfd *of)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if ((of[i].revents & ~POLLOUT) != 0 && clients[i].fd == of[i].fd)
			read_client(&clients[i]);
	if (clients_busy())
		clients_go_on();
	notice_owner();
}

static void wait_for_events(void)
{
	bool busy = clients_busy();
	struct pollfd p[5 + CLIENTS_MAX] = {
		{ .fd = m.signals, .events = POLLIN },
		{ .fd = m.exec ? -1 : MON_FD_LISTEN, .events = POLLIN },
		{ .fd = !busy ? m.out[0] : -1, .events = POLLIN },
		{ .fd = !busy ? m.out[1] : -1, .events = POLLIN },
		{ .fd = m.input_len != 0 ? m.in : -1, .events = POLLOUT },
	};
	struct pollfd *of = p + 5;
	long n;

	for (int i = 0; i < CLIENTS_MAX; i++)
		of[i] = (struct pollfd) {
			.fd = clients[i].holds && !client_behind(&clients[i]) ? -1 : clients[i].fd,
			.events = (short) ((clients[i].holds ? 0 : POLLIN) |
					   (client_behind(&clients[i]) ? POLLOUT : 0)),
		};
	n = sys_poll(p, 5 + CLIENTS_MAX, wait_ms());
	if (n < 0)
		return; /* EINTR */
	if (m.more && p[2].revents == 0 && p[3].revents == 0) {
		m.more = false;
		log_flush();
	} else if (n == 0 && !busy && m.much)
		release_memory();
	if (p[4].revents != 0)
		write_input();
	handle_clients(of);
	for (int i = 0; i < 2; i++)
		if (p[2 + i].revents != 0 && !clients_busy())
			(void) read_output(i); /* more comes with the next event */
	if (p[1].revents != 0)
		clients_accept(MON_FD_LISTEN,
			       (struct mon_hello) { MON_HELLO, 0, m.terminal, m.in_open });
	if (p[0].revents != 0)
		reap();
}

static void wait_for_clients(void)
{
	struct pollfd p[CLIENTS_MAX];

	for (int i = 0; i < CLIENTS_MAX; i++)
		p[i] = (struct pollfd) {
			.fd = client_behind(&clients[i]) ? clients[i].fd : -1,
			.events = POLLOUT,
		};
	(void) sys_poll(p, CLIENTS_MAX, clients_wait_ms()); /* the next line tells */
	clients_go_on();
}

/* All processes that could write have ended.  Clients that do not read now lose nothing they asked for. */
static void drain(void)
{
	bool more = true;

	while (clients_busy() || more) {
		if (clients_busy()) {
			wait_for_clients();
			continue;
		}
		more = false; /* somebody outside may still hold the pipe */
		for (int i = 0; i < 2 && !clients_busy(); i++)
			if (m.out[i] >= 0)
				more = read_output(i) || more;
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
	if (!m.exec)
		(void) sys_replace(MON_FD_DIR, "exit", text,
				   (size_t) (end - text)); /* the argument says it too */
	clients_tell(&x, sizeof(x));
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

static void read_flags(const char *flags)
{
	bool client = false;

	for (; *flags != '\0'; flags++) {
		m.terminal = m.terminal || *flags == 't';
		m.in_open = m.in_open || *flags == 'i';
		m.exec = m.exec || *flags == 'x';
		client = client || *flags == 'c';
	}
	m.in_once = m.in_open && !m.terminal && client;
	clients_open(client ? MON_FD_CLIENT : -1);
}

static void set_up_stdio(void)
{
	for (int i = 0; i < 2; i++)
		if (m.out[i] >= 0) {
			(void) sys_nonblock(m.out[i]);
			if (!m.terminal)
				(void) sys_pipe_size(m.out[i], PIPE_SIZE); /* over the quota: as it is */
		}
	if (m.in >= 0)
		(void) sys_nonblock(m.in);
}

int monitor_run(int argc, char **argv)
{
	read_flags(argv[0]);
	log_open(argv[1]);
	m.streams[0].name = "stdout";
	m.streams[1].name = "stderr";
	m.held = -1;
	m.in = m.in_open && !m.terminal ? MON_FD_STDIN : -1;
	m.out[0] = m.terminal ? -1 : MON_FD_STDOUT;
	m.out[1] = m.terminal ? -1 : MON_FD_STDERR;
	m.signals = (int) sys_signals(~0ull, 1ull << (SIGCHLD - 1)); /* only SIGKILL ends us */
	if (m.signals < 0 || !wait_for_start())
		return 125;
	set_up_stdio();
	reap(); /* those that ended before the signal was received */
	while (!m.ended)
		wait_for_events();
	drain();
	tell_exit();
	return m.exec ? 0 : clean_up(argc - 2, argv + 2);
}
