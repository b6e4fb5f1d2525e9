/* SPDX-License-Identifier: MIT */
/**
 * DOC: back end "container"
 *
 * Calls the OCI runtime's library in this process; its state is below <runroot>/oci.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "engine/instance.h"
#include "engine/overlay.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "image/store.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/exec.h"
#include "oci/lifecycle.h"
#include "sys/cap.h"

#define RESOLV_MAX 65536 /* bytes of /etc/resolv.conf */
#define PATH_SIZE 4096

static int write_file(int dir, const char *name, const char *text, size_t n, struct err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_full(fd, text, n);

	return r < 0 ? err_set(err, r, "write file '%s' of the instance", name) : 0;
}

/* A host without resolv.conf gives an empty one. */
static int write_files(const struct eng_config *c, int dir, struct err *err)
{
	_cleanup_(str_fini) struct str hosts = { 0 }, name = { 0 }, resolv = { 0 };
	int r = file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_MAX, &resolv);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read /etc/resolv.conf");
	str_puts(
		&hosts,
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
		"fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	str_printf(&name, "%s\n", c->hostname);
	if (hosts.failed || name.failed)
		return err_set(err, -ENOMEM, "write files of the instance");
	r = write_file(dir, "hosts", hosts.p, hosts.len, err);
	if (r == 0)
		r = write_file(dir, "hostname", name.p, name.len, err);
	return r == 0 ? write_file(dir, "resolv.conf", resolv.p, resolv.len, err) : r;
}

/* A mount point that the image lacks has to be made, even for a root that is read-only afterwards. */
static bool needs_layer(const struct eng_config *c)
{
	return !c->read_only || c->nr_mounts > 0 || strcmp(c->workdir, "/") != 0;
}

static int container_prepare(struct engine *e, const char *id, const struct eng_config *config,
			     int dir, struct err *err)
{
	int r = write_files(config, dir, err);

	(void) e;
	(void) id;
	return r < 0 || !needs_layer(config) ? r : eng_overlay_prepare(dir, err);
}

static int oci_root(const struct engine *e, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/oci", e->runroot) >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int make_config(const struct eng_config *c, const char *id, int rootfs, const char *dir,
		       struct str *ret, struct err *err)
{
	struct eng_user user;
	int r = eng_user_find(rootfs, c->user, &user, err);

	if (r < 0)
		return r;
	eng_spec_format(c, id, &user, "../../layers/" ENG_OVERLAY_POINTS, dir, ret);
	return ret->failed ? err_set(err, -ENOMEM, "make the container's configuration") : 0;
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
		.start = true,
		.clone_parent = true,
	};
	int r = oci_root(e, root);

	if (r < 0 ||
	    snprintf(dir, sizeof(dir), "%s/instances/%s", e->root, id) >= (int) sizeof(dir))
		return err_set(err, -ENAMETOOLONG, "start the container");
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, -errno, "open '%s'", dir);
	_cleanup_close_ int rootfs = eng_overlay_open(e, dir_fd, config->chain, needs_layer(config),
						      config->auto_remove, err);
	if (rootfs < 0)
		return rootfs;
	r = make_config(config, id, rootfs, dir, &json, err);
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

static int open_container(struct engine *e, const char *id, struct oci_container **ret,
			  struct err *err)
{
	char root[PATH_SIZE];
	int r = oci_root(e, root);

	return r < 0 ? err_set(err, r, "open the container")
		     : oci_container_open(root, id, ret, err);
}

/* A copy of @env with what @more sets, later ones last. */
static int exec_env(struct arena *a, const struct oci_strv *env, const struct img_words *more,
		    struct oci_strv *ret)
{
	struct img_words all = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < env->n; i++)
		r = eng_words_add(a, &all, env->v[i]);
	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = eng_env_set(a, &all, more->v[i]);
	*ret = (struct oci_strv) { .v = (char **) all.v, .n = all.n };
	return r;
}

/* Looked up in the container's own files, as they are now. */
static int exec_user(const struct oci_container *c, const char *text, struct arena *a,
		     struct oci_process *p, struct err *err)
{
	struct eng_user user;
	char path[64];
	int r;

	(void) snprintf(path, sizeof(path), "/proc/%d/root", c->state.pid);
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, -errno, "open the container's root");
	r = eng_user_find(root, text, &user, err);
	if (r < 0)
		return r;
	p->uid = user.uid;
	p->gid = user.gid;
	p->additional_gids = arena_alloc(a, user.nr_groups + 1, sizeof(*p->additional_gids));
	if (p->additional_gids == NULL)
		return err_set(err, -ENOMEM, "look up the user");
	memcpy(p->additional_gids, user.groups, user.nr_groups * sizeof(user.groups[0]));
	p->nr_additional_gids = user.nr_groups;
	return 0;
}

static int exec_process(struct oci_container *c, const struct eng_exec *x, struct oci_process *ret,
			struct err *err)
{
	struct arena *a = &c->spec->arena;
	struct oci_process p = c->spec->process;
	int r = exec_env(a, &p.env, &x->env, &p.env);

	p.args = (struct oci_strv) { .v = (char **) x->args.v, .n = x->args.n };
	p.terminal = x->tty;
	if (x->workdir != NULL)
		p.cwd = (char *) x->workdir;
	if (r == 0 && x->privileged) {
		struct cap_sets ours;

		p.caps = arena_alloc(a, 1, sizeof(*p.caps));
		r = p.caps != NULL ? cap_get(&ours) : -ENOMEM;
		if (r == 0)
			p.caps->bounding = p.caps->effective = p.caps->permitted = ours.permitted;
	}
	if (r < 0)
		return err_set(err, r, "describe the program");
	if (x->user != NULL)
		r = exec_user(c, x->user, a, &p, err);
	*ret = p;
	return r;
}

static int container_exec(struct engine *e, const char *id, const struct eng_exec *exec,
			  struct eng_running *ret, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct oci_executed done = { .pidfd = -EBADF, .master = -EBADF };
	struct oci_process process;
	struct oci_exec_opts opts = { .process = &process, .clone_parent = true };
	int r = open_container(e, id, &c, err);

	if (r == 0)
		r = oci_container_spec(c, err);
	if (r == 0)
		r = exec_process(c, exec, &process, err);
	if (r == 0)
		r = oci_exec(c, &opts, &done, err);
	if (r < 0)
		return r;
	cleanup_closep(&done.pidfd);
	ret->pid = done.pid;
	ret->master = done.master;
	return 0;
}

static int container_kill(struct engine *e, const char *id, int signal, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = open_container(e, id, &c, err);

	return r < 0 ? r : oci_kill(c, signal, false, err);
}

static int container_pause(struct engine *e, const char *id, bool pause, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = open_container(e, id, &c, err);

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r == 0 && c->cgroup == NULL)
		return err_msg(err, -EOPNOTSUPP, "the container has no cgroup, so it cannot be paused");
	return r < 0 ? r : oci_cgroup_freeze(c->cgroup, pause, err);
}

static bool container_oom_killed(struct engine *e, const char *id)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;

	return open_container(e, id, &c, NULL) == 0 && oci_container_cgroup(c, NULL) == 0 &&
	       c->cgroup != NULL && oci_cgroup_oom_kills(c->cgroup) > 0;
}

static int container_stop(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = open_container(e, id, &c, err);

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
	.oom_killed = container_oom_killed,
	.stop = container_stop,
};
