/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about descriptors that a client sends along
 *
 * A machine that has given up its rights opens nothing: who may open a file sends its descriptor
 * (SCM_RIGHTS) with the command that names it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

static int take(const struct qmp_call *c, const char *name)
{
	struct part *part;

	if (*c->passed < 0)
		return err_msg(c->err, -EINVAL, "No file descriptor supplied via SCM_RIGHTS");
	part = parts_add(machine_parts(c->m), PART_FD, name, c->err);
	if (part == NULL)
		return -EINVAL;
	part->fd = take_fd(*c->passed);
	return part->fd;
}

static int getfd(const struct qmp_call *c)
{
	const char *name;
	int r = qmp_need(c, "fdname", &name);

	if (r == 0)
		r = take(c, name);
	return r < 0 ? r : 0;
}
QMP_COMMAND(getfd_command, "getfd", "fdname", getfd);

static int drop(struct machine *m, const char *name, struct err *err)
{
	struct part *part = parts_find(machine_parts(m), PART_FD, name);

	if (part == NULL)
		return err_msg(err, -ENOENT, "there is no descriptor '%s'", name);
	parts_remove(machine_parts(m), part);
	return 0;
}

static int closefd(const struct qmp_call *c)
{
	const char *name;
	int r = qmp_need(c, "fdname", &name);

	return r < 0 ? r : drop(c->m, name, c->err);
}
QMP_COMMAND(closefd_command, "closefd", "fdname", closefd);

/* Names of sets of descriptors are those that files in them have. */
static void set_name(char ret[32], uint32_t set)
{
	(void) snprintf(ret, 32, QMP_FDSET "%u", set);
}

static int addfd(const struct qmp_call *c)
{
	uint32_t set = 0;
	char name[32];
	int fd;

	if (!json_get_u32(c->in, c->args, "fdset-id", &set))
		do
			set_name(name, set);
		while (parts_find(machine_parts(c->m), PART_FD, name) != NULL && ++set > 0);
	if (qmp_read(c) < 0)
		return qmp_read(c);
	set_name(name, set);
	fd = take(c, name);
	if (fd < 0)
		return fd;
	json_open(c->ret, NULL, '{');
	json_uint(c->ret, "fdset-id", set);
	json_int(c->ret, "fd", fd);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(addfd_command, "add-fd", "*fdset-id *opaque", addfd);

static int removefd(const struct qmp_call *c)
{
	uint32_t set;
	char name[32];

	if (!json_get_u32(c->in, c->args, "fdset-id", &set))
		return err_msg(c->err, -EINVAL, "remove-fd: 'fdset-id' is missing");
	set_name(name, set);
	return drop(c->m, name, c->err);
}
QMP_COMMAND(removefd_command, "remove-fd", "fdset-id *fd", removefd);
