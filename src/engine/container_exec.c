/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "engine/instance.h"
#include "engine/user.h"
#include "oci/container.h"
#include "oci/exec.h"
#include "sys/cap.h"

/* Looked up in the container's own files, as they are now. */
static int exec_user(struct engine *e, const struct oci_container *c, const char *text,
		     struct arena *a, struct oci_process *p, struct err *err)
{
	struct eng_instance i = { .id = c->id, .name = c->id };
	struct eng_config config;
	struct eng_user user;
	char path[64];
	int r;

	(void) snprintf(path, sizeof(path), "/proc/%d/root", c->state.pid);
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, -errno, "open the container's root");
	r = eng_user_find(root, text, &user, err);
	if (r == 0)
		r = eng_instance_config(e, &i, &config, err);
	if (r < 0)
		return r;
	r = eng_user_add_groups(root, &config.groups, &user, err); /* of --group-add, as Docker */
	eng_config_fini(&config);
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

static int exec_process(struct engine *e, struct oci_container *c, const struct eng_exec *x, struct oci_process *ret,
			struct err *err)
{
	struct arena *a = &c->spec->arena;
	struct oci_process p = c->spec->process;
	int r = eng_exec_env(a, &x->env, &p.env);

	p.args = (struct oci_strv) { .v = (char **) x->args.v, .n = x->args.n };
	p.terminal = x->tty;
	p.console_height = e->rows;
	p.console_width = e->columns;
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
		r = exec_user(e, c, x->user, a, &p, err);
	*ret = p;
	return r;
}

int container_exec(struct engine *e, const char *id, const struct eng_exec *exec,
		   struct eng_running *ret, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct oci_executed done = { .pidfd = -EBADF, .master = -EBADF };
	struct oci_process process;
	struct oci_exec_opts opts = {
		.process = &process,
		.preserve_fds = e->preserve_fds,
		.clone_parent = true,
	};
	int r = container_open(e, id, &c, err);

	if (r == 0)
		r = oci_container_spec(c, err);
	if (r == 0)
		r = exec_process(e, c, exec, &process, err);
	if (r == 0)
		r = oci_exec(c, &opts, &done, err);
	if (r < 0)
		return r;
	cleanup_closep(&done.pidfd);
	ret->pid = done.pid;
	ret->master = done.master;
	return 0;
}
