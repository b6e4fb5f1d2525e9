/* SPDX-License-Identifier: MIT */
#include "engine/event.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "engine/engine.h"

#define FILE_MAX (1 << 20) /* bytes; then a new one is begun */

static void format(const char *type, const char *action, const char *id,
		   const char *const *attributes, struct str *ret)
{
	int64_t now = time_now_ns();

	str_puts(ret, "{\"Type\":");
	str_json(ret, type);
	str_puts(ret, ",\"Action\":");
	str_json(ret, action);
	str_puts(ret, ",\"Actor\":{\"ID\":");
	str_json(ret, id);
	str_puts(ret, ",\"Attributes\":{");
	for (const char *separator = ""; *attributes != NULL; attributes += 2) {
		if (attributes[1] == NULL)
			continue;
		str_puts(ret, separator);
		str_json(ret, attributes[0]);
		str_puts(ret, ":");
		str_json(ret, attributes[1]);
		separator = ",";
	}
	str_printf(ret, "}},\"scope\":\"local\",\"time\":%lld,\"timeNano\":%lld}\n",
		   (long long) (now / 1000000000), (long long) now);
}

/* One write of a line is whole: the file is open for appending.  Who finds it full moves it away. */
void eng_event(struct engine *e, const char *type, const char *action, const char *id,
	       const char *const *attributes)
{
	_cleanup_(str_fini) struct str line = { 0 };
	struct stat st, now;

	format(type, action, id, attributes, &line);
	_cleanup_close_ int fd = openat(e->root_fd, ENG_EVENTS,
					O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (line.failed || fd < 0 || write(fd, line.p, line.len) != (ssize_t) line.len)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > FILE_MAX && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstatat(e->root_fd, ENG_EVENTS, &now, 0) == 0 && now.st_ino == st.st_ino)
		(void) renameat(e->root_fd, ENG_EVENTS, e->root_fd, ENG_EVENTS_OLD); /* next time */
}
