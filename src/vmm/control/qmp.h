/* SPDX-License-Identifier: MIT */
/*
 * The control socket: QEMU's machine protocol, so that its clients work.
 */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/registry.h"

struct err;
struct machine;
struct qmp;
struct str;

#define QMP_REQUEST_MAX 65536 /* bytes of one request */
#define QMP_CLIENTS_MAX 4
#define QMP_BACKLOG_MAX (1u << 20) /* bytes that a client has not read; then it is dropped */

/**
 * struct qmp_command - a command; a file adds it to the set
 * @name: as on the wire
 * @run: @args is the object of that name or NULL; a value is appended to @ret, nothing is an empty object.
 *       -errno with a message.  With the machine's lock held
 */
struct qmp_command {
	const char *name;
	int (*run)(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err);
};

REGISTRY_DECLARE(qmp_commands, struct qmp_command);

#define QMP_COMMAND(ident, wire, function)                                                        \
	static const struct qmp_command ident = { .name = wire, .run = function };                \
	REGISTRY_ADD(qmp_commands, ident)

/**
 * qmp_new() - listen, and answer on the machine's event loop
 * @path: of the socket, which must not be there yet; borrowed
 * Return: 0; -EADDRINUSE; -errno, with a message.
 */
int qmp_new(struct machine *m, const char *path, struct qmp **ret, struct err *err);

/** qmp_free() - hang up, remove the socket; NULL is fine.  Before machine_free() */
void qmp_free(struct qmp *q);
