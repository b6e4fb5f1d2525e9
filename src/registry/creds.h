/* SPDX-License-Identifier: MIT */
/*
 * Passwords, in Docker's config.json and Podman's auth.json, and by Docker's credential helpers.
 *
 * They are kept in the file that --authfile or $REGISTRY_AUTH_FILE names; without them in $DOCKER_CONFIG/config.json or
 * ~/.docker/config.json, and what is not there is looked for in $XDG_RUNTIME_DIR/containers/auth.json (/run/containers/UID
 * without that variable) and $XDG_CONFIG_HOME/containers/auth.json (~/.config).
 *
 * A file is known by its keys: "HOST", "https://HOST/v1/", or "HOST/PATH" for repositories that begin so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct err;
struct str;

#define REG_CONFIG_MAX (4u << 20) /* bytes of config.json or auth.json */
#define REG_HELPER_MAX (1u << 20) /* bytes a credential helper may say */

/** struct reg_creds - who asks: user and password, or a @token that gets others; NULL for what there is not */
struct reg_creds {
	const char *user, *password, *token;
};

/**
 * struct reg_dockercfg - what such a file says of one registry
 * @helper: program that keeps the password, without "docker-credential-"; NULL: the file has it
 * @key: under which it is kept
 */
struct reg_dockercfg {
	struct reg_creds creds;
	const char *helper, *key;
};

/**
 * reg_dockercfg_parse() - look a registry up
 * @host, @path: as of struct reg_place; @path: "" for the registry as a whole
 * @arena: owns the strings of @ret
 * Return: 0 also when it says nothing; -EINVAL with a message naming the field; -ENOMEM.
 */
int reg_dockercfg_parse(const char *name, const char *text, size_t len, const char *host, const char *path,
			struct arena *arena, struct reg_dockercfg *ret, struct err *err);

/**
 * reg_dockercfg_edit() - append the file with another password for a registry
 * @creds: NULL: without any
 * @ret_found: there was one
 * Everything else in it stays.
 * Return: as of reg_dockercfg_parse().
 */
int reg_dockercfg_edit(const char *name, const char *text, size_t len, const char *key,
		       const struct reg_creds *creds, struct str *ret, bool *ret_found,
		       struct err *err);

/** reg_dockercfg_key() - under which Docker keeps the password of a registry */
const char *reg_dockercfg_key(const char *host);

/**
 * reg_creds_find() - the password for a repository
 * @authfile: --authfile, or NULL
 * @arena: owns the strings of @ret
 * Return: 0 also when there is none; -errno with a message.
 */
int reg_creds_find(const char *authfile, const char *host, const char *path, struct arena *arena,
		   struct reg_creds *ret, struct err *err);

/**
 * reg_creds_keep() - keep a password, or forget the one there is
 * @authfile: as above
 * @creds: NULL: forget
 * @ret_where: "", or the file that has it as plain text, in @arena
 * @ret_found: there was one
 * Return: 0; -errno with a message.
 */
int reg_creds_keep(const char *authfile, const char *host, const struct reg_creds *creds, struct arena *arena,
		   const char **ret_where, bool *ret_found, struct err *err);
