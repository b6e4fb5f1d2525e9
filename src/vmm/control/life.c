/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that stop, continue, reset and end the machine
 */
#include "vmm/control/qmp.h"
#include "vmm/core/vm.h"
#include "vmm/machine/machine.h"

static int stop(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	machine_pause(m);
	return 0;
}
QMP_COMMAND(stop_command, "stop", stop);

static int cont(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	machine_resume(m);
	return 0;
}
QMP_COMMAND(cont_command, "cont", cont);

static int quit(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	vm_request(machine_vm(m), VM_CAUSE_QUIT);
	return 0;
}
QMP_COMMAND(quit_command, "quit", quit);

static int powerdown(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		     struct err *err)
{
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	machine_power_button(m);
	return 0;
}
QMP_COMMAND(powerdown_command, "system_powerdown", powerdown);

static int reset(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	machine_reset(m);
	return 0;
}
QMP_COMMAND(reset_command, "system_reset", reset);
