/* SPDX-License-Identifier: MIT */
/*
 * The verbs that talk to registries.  Their words are read by `cleave` and by the program `cleave-registry`, which
 * `cleave` becomes to do the work: it is linked with libcurl, and so not static.  Each function is there
 * twice: in become.c for the one, in a file of its own for the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"

struct cli;
struct err;

/** struct reach_opts - how registries are reached */
struct reach_opts {
	bool no_verify;
	const char *authfile, *cert_dir, *creds;
};

/** struct pull_opts - options of `pull`; @nothing: of those that change nothing */
struct pull_opts {
	struct reach_opts reach;
	bool all_tags, quiet, nothing;
	const char *platform, *os, *arch, *variant, *signature_policy;
};

/** struct push_opts - options of `push`; @nothing: of those that change nothing */
struct push_opts {
	struct reach_opts reach;
	bool all_tags, quiet, nothing;
	const char *digestfile, *sign_by, *sign_key, *sign_password_file;
};

/** struct login_opts - options of `login` */
struct login_opts {
	struct reach_opts reach;
	bool password_stdin;
	const char *user, *password;
};

/** struct search_opts - options of `search` */
struct search_opts {
	struct reach_opts reach;
	bool no_trunc;
	uint64_t limit;
	const char *format;
	struct opt_strings filter;
};

/** struct registry_rm_opts - options of `registry rm` */
struct registry_rm_opts {
	struct reach_opts reach;
	bool force;
};

/** struct registry_referrers_opts - options of `registry referrers` */
struct registry_referrers_opts {
	struct reach_opts reach;
	const char *format, *type;
};

/** registry_pull() - `pull`: exit status; -errno with a message */
int registry_pull(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_push() - `push`: exit status; -errno with a message */
int registry_push(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_login() - `login`: exit status; -errno with a message */
int registry_login(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_logout() - `logout`: exit status; -errno with a message */
int registry_logout(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_search() - `search`: exit status; -errno with a message */
int registry_search(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_rm() - `registry rm`: exit status; -errno with a message */
int registry_rm(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_tags() - `registry tags`: exit status; -errno with a message */
int registry_tags(struct cli *cli, void *opts, int argc, char **argv, struct err *err);

/** registry_referrers() - `registry referrers`: exit status; -errno with a message */
int registry_referrers(struct cli *cli, void *opts, int argc, char **argv, struct err *err);
