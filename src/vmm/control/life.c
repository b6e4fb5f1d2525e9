/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that stop, continue, reset and end the machine
 */
#include "vmm/control/qmp.h"
#include "vmm/core/vm.h"
#include "vmm/machine/machine.h"

static int stop(const struct qmp_call *c)
{
	machine_pause(c->m);
	return 0;
}
QMP_COMMAND(stop_command, "stop", "", stop);

static int cont(const struct qmp_call *c)
{
	machine_resume(c->m);
	return 0;
}
QMP_COMMAND(cont_command, "cont", "", cont);

static int quit(const struct qmp_call *c)
{
	vm_request(machine_vm(c->m), VM_CAUSE_QUIT);
	return 0;
}
QMP_COMMAND(quit_command, "quit", "", quit);

static int powerdown(const struct qmp_call *c)
{
	machine_power_button(c->m);
	return 0;
}
QMP_COMMAND(powerdown_command, "system_powerdown", "", powerdown);

static int reset(const struct qmp_call *c)
{
	machine_reset(c->m);
	return 0;
}
QMP_COMMAND(reset_command, "system_reset", "", reset);
