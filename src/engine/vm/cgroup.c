/* SPDX-License-Identifier: MIT */
#include "engine/vm/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/engine.h"
#include "oci/cgroup.h"
#include "oci/spec.h"

#define SAVED_MAX (64u << 10) /* bytes */
#define FILE_NAME "cgroup" /* in the instance's directory of the run root */

static int save(struct engine *e, const char *id, const struct oci_cgroup *cg, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[128];

	oci_cgroup_save(cg, &text);
	(void) snprintf(path, sizeof(path), "%.64s", id);
	_cleanup_close_ int dir = openat(e->run_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = text.failed ? -ENOMEM : dir < 0 ? -errno : file_replace(dir, FILE_NAME, text.p, text.len, 0600);

	return r < 0 ? err_set(err, r, "note the cgroup of the instance") : 0;
}

void vm_cgroup_limits(struct oci_resources *res)
{
	res->memory = (struct oci_memory) { 0 };
	res->pids_limit = (struct opt_i64) { 0 };
	res->nr_devices = 0;
}

int vm_cgroup_enter(struct engine *e, const char *id, const struct oci_spec *spec, struct err *err)
{
	_cleanup_(oci_cgroup_freep) struct oci_cgroup *cg = NULL;
	struct oci_resources res = spec->linux.resources; /* the guest gets the others */
	struct oci_cgroup_want want = { .id = id, .path = spec->linux.cgroups_path, .resources = &res, .spec = spec };
	int r;

	vm_cgroup_limits(&res);
	r = oci_cgroup_create(&want, &cg, err);
	if (r == 0)
		r = save(e, id, cg, err); /* before anything is in it, so that it is found again */
	if (r == 0)
		r = oci_cgroup_apply(cg, &res, true, err);
	return r == 0 ? oci_cgroup_enter_pid(cg, getpid(), err) : r;
}

int vm_cgroup_open(struct engine *e, const char *id, struct oci_cgroup **ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[128];
	int r;

	(void) snprintf(path, sizeof(path), "%.64s/" FILE_NAME, id);
	r = file_read(e->run_fd, path, SAVED_MAX, &text);
	if (r < 0)
		return err_set(err, r, "open the cgroup of the instance");
	return oci_cgroup_open(text.p != NULL ? text.p : "", ret, err);
}
