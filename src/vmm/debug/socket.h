/* SPDX-License-Identifier: MIT */
/*
 * The socket at which a debugger gets at the machine.
 */
#pragma once

struct err;
struct gdb_socket;
struct machine;

/**
 * gdb_socket_listen() - make the socket
 * @where: "tcp:ADDRESS:PORT" or "unix:PATH"
 * @ret_path: of a unix socket, part of @where; else NULL
 * Return: listening descriptor; -EINVAL, -errno with a message.
 */
int gdb_socket_listen(const char *where, const char **ret_path, struct err *err);

/**
 * gdb_socket_new() - answer on the machine's event loop; the machine stops when a debugger connects
 * @listener: listening socket; taken, also after a failure
 * Return: 0; -errno with a message.
 */
int gdb_socket_new(struct machine *m, int listener, struct gdb_socket **ret, struct err *err);

/** gdb_socket_free() - tell the debugger that the machine has ended, hang up; NULL is fine.  Before machine_free() */
void gdb_socket_free(struct gdb_socket *s);
