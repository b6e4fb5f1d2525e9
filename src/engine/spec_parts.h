/* SPDX-License-Identifier: MIT */
/* The sections of a config.json, a file each.  All append to struct spec's @out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "engine/user.h"
#include "image/config.h"

struct eng_config;
struct engine;
struct err;
struct str;

/**
 * struct spec - a config.json being made
 * @old: limits that it runs with, NULL while it is being started
 * @caps: bit n = capability n
 * @systemd: see eng_spec_is_systemd()
 * @net_files: directory whose hosts and resolv.conf the container sees
 */
struct spec {
	struct engine *e;
	const char *id, *dir, *net_files;
	const struct eng_config *c, *old;
	struct arena arena;
	struct eng_user user;
	uint64_t caps;
	bool systemd, machine;
	struct str *out;
};

/** spec_words() - the strings of a list, separated by commas */
void spec_words(struct spec *s, const struct img_words *list);

/** spec_add_mounts() - "mounts"; 0 or -errno with a message */
int spec_add_mounts(struct spec *s, struct err *err);

/** spec_add_resources() - "resources", which hold the rules for devices; 0 or -errno with a message */
int spec_add_resources(struct spec *s, struct err *err);

/** spec_add_devices() - "devices", nodes that are made, with a comma behind; 0 or -errno with a message */
int spec_add_devices(struct spec *s, struct err *err);

/** spec_add_device_rules() - elements of the list resources.devices; 0 or -errno with a message */
int spec_add_device_rules(struct spec *s, struct err *err);

/** spec_add_namespaces() - "namespaces" and "sysctl"; sets @net_files; 0 or -errno with a message */
int spec_add_namespaces(struct spec *s, struct err *err);

/** spec_add_rlimits() - "rlimits" of the process */
void spec_add_rlimits(struct spec *s);

/** spec_add_security() - "maskedPaths", "readonlyPaths", "seccomp" */
void spec_add_security(struct spec *s);

/** spec_security() - value of the last --security-opt NAME=..., NULL without */
const char *spec_security(const struct eng_config *c, const char *name);
