/* SPDX-License-Identifier: MIT */
/*
 * Which cgroup hierarchies this host has, where they are mounted and where the caller is in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define CG_TOP "/sys/fs/cgroup" /* where v2 is mounted, or the hierarchies of v1 below */
#define CG_V1_MAX 30 /* hierarchies; the kernel has 14 controllers, the rest are named ones */
#define CG_TEXT_MAX (16u << 20) /* bytes of /proc/PID/cgroup */

/**
 * struct cg_hier - one mounted hierarchy
 * @controllers: as in /proc/self/cgroup: "cpu,cpuacct", "name=systemd"; "" for v2
 * @mount: mount point
 * @root: the cgroup that is visible at @mount, "/" for the whole hierarchy
 * @own: the caller's cgroup, counted from the hierarchy's (or cgroup namespace's) root
 */
struct cg_hier {
	const char *controllers, *mount, *root, *own;
};

/**
 * struct cg_layout - the host's cgroup mounts
 * @v1: those with controllers or a name, @nr_v1 of them; none if v2 is where v1 usually is
 * @v2: @v2.mount is NULL when v2 is not mounted
 * @arena: owns the strings
 */
struct cg_layout {
	struct cg_hier v1[CG_V1_MAX];
	size_t nr_v1;
	struct cg_hier v2;
	struct arena arena;
};

/**
 * cg_layout_read() - look at the running system
 * @ret: zero-initialised or released before; release with cg_layout_fini()
 *
 * Reads /proc/self/cgroup; /proc/self/mountinfo, which is long on a host with many containers, only
 * if the hierarchies are not at the usual places below /sys/fs/cgroup.
 * Return: 0; -ENOENT no cgroup file system is mounted; -ENOMEM; -errno of reading.
 */
int cg_layout_read(struct cg_layout *ret);

/**
 * cg_layout_parse() - the same from texts
 * @mountinfo: text of proc_pid_mountinfo(5)
 * @cgroup: text of /proc/pid/cgroup, cgroups(7)
 *
 * Lines that make no sense are skipped.
 * Return: 0; -ENOENT; -ENOMEM.
 */
int cg_layout_parse(const char *mountinfo, const char *cgroup, struct cg_layout *ret);

/** cg_hier_has() - @controller is one of the comma-separated @controllers */
bool cg_hier_has(const char *controllers, const char *controller);

/**
 * cg_hier_own() - the caller's cgroup relative to the mount point
 * Return: "" or a path with a leading slash, inside the strings of @h.
 */
const char *cg_hier_own(const struct cg_hier *h);

/** cg_layout_fini() - release */
void cg_layout_fini(struct cg_layout *l);
