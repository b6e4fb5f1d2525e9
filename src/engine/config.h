/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "image/config.h"

struct err;
struct str;

/** struct eng_mount - a host directory or file inside an instance */
struct eng_mount {
	const char *source, *destination; /* absolute */
	bool read_only;
	bool recursive_off; /* "bind" instead of "rbind" */
	const char *propagation; /* "rprivate", "rshared", ...; NULL: rprivate */
};

/**
 * struct eng_config - what an instance is asked to be
 * Complete: with the layers of its image it can be made again from this.
 * @image: as typed; @image_id: what it was
 * @chain: chain ids of the layers, lowest first, separated by spaces
 * @args: the command with its entry point
 * @user: "" for the image's default, already resolved to the image's own
 * @memory, @nano_cpus: 0 = no limit
 * @pids_limit: 0 or less = no limit
 * @log_driver: "json-file", "journald", "none"; NULL: json-file
 * @log_opts: of the driver, "name=value"
 */
struct eng_config {
	struct arena arena;
	const char *image, *image_id, *chain;
	struct img_words args, env;
	const char *workdir, *user, *hostname;
	bool tty, open_stdin, read_only, auto_remove;
	struct eng_mount *mounts;
	size_t nr_mounts;
	uint64_t memory, nano_cpus;
	int64_t pids_limit;
	const char *log_driver;
	struct img_words log_opts;
};

/** eng_config_json() - append it as one JSON object, the text of instances/<id>/config.json */
void eng_config_json(const struct eng_config *c, struct str *ret);

/** eng_config_fini() - release */
void eng_config_fini(struct eng_config *c);

/** eng_words_add() - append to a list; 0 or -ENOMEM */
int eng_words_add(struct arena *a, struct img_words *list, const char *word);

/** eng_env_set() - append "NAME=value", or replace the entry with this name; 0 or -ENOMEM */
int eng_env_set(struct arena *a, struct img_words *env, const char *entry);

/**
 * eng_size_parse() - "512m", "1g", "4096"; b k m g t, also kb, mib and the like
 * Return: 0; -EINVAL; -ERANGE.
 */
int eng_size_parse(const char *text, uint64_t *ret);

/** eng_cpus_parse() - "1.5" to 1500000000; 0; -EINVAL; -ERANGE */
int eng_cpus_parse(const char *text, uint64_t *ret);

/**
 * eng_mount_parse() - SOURCE:DESTINATION[:OPTIONS] as of -v
 * @a: owns the strings of @ret
 * A relative SOURCE that begins with "." is taken below the working directory.
 * Return: 0; -EINVAL with a message.
 */
int eng_mount_parse(struct arena *a, const char *text, struct eng_mount *ret, struct err *err);
