/* SPDX-License-Identifier: MIT */
#include "oci/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "sys/msg.h"

int oci_pidfile_write(const char *path, pid_t pid, struct err *err)
{
	char dir[PATH_MAX], name[PATH_MAX], text[16];
	int n = snprintf(text, sizeof(text), "%d", (int) pid), r;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int) sizeof(dir))
		return err_set(err, -ENAMETOOLONG, "write pid file '%.64s...'", path);
	(void) memcpy(name, dir, strlen(dir) + 1);
	_cleanup_close_ int fd = open(dirname(dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "write pid file '%s'", path);
	r = file_replace(fd, basename(name), text, (size_t) n, 0644);
	return r < 0 ? err_set(err, r, "write pid file '%s'", path) : 0;
}

int oci_pidfd_send(const char *path, int pidfd, struct err *err)
{
	_cleanup_close_ int sock = msg_connect(path);
	int r = sock < 0 ? sock : msg_send(sock, "pidfd", 5, &pidfd, 1);

	return r < 0 ? err_set(err, r, "send the pidfd to '%s'", path) : 0;
}
