/* SPDX-License-Identifier: MIT */
#include "cli/instance_text.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "engine/instance.h"

#define COMMAND_WIDTH 20 /* characters, with the quotes beside */

void instance_status(const struct eng_instance *i, char ret[INSTANCE_STATUS_MAX])
{
	const size_t size = INSTANCE_STATUS_MAX;
	char span[TIME_TEXT_MAX];
	int64_t now = time_now_ns();

	if (i->state == ENG_STATE_RUNNING) {
		time_span(now - (i->started != 0 ? i->started : i->created), span);
		if (i->paused)
			(void) snprintf(ret, size, "Up %s (Paused)", span);
		else if (i->health[0] != '\0')
			(void) snprintf(ret, size, "Up %s (%s%s)", span,
					strcmp(i->health, "starting") == 0 ? "health: " : "",
					i->health);
		else
			(void) snprintf(ret, size, "Up %s", span);
	} else if (i->state == ENG_STATE_RESTARTING) {
		time_span(now - i->finished, span);
		(void) snprintf(ret, size, "Restarting (%d) %s ago", i->exit_code, span);
	} else if (i->state == ENG_STATE_EXITED) {
		time_span(now - i->finished, span);
		(void) snprintf(ret, size, "Exited (%d) %s ago", i->exit_code, span);
	} else
		(void) snprintf(ret, size, "Created");
}

void instance_command(const struct eng_instance *i, bool no_trunc, struct str *ret)
{
	size_t n = strlen(i->command);

	if (no_trunc || n <= COMMAND_WIDTH) {
		str_printf(ret, "\"%s\"", i->command);
		return;
	}
	n = COMMAND_WIDTH - 1;
	while (n > 0 && (i->command[n] & 0xc0) == 0x80) /* not inside a UTF-8 sequence */
		n--;
	str_printf(ret, "\"%.*s\u2026\"", (int) n, i->command);
}
