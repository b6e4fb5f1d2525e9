/* SPDX-License-Identifier: MIT */
/*
 * A container as every verb but create sees it: a directory below the runtime's root.
 *
 *   <root>/<id>/config.json  the configuration as it was at creation
 *   <root>/<id>/no-cgroup    there when the container stays in its creator's cgroup
 *   <root>/<id>/state.json   written once the first process exists
 *   <root>/<id>/start        socket on which that process waits for `start`; gone once it runs
 *   <root>/.seccomp/         compiled filters
 */
#pragma once

#include <stdbool.h>

#include "oci/state.h"

struct err;
struct oci_cgroup;
struct oci_spec;

#define OCI_START_SOCKET "start"
#define OCI_CONFIG_COPY "config.json"
#define OCI_NO_CGROUP "no-cgroup"

/**
 * struct oci_container - an open container
 * @root: path of the runtime's root
 * @dir_fd: its directory
 * @has_state: state.json was there; false for one that died while being created
 * @spec: NULL until oci_container_spec()
 * @cgroup: NULL until oci_container_cgroup(), or if it has none
 */
struct oci_container {
	char *root, *id;
	int dir_fd;
	bool has_state;
	struct oci_state state;
	struct oci_spec *spec;
	struct oci_cgroup *cgroup;
};

/**
 * oci_container_new() - make the directory of a new container
 * @root: created when missing
 * @ret: returns; free with oci_container_free()
 * Return: 0; -EINVAL bad id; -EEXIST; -errno with a message.
 */
int oci_container_new(const char *root, const char *id, struct oci_container **ret, struct err *err);

/**
 * oci_container_open() - open an existing one
 * Return: 0; -ENOENT "container does not exist"; -EINVAL bad id or damaged state, with a message.
 */
int oci_container_open(const char *root, const char *id, struct oci_container **ret, struct err *err);

/** oci_container_spec() - load the copy of config.json into c->spec; 0 or -errno with a message */
int oci_container_spec(struct oci_container *c, struct err *err);

/** oci_container_cgroup() - open its cgroup into c->cgroup; 0 (also when it has none) or -errno */
int oci_container_cgroup(struct oci_container *c, struct err *err);

/** oci_container_alive() - its first process exists and is no zombie */
bool oci_container_alive(const struct oci_container *c);

/**
 * oci_container_status() - what it is doing now
 * Opens the cgroup to tell paused from running.
 * Return: the status; running when it cannot be told whether it is paused.
 */
enum oci_status oci_container_status(struct oci_container *c);

/** oci_container_remove() - remove the directory; 0 or -errno with a message */
int oci_container_remove(struct oci_container *c, struct err *err);

/**
 * oci_container_list() - ids below @root, sorted
 * @ret: NULL-terminated, freed with oci_container_list_free()
 * Return: number; -ENOENT no such root; -errno with a message.
 */
int oci_container_list(const char *root, char ***ret, struct err *err);

/** oci_container_list_free() - release a list; NULL is fine */
void oci_container_list_free(char **ids);

/** oci_container_free() - release the handle; NULL is fine */
void oci_container_free(struct oci_container *c);

static inline void oci_container_freep(struct oci_container **c)
{
	oci_container_free(*c);
}
