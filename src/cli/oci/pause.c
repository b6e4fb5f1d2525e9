/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/oci/verb.h"
#include "oci/cgroup.h"
#include "oci/container.h"

static int set_frozen(struct oci_cli *cli, const char *id, bool freeze, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int r = oci_container_open(cli->root, id, &c, err);
	enum oci_status status;

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	status = oci_container_status(c);
	if (freeze && status != OCI_STATUS_RUNNING && status != OCI_STATUS_CREATED)
		return err_msg(err, -EINVAL, "container not running or created: %s", oci_status_name(status));
	if (!freeze && status != OCI_STATUS_PAUSED)
		return err_msg(err, -EINVAL, "container not paused: %s", oci_status_name(status));
	if (c->cgroup == NULL)
		return err_msg(err, -EINVAL, "container '%s' has no cgroup to freeze", id);
	return oci_cgroup_freeze(c->cgroup, freeze, err);
}

static int pause_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	(void) data;
	(void) argc;
	return set_frozen(cli, argv[0], true, err);
}

static int resume_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	(void) data;
	(void) argc;
	return set_frozen(cli, argv[0], false, err);
}

OCI_VERB(verb_pause) = {
	.name = "pause",
	.args = "<container-id>",
	.summary = "suspend all processes of a container",
	.min_args = 1,
	.max_args = 1,
	.run = pause_run,
};

OCI_VERB(verb_resume) = {
	.name = "resume",
	.args = "<container-id>",
	.summary = "resume a paused container",
	.min_args = 1,
	.max_args = 1,
	.run = resume_run,
};
