/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct eng_config;
struct engine;
struct err;
struct str;

/**
 * eng_spec_make() - append the config.json of a container
 * @id: of the instance
 * @machine: it is for a virtual machine, whose kernel has cgroup v2 whatever the host has
 * @rootfs: its root file system, where users are looked up
 * @dir: absolute path of the instance's directory, with hosts, hostname and resolv.conf
 *
 * Like Docker's: its default capabilities, seccomp profile, devices, mounts, masked and read-only paths.
 * Looks at the host (devices, instances whose namespaces are joined), so it is made at every start.
 * Return: 0; -errno with a message.
 */
int eng_spec_make(struct engine *e, const char *id, const struct eng_config *c, bool machine, int rootfs,
		  const char *dir, struct str *ret, struct err *err);

/**
 * eng_spec_limits() - append a config.json that has limits only, for changing those of a running container
 * @old: the limits that it has; those that @c has not are lifted
 * Return: 0; -errno with a message.
 */
int eng_spec_limits(const struct eng_config *old, const struct eng_config *c, struct str *ret,
		    struct err *err);

/** eng_spec_needs_layer() - mount points may have to be made, even for a root that is read-only then */
bool eng_spec_needs_layer(const struct eng_config *c);

/** eng_spec_is_systemd() - the command is an init system, or is to be treated as one (--systemd) */
bool eng_spec_is_systemd(const struct eng_config *c);
