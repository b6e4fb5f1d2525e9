/* SPDX-License-Identifier: MIT */
/**
 * DOC: the foreground of an instance
 *
 * What is left of `cleave run`, `attach` and `exec` once they are connected.  It may be killed without
 * harm: the monitor and the instance go on.
 *
 * With a terminal, signals are not forwarded: keys arrive as bytes, and what else ends a client shall
 * end only it, with its terminal as it was.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "engine/monitor/keys.h"
#include "engine/monitor/monitor.h"
#include "engine/monitor/protocol.h"
#include "bare/sys.h"

#define SOCK MON_FD_STARTER
#define SIGNAL_BIT(n) (1ull << ((n) - 1))

#define INPUT_MAX 32768 /* bytes at once, whole pages: who reads blocks from the pipe gets whole ones */
#define STAY (-1) /* neither ended nor left */

static struct {
	bool terminal, input, show_out, show_err, proxy, repaint;
	bool may_send; /* the monitor wants more input */
	struct keys keys;
	int signals;
	int code; /* of the instance, STAY: it runs */
} a;

/* Faults of this process are its own; SIGPIPE and SIGURG are noise. */
static uint64_t forwarded(void)
{
	static const unsigned char own[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL,
					     SIGFPE,  SIGABRT, SIGTRAP, SIGSYS, SIGPIPE,
					     SIGURG,  SIGCHLD, SIGTTIN, SIGTTOU };
	uint64_t mask = ~0ull;

	for (unsigned i = 0; i < sizeof(own); i++)
		mask &= ~(1ull << (own[i] - 1));
	return mask;
}

/* Of the first descriptor that is a terminal; @more rows and columns. */
static void send_size(unsigned more)
{
	struct mon_resize r = { .kind = MON_RESIZE };
	struct winsize size = { 0 };

	for (int fd = 0; fd <= 2 && sys_ioctl(fd, TIOCGWINSZ, &size) < 0; fd++)
		;
	if (size.ws_row == 0 || size.ws_col == 0)
		return;
	r.rows = (uint16_t) (size.ws_row + more);
	r.columns = (uint16_t) (size.ws_col + more);
	(void) sys_send(SOCK, &r, sizeof(r)); /* the end of the connection is seen elsewhere */
}

/* Return: status to end with, STAY. */
static int take_signal(void)
{
	struct mon_signal s = { .kind = MON_SIGNAL, .number = sys_next_signal(a.signals) };

	if (s.number <= 0)
		return STAY;
	if (s.number == SIGWINCH && a.terminal)
		send_size(0);
	else if (a.proxy)
		(void) sys_send(SOCK, &s, sizeof(s)); /* as above */
	else
		return 128 + s.number;
	return STAY;
}

/* Return: status to end with, STAY. */
static int take_input(void)
{
	static char data[INPUT_MAX], record[1 + INPUT_MAX + KEYS_MAX];
	long n = sys_read(0, data, sizeof(data));
	size_t len;
	bool leave;

	if (n == -EINTR || n == -EAGAIN)
		return STAY;
	if (n <= 0) {
		record[0] = MON_EOF;
		(void) sys_send(SOCK, record, 1); /* as above */
		a.input = false;
		return STAY;
	}
	leave = keys_filter(&a.keys, data, (size_t) n, record + 1, &len);
	record[0] = MON_STDIN;
	if (len > 0 && sys_send(SOCK, record, len + 1) >= 0)
		a.may_send = false;
	return leave ? 0 : STAY;
}

/* Return: false at the end of the connection. */
static bool take_record(void)
{
	static char record[1 + MON_DATA_MAX];
	long n = sys_recv(SOCK, record, sizeof(record), NULL);

	if (n == -EINTR || n == -ECONNRESET) /* told once when it ended before it read all: its records follow */
		return true;
	if (n <= 0)
		return false;
	if ((record[0] == MON_STDOUT && a.show_out) || (record[0] == MON_STDERR && a.show_err))
		(void) sys_write_all(record[0] == MON_STDOUT ? 1 : 2, record + 1,
				     (size_t) n - 1); /* the log has it */
	else if (record[0] == MON_TAKEN)
		a.may_send = true;
	else if (record[0] == MON_EXIT && n == (long) sizeof(struct mon_exit))
		a.code = ((const struct mon_exit *) (const void *) record)->code;
	return true;
}

/* Return: exit status; STAY: the connection was lost. */
static int loop(void)
{
	int r = STAY;

	while (r == STAY) {
		struct pollfd p[] = {
			{ .fd = SOCK, .events = POLLIN },
			{ .fd = a.signals, .events = POLLIN },
			{ .fd = a.input && a.may_send ? 0 : -1, .events = POLLIN },
		};

		if (sys_poll(p, 3, -1) < 0)
			continue; /* EINTR */
		if (p[0].revents != 0 && !take_record())
			return a.code;
		if (p[1].revents != 0)
			r = take_signal();
		if (p[2].revents != 0 && r == STAY)
			r = take_input();
	}
	return r;
}

/* As cfmakeraw(3). */
static bool make_raw(struct termios *old)
{
	struct termios t;

	if (sys_ioctl(0, TCGETS, old) < 0)
		return false;
	t = *old;
	t.c_iflag &= ~(tcflag_t) (IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_oflag &= ~(tcflag_t) OPOST;
	t.c_lflag &= ~(tcflag_t) (ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag &= ~(tcflag_t) (CSIZE | PARENB);
	t.c_cflag |= CS8;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	return sys_ioctl(0, TCSETS, &t) >= 0;
}

static void read_flags(const char *flags)
{
	for (; *flags != '\0'; flags++) {
		a.terminal = a.terminal || *flags == 't';
		a.input = a.input || *flags == 'i';
		a.show_out = a.show_out || *flags == 'o';
		a.show_err = a.show_err || *flags == 'e';
		a.proxy = a.proxy || *flags == 's';
		a.repaint = a.repaint || *flags == 'r';
	}
	a.proxy = a.proxy && !a.terminal;
	a.may_send = true;
	a.code = STAY;
}

static void take_signals(void)
{
	static const uint64_t ends = SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) |
				     SIGNAL_BIT(SIGTERM);
	uint64_t wanted = a.proxy      ? forwarded()
			  : a.terminal ? ends | SIGNAL_BIT(SIGWINCH)
				       : 0;

	a.signals = (int) sys_signals(wanted, wanted);
	(void) sys_signals_only(wanted); /* others were blocked by who started us */
}

static void start_terminal(void)
{
	static const char replay = MON_REPLAY;

	if (a.repaint) {
		(void) sys_send(SOCK, &replay, 1); /* the end of the connection is seen elsewhere */
		send_size(1); /* a program repaints when the size changes */
	}
	send_size(0);
}

int attach_run(int argc, char **argv)
{
	static const char lost[] =
		"cleave: the connection to the instance is lost: its monitor died, or this command took"
		" no output for 10 s; see 'cleave ps -a'\n";
	struct termios old;
	bool raw = false;
	int code;

	read_flags(argv[0]);
	if (!keys_open(&a.keys, argc > 1 && a.terminal ? argv[1] : ""))
		return 125;
	take_signals();
	if (a.terminal) {
		start_terminal();
		raw = a.input && make_raw(&old);
	}
	code = loop();
	if (raw)
		(void) sys_ioctl(0, TCSETS, &old); /* the terminal is gone */
	if (code != STAY)
		return code;
	(void) sys_write_all(2, lost, sizeof(lost) - 1); /* nobody else to tell */
	return 125;
}
