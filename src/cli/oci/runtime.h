/* SPDX-License-Identifier: MIT */
/*
 * What the verbs make containers of: decided when a program is linked, by one of runtime_*.c.
 */
#pragma once

#include <stdbool.h>

struct err;
struct oci_container;
struct oci_create_opts;
struct oci_created;
struct oci_exec_opts;
struct oci_executed;
struct oci_resources;

/**
 * struct oci_runtime - a kind of isolation
 * @name: of the program, and of the directory of its state
 * @seal: what is made could reach this program: verbs that want it run from a protected copy
 * @apart: its processes are not the host's: the ps of the image shows them
 * @create: as oci_create(); @exec: as oci_exec()
 * @update: take what is not the host's to limit out of what a running container is to have, or refuse it; NULL: nothing
 */
struct oci_runtime {
	const char *name;
	bool seal, apart;
	int (*create)(const struct oci_create_opts *opts, struct oci_created *ret, struct err *err);
	int (*exec)(struct oci_container *c, const struct oci_exec_opts *opts, struct oci_executed *ret,
		    struct err *err);
	int (*update)(const struct oci_container *c, struct oci_resources *res, struct err *err);
};

extern const struct oci_runtime oci_runtime;
