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

/**
 * struct qmp_call - a command that a client gave
 * @name: as on the wire
 * @in: to read @args with; it has failed (in->code) when an argument is of the wrong kind
 * @args: object with its arguments; NULL without any, which reads as one that is empty
 * @passed: descriptor that came with it or before, -1 for none; who takes it puts -1 there
 * @ret: a value is appended to it; nothing is an empty object
 * @class: of a failure, as QEMU calls it: "GenericError" unless somebody says otherwise
 * @err: message of a failure
 */
struct qmp_call {
	struct machine *m;
	const char *name;
	struct json_in *in;
	const struct json *args;
	int *passed;
	struct str *ret;
	const char **class;
	struct err *err;
};

/**
 * struct qmp_command - a command; a file adds it to the set
 * @name: as on the wire
 * @args: names of its arguments, with blanks between them and '*' before those that may be missing; others are refused
 * @run: 0 or -errno with a message.  With the machine's lock held.  It changes nothing before it has read all arguments
 *       and none was of the wrong kind
 */
struct qmp_command {
	const char *name, *args;
	int (*run)(const struct qmp_call *c);
};

REGISTRY_DECLARE(qmp_commands, struct qmp_command);

#define QMP_COMMAND(ident, wire, words, function)                                                 \
	static const struct qmp_command ident = { .name = wire, .args = words, .run = function }; \
	REGISTRY_ADD(qmp_commands, ident)

/**
 * qmp_need() - an argument that must be a text
 * Return: 0; -EINVAL with a message: it is missing, or something else.
 */
int qmp_need(const struct qmp_call *c, const char *key, const char **ret);

/**
 * qmp_only() - an object has no other members than these
 * @words: their names, as in qmp_command.args
 * Return: 0; -EINVAL with a message that names another.
 */
int qmp_only(const struct json *object, const char *words, struct err *err);

/** qmp_no_device() - fail because there is no device of that name; -ENODEV with the message and class of QEMU */
int qmp_no_device(const struct qmp_call *c, const char *id);

/** qmp_read() - every argument that was read was of the right kind: 0; -EINVAL, whose message the client is told */
int qmp_read(const struct qmp_call *c);

/**
 * qmp_new() - answer on the machine's event loop
 * @listener: listening socket; taken, also after a failure
 * @path: where it is; borrowed
 * Return: 0; -errno with a message.
 */
int qmp_new(struct machine *m, int listener, const char *path, struct qmp **ret, struct err *err);

/** qmp_free() - hang up, remove the socket; NULL is fine.  Before machine_free() */
void qmp_free(struct qmp *q);
