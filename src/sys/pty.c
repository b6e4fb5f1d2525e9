/* SPDX-License-Identifier: MIT */
#include "sys/pty.h"

#include <errno.h>
#include <sys/ioctl.h>

int pty_resize(int fd, uint16_t rows, uint16_t columns)
{
	struct winsize ws = { .ws_row = rows, .ws_col = columns };

	return ioctl(fd, TIOCSWINSZ, &ws) < 0 ? -errno : 0;
}

int pty_copy_size(int from, int to)
{
	struct winsize ws;

	if (ioctl(from, TIOCGWINSZ, &ws) < 0 || ioctl(to, TIOCSWINSZ, &ws) < 0)
		return -errno;
	return 0;
}

int pty_raw(int fd, struct termios *ret_old)
{
	struct termios t;

	if (tcgetattr(fd, ret_old) < 0)
		return -errno;
	t = *ret_old;
	cfmakeraw(&t);
	t.c_oflag |= OPOST; /* line ends are completed here, see pty_plain_newline() */
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int pty_plain_newline(int master)
{
	struct termios t;

	if (tcgetattr(master, &t) < 0)
		return -errno;
	t.c_oflag &= ~(tcflag_t) ONLCR;
	return tcsetattr(master, TCSANOW, &t) < 0 ? -errno : 0;
}

void pty_restore(int fd, const struct termios *old)
{
	(void) tcsetattr(fd, TCSANOW, old); /* the terminal may be gone */
}
