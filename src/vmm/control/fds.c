/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about descriptors that a client sends along
 *
 * A machine that has given up its rights opens nothing: who may open a file sends its descriptor
 * (SCM_RIGHTS) with the command that names it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json_write.h"
#include "vmm/control/qmp.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

static int take(struct machine *m, const char *name, struct err *err)
{
	struct parts *parts = machine_parts(m);
	struct part *part;

	if (parts->passed < 0)
		return err_msg(err, -EINVAL, "no descriptor came with the command");
	part = parts_add(parts, PART_FD, name, err);
	if (part == NULL)
		return -EINVAL;
	part->fd = parts->passed;
	parts->passed = -1;
	return part->fd;
}

static int getfd(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	const char *name = args != NULL ? json_get_str(in, args, "fdname") : NULL;
	int r;

	(void) ret;
	if (name == NULL)
		return err_msg(err, -EINVAL, "getfd: 'fdname' is missing");
	r = take(m, name, err);
	return r < 0 ? r : 0;
}
QMP_COMMAND(getfd_command, "getfd", getfd);

static int drop(struct machine *m, const char *name, struct err *err)
{
	struct part *part = parts_find(machine_parts(m), PART_FD, name);

	if (part == NULL)
		return err_msg(err, -ENOENT, "there is no descriptor '%s'", name);
	parts_remove(machine_parts(m), part);
	return 0;
}

static int closefd(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	const char *name = args != NULL ? json_get_str(in, args, "fdname") : NULL;

	(void) ret;
	return name != NULL ? drop(m, name, err) : err_msg(err, -EINVAL, "closefd: 'fdname' is missing");
}
QMP_COMMAND(closefd_command, "closefd", closefd);

/* Names of sets of descriptors are those that files in them have. */
static void set_name(char ret[32], uint32_t set)
{
	(void) snprintf(ret, 32, "/dev/fdset/%u", set);
}

static int addfd(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	uint32_t set = 0;
	char name[32];
	int fd;

	if (args == NULL || !json_get_u32(in, args, "fdset-id", &set))
		do
			set_name(name, set);
		while (parts_find(machine_parts(m), PART_FD, name) != NULL && ++set > 0);
	set_name(name, set);
	fd = take(m, name, err);
	if (fd < 0)
		return fd;
	json_open(ret, NULL, '{');
	json_uint(ret, "fdset-id", set);
	json_int(ret, "fd", fd);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(addfd_command, "add-fd", addfd);

static int removefd(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	uint32_t set;
	char name[32];

	(void) ret;
	if (args == NULL || !json_get_u32(in, args, "fdset-id", &set))
		return err_msg(err, -EINVAL, "remove-fd: 'fdset-id' is missing");
	set_name(name, set);
	return drop(m, name, err);
}
QMP_COMMAND(removefd_command, "remove-fd", removefd);
