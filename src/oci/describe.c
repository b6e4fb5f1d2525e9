/* SPDX-License-Identifier: MIT */
#include "oci/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/create.h"
#include "oci/notify.h"
#include "oci/pidfile.h"
#include "oci/spec.h"
#include "sys/proc.h"

static int load_config(struct oci_container *c, const struct oci_create_opts *o, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct stat st;
	const char *name = o->config_file != NULL ? o->config_file : "config.json";
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : c->state.bundle,
		     name[0] == '/' ? "" : "/", name) >= (int) sizeof(path))
		return err_set(err, -ENAMETOOLONG, "open '%s/%s'", c->state.bundle, name);
	if (o->config != NULL)
		str_puts(&text, o->config);
	else {
		if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a fifo would make us wait */
			return err_msg(err, -EINVAL, "%s is not a regular file", path);
		r = file_read(AT_FDCWD, path, OCI_SPEC_SIZE_MAX, &text);
		if (r == -ENOENT)
			return err_msg(err, r, "JSON specification file %s not found", path);
		if (r == -EFBIG)
			return err_msg(err, r, "%s is over the limit of %u bytes", path, OCI_SPEC_SIZE_MAX);
		if (r < 0)
			return err_set(err, r, "read '%s'", path);
	}
	r = oci_spec_parse(path, text.p, text.len, &c->spec, err);
	if (r < 0)
		return r;
	r = oci_spec_check_host(c->spec, geteuid() != 0, err);
	if (r < 0)
		return r;
	r = oci_notify_pass(c->spec, o->notify_socket, err);
	if (r < 0)
		return r;
	if (!c->spec->process_set && o->start)
		return err_msg(err, -EINVAL, "%s: process is missing", path);
	if (o->no_cgroup) { /* before the configuration, which may name a cgroup that is not ours to remove */
		r = file_replace(c->dir_fd, OCI_NO_CGROUP, "", 0, 0600);
		if (r < 0)
			return err_set(err, r, "write %s of the container", OCI_NO_CGROUP);
	}
	r = file_replace(c->dir_fd, OCI_CONFIG_COPY, text.p, text.len, 0600);
	return r < 0 ? err_set(err, r, "write %s of the container", OCI_CONFIG_COPY) : 0;
}

/* What state.json will say, but for the pid. */
static int fill_state(struct oci_container *c, const struct oci_create_opts *o, struct err *err)
{
	struct oci_state *st = &c->state;
	_cleanup_free_ char *bundle = realpath(o->bundle, NULL);
	struct timespec now;
	struct tm tm;
	char when[48];
	size_t n;

	if (bundle == NULL)
		return err_set(err, -errno, "open the bundle '%s'", o->bundle);
	(void) clock_gettime(CLOCK_REALTIME, &now);
	(void) gmtime_r(&now.tv_sec, &tm); /* UTC needs no time zone files */
	n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	(void) snprintf(when + n, sizeof(when) - n, ".%09ldZ", now.tv_nsec);
	st->bundle = arena_strdup(&st->arena, bundle);
	st->id = arena_strdup(&st->arena, c->id);
	st->created = arena_strdup(&st->arena, when);
	st->owner = geteuid();
	return st->bundle == NULL || st->id == NULL || st->created == NULL ?
		       err_set(err, -ENOMEM, "create the container") : 0;
}

static int fill_state_from_spec(struct oci_container *c, struct err *err)
{
	struct oci_state *st = &c->state;
	const struct oci_spec *spec = c->spec;

	st->version = arena_strdup(&st->arena, spec->version);
	st->annotations = spec->annotations; /* c->spec lives as long as c->state */
	st->rootfs = spec->root_path == NULL ? arena_strdup(&st->arena, "") :
		     spec->root_path[0] == '/' ? arena_strdup(&st->arena, spec->root_path) :
		     arena_printf(&st->arena, "%s/%s", st->bundle, spec->root_path);
	return st->version == NULL || st->rootfs == NULL ? err_set(err, -ENOMEM, "create the container") : 0;
}

int oci_describe(struct oci_container *c, const struct oci_create_opts *opts, struct err *err)
{
	int r = fill_state(c, opts, err);

	if (r == 0)
		r = load_config(c, opts, err);
	if (r == 0)
		r = fill_state_from_spec(c, err);
	if (r < 0)
		return r;
	if (c->spec->process.terminal && opts->detached && opts->console_socket == NULL)
		return err_msg(err, -EINVAL, "cannot allocate tty if runc will detach without setting console "
					     "socket");
	return 0;
}

/* Before we go to the bundle: other paths are relative to where the caller is. */
static int make_absolute(struct arena *a, const char **path, struct err *err)
{
	char cwd[PATH_MAX];

	if (*path == NULL || **path == '/')
		return 0;
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set(err, -errno, "find the working directory");
	*path = arena_printf(a, "%s/%s", cwd, *path);
	return *path == NULL ? err_set(err, -ENOMEM, "create the container") : 0;
}

int oci_describe_enter(struct oci_container *c, struct oci_create_opts *opts, struct err *err)
{
	int r = make_absolute(&c->state.arena, &opts->pid_file, err);

	if (r == 0)
		r = make_absolute(&c->state.arena, &opts->console_socket, err);
	if (r == 0)
		r = make_absolute(&c->state.arena, &opts->pidfd_socket, err);
	if (r == 0 && chdir(c->state.bundle) < 0)
		r = err_set(err, -errno, "enter the bundle '%s'", c->state.bundle);
	return r;
}

int oci_describe_pid(struct oci_container *c, pid_t pid, struct err *err)
{
	struct oci_state *st = &c->state;
	_cleanup_(str_fini) struct str cgroup = { 0 };
	struct proc_stat ps;
	int r = proc_stat_read(pid, &ps);

	if (r < 0)
		return err_set(err, r, "read the state of the container process");
	if (c->cgroup != NULL) {
		oci_cgroup_save(c->cgroup, &cgroup);
		st->cgroup = cgroup.failed || cgroup.p == NULL ? NULL : arena_strdup(&st->arena, cgroup.p);
		if (st->cgroup == NULL)
			return err_set(err, -ENOMEM, "create the container");
	}
	st->pid = pid;
	st->start_time = ps.start_time;
	return 0;
}

int oci_describe_publish(struct oci_container *c, const struct oci_create_opts *opts, pid_t pid, int pidfd,
			 struct err *err)
{
	int r = oci_state_save(c->dir_fd, &c->state, err);

	if (r < 0)
		return r;
	c->has_state = true;
	if (opts->pidfd_socket != NULL)
		r = oci_pidfd_send(opts->pidfd_socket, pidfd, err);
	if (r == 0 && opts->pid_file != NULL)
		r = oci_pidfile_write(opts->pid_file, pid, err);
	return r;
}
