/* SPDX-License-Identifier: MIT */
#include "cli/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/opt.h"
#include "cli/cli.h"
#include "cli/detach_keys.h"
#include "engine/monitor/protocol.h"

int cli_client_check(const struct cli_client *c, struct err *err)
{
	char hex[CLI_KEYS_HEX_MAX];

	if (c->tty && c->input && !isatty(STDIN_FILENO))
		return err_msg(err, -ENOTTY, "the input device is not a terminal: leave out -t");
	return cli_detach_keys(c->detach_keys, hex, err);
}

int cli_client_streams(struct cli_client *c, const struct opt_strings *attach, struct err *err)
{
	bool in = false, out = false, error = false;

	if (attach->n == 0) {
		c->show_out = c->show_err = true;
		return 0;
	}
	for (size_t i = 0; i < attach->n; i++) {
		const char *name = attach->v[i];

		if (strcasecmp(name, "stdin") == 0)
			in = true;
		else if (strcasecmp(name, "stdout") == 0)
			out = true;
		else if (strcasecmp(name, "stderr") == 0)
			error = true;
		else
			return err_msg(
				err, -EINVAL,
				"--attach '%s': valid streams are stdin, stdout and stderr", name);
	}
	c->input = c->input && in;
	c->show_out = out;
	c->show_err = error;
	return 0;
}

int cli_client_become(const struct cli *cli, const struct cli_client *c, int sock,
		      struct err *err)
{
	char flags[8], keys[CLI_KEYS_HEX_MAX];
	char *const argv[] = { "cleave", "a", flags, keys, NULL };
	int r = cli_detach_keys(c->detach_keys, keys, err);

	if (r < 0)
		return r;
	(void) snprintf(flags, sizeof(flags), "-%s%s%s%s%s%s", c->tty ? "t" : "",
			c->input ? "i" : "", c->show_out ? "o" : "", c->show_err ? "e" : "",
			c->sig_proxy ? "s" : "", c->repaint ? "r" : "");
	if (sock == MON_FD_STARTER ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, MON_FD_STARTER) < 0)
		return err_set(err, -errno, "attach to the instance");
	(void) execv(cli->monitor, argv);
	return err_set(err, -errno, "execute '%s'", cli->monitor);
}
