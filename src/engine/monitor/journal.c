/* SPDX-License-Identifier: MIT */
/**
 * DOC: the log in the systemd journal
 *
 * One datagram per entry to the journal's socket, fields as Docker's journald driver sends them.  The
 * socket is looked up every time, because a journal that was started anew has another one.
 * Spec: systemd, "Native Journal Protocol".
 */
#include "engine/monitor/journal.h"

#include <sys/uio.h>

#include "engine/monitor/protocol.h"
#include "bare/sys.h"

#define SOCKET "/run/systemd/journal/socket"

static const char *own_fields;

void journal_open(const char *fields)
{
	own_fields = fields;
}

void journal_add(const char *text, size_t n, bool error, bool partial)
{
	static const char info[] = "PRIORITY=6\n", bad[] = "PRIORITY=3\n",
			  more[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
	struct iovec parts[] = {
		{ (void *) own_fields, text_len(own_fields) },
		{ (void *) (error ? bad : info), sizeof(info) - 1 },
		{ (void *) more, partial ? sizeof(more) - 1 : 0 },
		{ (void *) "MESSAGE=", 8 },
		{ (void *) text, n },
		{ (void *) "\n", 1 },
	};

	/* without a journal the entry is lost */
	(void) sys_send_to(MON_FD_LOG, SOCKET, parts, sizeof(parts) / sizeof(parts[0]));
}
