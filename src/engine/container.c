/* SPDX-License-Identifier: MIT */
/**
 * DOC: back end "container"
 *
 * Calls the OCI runtime's library in this process; its state is below <runroot>/oci.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/hostfiles.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/overlay.h"
#include "engine/spec.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "image/store.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/lifecycle.h"

#define PATH_SIZE 4096

static int container_prepare(struct engine *e, const char *id, const struct eng_config *config,
			     int dir, struct err *err)
{
	int r = eng_hostfiles_write(config, dir, err);

	(void) e;
	(void) id;
	return r < 0 || !eng_spec_needs_layer(config) ? r : eng_overlay_prepare(dir, (uint32_t) config->userns_start, err);
}

static int oci_root(const struct engine *e, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/oci", e->runroot) >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

/* /dev/shm of an instance that others may join, beside its lock; made anew at every start */
static int make_shm(struct engine *e, const char *id, const struct eng_config *config,
		    struct err *err)
{
	char path[PATH_SIZE];
	int r;

	if (config->ipc == NULL || strcmp(config->ipc, "shareable") != 0)
		return 0;
	(void) snprintf(path, sizeof(path), "%.64s/shm", id);
	r = dir_remove(e->run_fd, path);
	if (r == 0 && mkdirat(e->run_fd, path, 01777) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "create directory '%s/%s'", e->runroot, path) : 0;
}

static int connect_networks(void *data, pid_t pid, struct err *err)
{
	return eng_net_connect(data, pid, err);
}

static int container_start(struct engine *e, const char *id, const struct eng_config *config,
			   struct eng_running *ret, struct err *err)
{
	_cleanup_(str_fini) struct str json = { 0 };
	struct oci_created made = OCI_CREATED_NONE;
	char dir[PATH_SIZE], root[PATH_SIZE];
	struct oci_create_opts opts = {
		.root = root,
		.id = id,
		.bundle = dir,
		.notify_socket = getenv("NOTIFY_SOCKET"),
		.preserve_fds = e->preserve_fds,
		.start = true,
		.clone_parent = true,
		.connect = connect_networks,
		.connect_data = e,
	};
	int r = oci_root(e, root);

	if (r < 0 ||
	    snprintf(dir, sizeof(dir), "%s/instances/%s", e->root, id) >= (int) sizeof(dir))
		return err_set(err, -ENAMETOOLONG, "start the container");
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, -errno, "open '%s'", dir);
	_cleanup_close_ int userns = config->userns_size != 0 ? eng_userns_open(config, err)
							      : -EBADF;
	if (userns < 0 && config->userns_size != 0)
		return userns;
	if (userns >= 0)
		eng_userns_reach(e);
	_cleanup_close_ int rootfs =
		eng_overlay_open(e, dir_fd, config->chain, eng_spec_needs_layer(config),
				 config->auto_remove, userns, err);
	if (rootfs < 0)
		return rootfs;
	r = eng_hostfiles_renew(e->net, config, dir_fd, err);
	if (r == 0)
		r = eng_volumes_fill(e, config, rootfs, err);
	if (r == 0)
		r = make_shm(e, id, config, err);
	if (r == 0)
		r = eng_spec_make(e, id, config, false, rootfs, dir, &json, err);
	if (r < 0)
		return r;
	opts.config = json.p;
	opts.rootfs_fd = rootfs;
	r = oci_create(&opts, &made, err);
	if (r < 0)
		return r;
	ret->pid = made.pid;
	ret->master = take_fd(made.master);
	oci_created_fini(&made);
	return 0;
}

int container_open(struct engine *e, const char *id, struct oci_container **ret, struct err *err)
{
	char root[PATH_SIZE];
	int r = oci_root(e, root);

	return r < 0 ? err_set(err, r, "open the container")
		     : oci_container_open(root, id, ret, err);
}

static int container_kill(struct engine *e, const char *id, int signal, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = container_open(e, id, &c, err);

	return r < 0 ? r : oci_kill(c, signal, false, err);
}

static int container_pause(struct engine *e, const char *id, bool pause, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = container_open(e, id, &c, err);

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r == 0 && c->cgroup == NULL)
		return err_msg(err, -EOPNOTSUPP, "the container has no cgroup, so it cannot be paused");
	return r < 0 ? r : oci_cgroup_freeze(c->cgroup, pause, err);
}

static bool container_oom_killed(struct engine *e, const char *id)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;

	return container_open(e, id, &c, NULL) == 0 && oci_container_cgroup(c, NULL) == 0 &&
	       c->cgroup != NULL && oci_cgroup_oom_kills(c->cgroup) > 0;
}

static int container_stop(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = container_open(e, id, &c, err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : oci_delete(c, true, err);
}

const struct eng_backend eng_container = {
	.name = "container",
	.prepare = container_prepare,
	.start = container_start,
	.exec = container_exec,
	.kill = container_kill,
	.pause = container_pause,
	.usage = container_usage,
	.pids = container_pids,
	.update = container_update,
	.oom_killed = container_oom_killed,
	.stop = container_stop,
};
