/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "image/reference.h"

struct arena;
struct err;
struct reg_settings;

#define REG_HUB "docker.io"

/**
 * struct reg_place - where a repository is
 * @host: name of the registry, "docker.io": passwords and certificates are kept under it
 * @address: host and port that are connected to
 * @path: of the repository there: "library/debian"
 * @name: "HOST/PATH" before registries.json replaced its beginning: policies are for this one
 * @scheme: "http" or "https" where nothing else will do, else NULL
 * @insecure: certificates are not checked, and plain HTTP will do
 * @mirror: of the next place of a list that is none
 */
struct reg_place {
	char host[IMG_NAME_MAX + 1], address[IMG_NAME_MAX + 1], path[2 * IMG_NAME_MAX + 16],
		name[2 * IMG_NAME_MAX + 16];
	const char *scheme;
	bool insecure, mirror;
};

/**
 * reg_places() - where an image may be, in the order in which it is looked for, mirrors before what they mirror
 * @ret: in @arena
 * Return: number, 1 or more; -EINVAL an alias that is no name; -EPERM the registry is blocked; with a message.
 */
int reg_places(const struct reg_settings *s, const struct img_reference *ref, struct arena *arena,
	       struct reg_place **ret, struct err *err);

/** reg_place_of() - the first of them that is no mirror; 0, or as of reg_places() */
int reg_place_of(const struct reg_settings *s, const struct img_reference *ref, struct reg_place *ret,
		 struct err *err);

/** reg_place_host() - of a registry as a user names it ("" for the default, "https://host/v1/"), without a path */
int reg_place_host(const struct reg_settings *s, const char *name, struct reg_place *ret,
		   struct err *err);

/** reg_place_valid() - true for HOST[:PORT][/PATH] */
bool reg_place_valid(const char *text);

/** reg_place_loopback() - true for localhost, 127.0.0.0/8 and ::1, whatever the port */
bool reg_place_loopback(const char *address);
