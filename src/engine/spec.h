/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_config;
struct eng_user;
struct str;

/**
 * eng_spec_format() - append the config.json of a container
 * @id: of the instance; its first twelve digits are the default host name
 * @rootfs: what root.path says
 * @files: directory with hosts, hostname and resolv.conf
 *
 * Like Docker's without options: its default capabilities, seccomp profile, devices, mounts, masked and
 * read-only paths; namespaces of its own for all but users and time.
 */
void eng_spec_format(const struct eng_config *c, const char *id, const struct eng_user *user,
		     const char *rootfs, const char *files, struct str *ret);
