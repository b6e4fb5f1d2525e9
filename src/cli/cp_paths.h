/* SPDX-License-Identifier: MIT */
/*
 * The two operands of `cp`, and Docker's rules about what is copied where.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "cli/instance_files.h"
#include "engine/files.h"

struct cli;
struct err;

/**
 * struct cp_side - SRC or DEST
 * @typed: the operand
 * @instance: its name, NULL for a path of this machine
 * @path: absolute
 * @stream: it is "-"
 * @root: what @path is looked up in
 * @files: of an instance
 * @inside: those of the other side, which is in the same instance
 * @file: what the path leads to
 */
struct cp_side {
	const char *typed;
	char *instance;
	char path[PATH_MAX];
	bool stream;
	int root;
	struct instance_files files;
	const struct instance_files *inside;
	struct eng_file file;
};

#define CP_SIDE_NONE { .root = -EBADF, .files = INSTANCE_FILES_NONE, .file = ENG_FILE_NONE }

/**
 * struct cp_target - where the files go
 * @dir: a directory that exists, in the root of the destination
 * @as: name of what is copied there; "." to put the content of a directory into it
 */
struct cp_target {
	char dir[PATH_MAX];
	char as[NAME_MAX + 1];
};

/** cp_side_parse() - INSTANCE:PATH, PATH or "-"; 0 or -errno with a message */
int cp_side_parse(const char *typed, struct cp_side *ret, struct err *err);

/** cp_side_open() - reach the files; 0 or -errno with a message */
int cp_side_open(struct cli *cli, struct cp_side *side, struct err *err);

/** cp_side_share() - @dest is in the same instance as @src, which lives longer; as cp_side_open() */
int cp_side_share(const struct cp_side *src, struct cp_side *dest, struct err *err);

/** cp_source() - find what is copied; @follow: a link's target; 0 or -errno with a message */
int cp_source(struct cp_side *src, bool follow, struct err *err);

/** cp_name() - what the copy of a path is called, "." for "dir/." */
void cp_name(const char *path, char ret[NAME_MAX + 1]);

/**
 * cp_target() - where @src is to be put
 * Return: 0; -ENOENT, -ENOTDIR, -EEXIST, -ELOOP a directory into itself; with a message.
 */
int cp_target(const struct cp_side *src, struct cp_side *dest, struct cp_target *ret,
	      struct err *err);

/** cp_side_fini() - release */
void cp_side_fini(struct cp_side *side);
