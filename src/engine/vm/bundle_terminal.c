/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "engine/vm/bundle_parts.h"
#include "sys/msg.h"

#define MASTER_NAME "/dev/ptmx" /* sent along with the master, as runc does */

int vm_bundle_use_terminal(int terminal, struct err *err)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(terminal, fd) < 0)
			return err_set(err, -errno, "connect to the terminal");
	return 0;
}

int vm_bundle_send_terminal(int sock, int master, struct err *err)
{
	int r = msg_send(sock, MASTER_NAME, strlen(MASTER_NAME), &master, 1);

	return r < 0 ? err_set(err, r, "send the terminal to the console socket") : 0;
}
