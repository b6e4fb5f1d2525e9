/* SPDX-License-Identifier: MIT */
#include "engine/vm/control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/engine.h"
#include "sys/msg.h"

#define ANSWER_S 30
#define LINE_MAX_BYTES 4096
#define EVENTS_MAX 1000 /* between a command and its answer */

static int read_line(int sock, char line[LINE_MAX_BYTES], struct err *err)
{
	for (size_t n = 0; n < LINE_MAX_BYTES; n++) {
		ssize_t k = recv(sock, line + n, 1, 0);

		if (k <= 0)
			return err_set(err, k == 0 ? -ECONNRESET : -errno, "read what the virtual machine answers");
		if (line[n] == '\n') {
			line[n] = '\0';
			return (int) n;
		}
	}
	return err_msg(err, -EPROTO, "the virtual machine answers with more than %d bytes", LINE_MAX_BYTES);
}

/* Return: 1 it is no answer, but an event. */
static int read_answer(const char *line, size_t n, struct err *err)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	const struct json *error;
	const char *text;
	struct json_in in;
	int r = json_parse(&in, "answer", &strings, line, n, err);

	if (r == 0 && !json_to_object(&in, in.root))
		r = in.code;
	if (r == 0 && json_get(&in, in.root, "return") == NULL) {
		error = json_get_object(&in, in.root, "error");
		text = error != NULL ? json_get_str(&in, error, "desc") : NULL;
		r = error != NULL ? err_msg(err, -EIO, "the virtual machine: %s", text != NULL ? text : "it failed") : 1;
	}
	json_fini(&in);
	return r;
}

int vm_control_run(int sock, const char *json, int fd, struct err *err)
{
	char line[LINE_MAX_BYTES];
	int r = msg_send(sock, json, strlen(json), &fd, fd >= 0);

	if (r < 0)
		return err_set(err, r, "send a command to the virtual machine");
	for (int i = 0; i < EVENTS_MAX; i++) {
		r = read_line(sock, line, err);
		if (r >= 0)
			r = read_answer(line, (size_t) r, err);
		if (r <= 0)
			return r;
	}
	return err_msg(err, -EPROTO, "the virtual machine does not answer");
}

int vm_control_open(const struct engine *e, const char *id, struct err *err)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	char path[PATH_MAX], greeting[LINE_MAX_BYTES];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s/" VM_CONTROL, e->runroot, id) >= (int) sizeof(path))
		return err_set(err, -ENAMETOOLONG, "connect to the virtual machine");
	_cleanup_close_ int sock = msg_connect(path);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return err_set(err, sock < 0 ? sock : -errno, "connect to the virtual machine");
	r = read_line(sock, greeting, err);
	if (r >= 0)
		r = vm_control_run(sock, "{\"execute\":\"qmp_capabilities\"}", -EBADF, err);
	return r < 0 ? r : take_fd(sock);
}
