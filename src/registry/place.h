/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "image/reference.h"

struct err;
struct reg_settings;

#define REG_HUB "docker.io"

/**
 * struct reg_place - where a repository is
 * @host: name of the registry, "docker.io": passwords and certificates are kept under it
 * @address: host and port that are connected to
 * @path: of the repository there: "library/debian"
 * @insecure: certificates are not checked, and plain HTTP will do
 */
struct reg_place {
	char host[IMG_NAME_MAX + 1], address[IMG_NAME_MAX + 1], path[IMG_NAME_MAX + 1 + 8];
	bool insecure;
};

/**
 * reg_place_of() - where an image is
 * @repository: as of struct img_reference
 * Return: 0; -EINVAL an alias that is no name; -EPERM the registry is blocked; with a message.
 */
int reg_place_of(const struct reg_settings *s, const char *repository, struct reg_place *ret,
		 struct err *err);

/** reg_place_host() - of a registry as a user names it ("" for the default, "https://host/v1/"), without a path */
int reg_place_host(const struct reg_settings *s, const char *name, struct reg_place *ret,
		   struct err *err);

/** reg_place_loopback() - true for localhost, 127.0.0.0/8 and ::1, whatever the port */
bool reg_place_loopback(const char *address);
