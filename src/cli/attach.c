/* SPDX-License-Identifier: MIT */
#include "cli/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "engine/config.h"
#include "engine/monitor/protocol.h"

int cli_attach(const struct cli *cli, const struct eng_config *config, int sock, struct err *err)
{
	char *const argv[] = { "cleave", "a",
			       config->tty           ? config->open_stdin ? "-ti" : "-t"
			       : config->open_stdin ? "-i"
						    : "-",
			       NULL };

	if (sock == MON_FD_STARTER ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, MON_FD_STARTER) < 0)
		return err_set(err, -errno, "attach to the instance");
	(void) execv(cli->monitor, argv);
	return err_set(err, -errno, "execute '%s'", cli->monitor);
}
