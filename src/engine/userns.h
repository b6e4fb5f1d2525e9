/* SPDX-License-Identifier: MIT */
/*
 * User namespaces of instances: each gets a range of the host's ids that no other instance has.
 *
 * Table "userns" says who has which; a row counts as struct eng_volume's uses do.
 */
#pragma once

#include <stdint.h>

struct eng_config;
struct engine;
struct err;

#define ENG_USERNS_SCHEMA                                                                          \
	"CREATE TABLE userns(instance TEXT PRIMARY KEY, start INTEGER NOT NULL,"                   \
	" size INTEGER NOT NULL) WITHOUT ROWID;"

#define ENG_USERNS_SIZE 65536 /* ids, if nobody says how many */
#define ENG_USERNS_MAX (1u << 24)

/**
 * eng_userns_parse() - "auto" or "auto:size=N" as of --userns
 * @ret: number of ids
 * Return: 0; -EINVAL with a message.
 */
int eng_userns_parse(const char *text, uint64_t *ret, struct err *err);

/**
 * eng_userns_take() - find a range for an instance that wants one
 * @id: its directory in the run root exists, its row maybe not yet
 * @config: userns_size is looked at, userns_start is set
 *
 * From what /etc/subuid and /etc/subgid give to user "containers"; if they do not name it, from half of
 * all ids on.
 * Return: 0; -ENOSPC all are taken; -errno with a message.
 */
int eng_userns_take(struct engine *e, const char *id, struct eng_config *config, struct err *err);

/** eng_userns_drop() - the instance is being removed; 0 or -errno with a message */
int eng_userns_drop(struct engine *e, const char *id, struct err *err);

/**
 * eng_userns_reach() - let everybody pass through the directories of the store
 * What an instance with a user namespace mounts is reached with its ids. Until there is one, nobody else has
 * to, so nobody else can.
 */
void eng_userns_reach(const struct engine *e);

/** eng_userns_open() - descriptor of a user namespace with its mappings; -errno with a message */
int eng_userns_open(const struct eng_config *config, struct err *err);
