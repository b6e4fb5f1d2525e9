/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/arena.h"
#include "engine/config.h"
#include "engine/instance.h"
#include "engine/rootfs.h"

struct cli;

/** struct instance_files - an instance and its files, for the verbs that work on them */
struct instance_files {
	struct engine *e;
	struct arena arena;
	struct eng_instance i;
	struct eng_config config;
	struct eng_rootfs fs;
};

#define INSTANCE_FILES_NONE { .fs = ENG_ROOTFS_NONE }

/** instance_files_open() - find an instance and reach its files; 0 or -errno with a message */
int instance_files_open(struct cli *cli, const char *name, unsigned flags,
			struct instance_files *ret, struct err *err);

/** instance_files_fini() - release */
void instance_files_fini(struct instance_files *f);
