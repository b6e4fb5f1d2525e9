/* SPDX-License-Identifier: MIT */
/*
 * What `create` and `run` are asked for alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oci_cli;
struct oci_create_opts;

/** struct create_options - what both know, and after it what only one of them has */
struct create_options {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file;
	bool no_pivot, no_new_keyring, no_subreaper;
	uint64_t preserve_fds;
	bool detach, keep;
};

#define CREATE_FIELD(name) offsetof(struct create_options, name)

/* Rows of both tables */
#define CREATE_OPTIONS \
	{ "bundle", 'b', OPT_STRING, CREATE_FIELD(bundle), "DIR", "bundle (default: current directory)" }, \
	{ "config", 'f', OPT_STRING, CREATE_FIELD(config), "FILE", \
	  "configuration, relative to the bundle (default: config.json)" }, \
	{ "console-socket", 0, OPT_STRING, CREATE_FIELD(console_socket), "PATH", \
	  "unix socket that receives the terminal" }, \
	{ "pidfd-socket", 0, OPT_STRING, CREATE_FIELD(pidfd_socket), "PATH", \
	  "unix socket that receives a pidfd of the process" }, \
	{ "pid-file", 0, OPT_STRING, CREATE_FIELD(pid_file), "FILE", "write the pid there" }, \
	{ "no-pivot", 0, OPT_BOOL, CREATE_FIELD(no_pivot), NULL, "do not use pivot_root" }, \
	{ "no-new-keyring", 0, OPT_BOOL, CREATE_FIELD(no_new_keyring), NULL, \
	  "keep the caller's session keyring" }, \
	{ "preserve-fds", 0, OPT_U64, CREATE_FIELD(preserve_fds), "N", "pass on N descriptors from 3 on" }

/** create_options_read() - what to create: @ret borrows from all; the caller adds how it is to run */
void create_options_read(const struct create_options *o, const struct oci_cli *cli, const char *id,
			 struct oci_create_opts *ret);
