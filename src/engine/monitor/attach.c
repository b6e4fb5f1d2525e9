/* SPDX-License-Identifier: MIT */
/**
 * DOC: the foreground of an instance
 *
 * What is left of `cleave run` once the instance runs.  It may be killed without harm: the monitor
 * and the instance go on.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "engine/monitor/monitor.h"
#include "engine/monitor/protocol.h"
#include "engine/monitor/sys.h"

#define SOCK MON_FD_STARTER

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

static void send_size(void)
{
	struct mon_resize r = { .kind = MON_RESIZE };
	struct winsize size;

	if (sys_ioctl(0, TIOCGWINSZ, &size) < 0)
		return;
	r.rows = size.ws_row;
	r.columns = size.ws_col;
	(void) sys_send(SOCK, &r, sizeof(r)); /* the end of the connection is seen elsewhere */
}

static void forward_signal(int signals, bool terminal)
{
	struct mon_signal s = { .kind = MON_SIGNAL, .number = sys_next_signal(signals) };

	if (s.number == SIGWINCH && terminal)
		send_size();
	else if (s.number > 0)
		(void) sys_send(SOCK, &s, sizeof(s)); /* as above */
}

/* Return: false when there is nothing more to read. */
static bool forward_input(void)
{
	char record[1 + MON_DATA_MAX] = { MON_STDIN };
	long n = sys_read(0, record + 1, MON_DATA_MAX);

	if (n == -EINTR || n == -EAGAIN)
		return true;
	if (n <= 0) {
		record[0] = MON_EOF;
		(void) sys_send(SOCK, record, 1); /* as above */
		return false;
	}
	return sys_send(SOCK, record, (size_t) n + 1) >= 0;
}

/* Return: false at the end of the connection. */
static bool take_record(int *code)
{
	char record[1 + MON_DATA_MAX];
	long n = sys_recv(SOCK, record, sizeof(record), NULL);

	if (n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	if (record[0] == MON_STDOUT || record[0] == MON_STDERR)
		(void) sys_write_all(record[0] == MON_STDOUT ? 1 : 2, record + 1,
				     (size_t) n - 1); /* the log has it */
	else if (record[0] == MON_EXIT && n == (long) sizeof(struct mon_exit))
		*code = ((const struct mon_exit *) (const void *) record)->code;
	return true;
}

static int loop(int signals, bool terminal, bool input)
{
	int code = -1;
	struct pollfd p[] = {
		{ .fd = SOCK, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = input ? 0 : -1, .events = POLLIN },
	};

	for (;;) {
		if (sys_poll(p, 3, -1) < 0)
			continue; /* EINTR */
		if (p[0].revents != 0 && !take_record(&code))
			return code;
		if (p[1].revents != 0)
			forward_signal(signals, terminal);
		if (p[2].fd >= 0 && p[2].revents != 0 && !forward_input())
			p[2].fd = -1;
	}
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

int attach_run(int argc, char **argv)
{
	static const char lost[] =
		"cleave: the monitor of the instance has died: see 'cleave ps -a'\n";
	bool terminal = false, input = false, raw = false;
	struct termios old;
	int signals, code;

	(void) argc;
	for (const char *flag = argv[0]; *flag != '\0'; flag++) {
		terminal = terminal || *flag == 't';
		input = input || *flag == 'i';
	}
	signals = (int) sys_signals(forwarded(), forwarded());
	if (terminal) {
		send_size();
		raw = input && make_raw(&old);
	}
	code = loop(signals, terminal, input);
	if (raw)
		(void) sys_ioctl(0, TCSETS, &old); /* the terminal is gone */
	if (code >= 0)
		return code;
	(void) sys_write_all(2, lost, sizeof(lost) - 1); /* nobody else to tell */
	return 125;
}
