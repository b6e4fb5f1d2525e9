/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#define ENG_KEEPER "keeper" /* name of the file of the run root that @keeper is */
#define ENG_PRESERVE_FDS_MAX 60 /* with those of socket activation */

struct db;
struct eng_net;
struct err;
struct img_store;

/**
 * struct engine - one store and what runs from it
 * @root: absolute path: images, layers, instances, state.db
 * @runroot: absolute path, on a memory file system: monitors, pid files, state of the OCI runtime
 * @root_fd, @run_fd: those directories
 * @monitor: path of cleave-monitor
 * @program: descriptor of the running program, for the clean-up
 * @keeper: file of the run root that keeps the user namespace (rootless.c), or -EBADF
 * @rootless: this process is not root of the host
 * @preserve_fds: descriptors 3.. of the caller that go on to what it starts, set by the caller
 * @net: networks of what it starts, NULL for none; of eng_net_start()
 * @netns: network namespace of a user's networks (net/home.h), once it was found; -EBADF: that of the process
 * @rules: descriptor of nftables, once it was needed; left to the end of the process, which nobody waits for
 * @rows, @columns: of the terminal that what it starts gets, 0 when the caller has none
 */
struct engine {
	char *root, *runroot, *monitor;
	int root_fd, run_fd, program, keeper, netns, rules;
	bool rootless;
	unsigned preserve_fds;
	unsigned short rows, columns;
	struct db *db;
	struct img_store *images;
	struct eng_net *net;
};

/**
 * eng_open() - open a store, creating it when missing
 * @root: NULL: $CLEAVE_ROOT, or the default for this user
 * @runroot: NULL: $CLEAVE_RUNROOT, or the default
 * @monitor: path of cleave-monitor
 * @ret: returns; free with eng_close()
 * Return: 0; -errno with a message.
 */
int eng_open(const char *root, const char *runroot, const char *monitor, struct engine **ret,
	     struct err *err);

/** eng_close() - release; NULL is fine */
void eng_close(struct engine *e);

static inline void eng_closep(struct engine **e)
{
	eng_close(*e);
}
