/* SPDX-License-Identifier: MIT */
/*
 * What the files of the back end "container" share.
 */
#pragma once

#include <sys/types.h>

struct eng_config;
struct eng_exec;
struct eng_running;
struct eng_usage;
struct engine;
struct err;
struct oci_container;
struct oci_usage;

/** container_open() - the runtime's handle of an instance; 0; -ENOENT; -errno with a message */
int container_open(struct engine *e, const char *id, struct oci_container **ret, struct err *err);

/** container_exec() - member of struct eng_backend */
int container_exec(struct engine *e, const char *id, const struct eng_exec *exec,
		   struct eng_running *ret, struct err *err);

/** container_usage() - member of struct eng_backend */
int container_usage(struct engine *e, const char *id, struct eng_usage *ret);

/** container_pids() - member of struct eng_backend; number or -errno */
ssize_t container_pids(struct engine *e, const char *id, pid_t **ret, struct err *err);

/** container_processes_usage() - add what the processes around @first use, for want of a cgroup that counts */
void container_processes_usage(pid_t first, struct oci_usage *ret);

/** container_update() - member of struct eng_backend; 0 or -errno */
int container_update(struct engine *e, const char *id, const struct eng_config *old,
		     const struct eng_config *config, struct err *err);
