/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that ask
 */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/vm.h"
#include "vmm/machine/machine.h"

static int query_status(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '{');
	json_text(c->ret, "status", machine_state(c->m));
	json_flag(c->ret, "running", machine_is_running(c->m));
	json_flag(c->ret, "singlestep", false);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(status, "query-status", "", query_status);

static int query_version(const struct qmp_call *c)
{
	str_puts(c->ret, QMP_VERSION);
	return 0;
}
QMP_COMMAND(version, "query-version", "", query_version);

static int query_kvm(const struct qmp_call *c)
{
	bool kvm = str_eq(machine_accel_name(c->m), "kvm");

	json_open(c->ret, NULL, '{');
	json_flag(c->ret, "enabled", kvm);
	json_flag(c->ret, "present", kvm);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(kvm, "query-kvm", "", query_kvm);

void qmp_place(struct str *ret, unsigned index)
{
	json_open(ret, "props", '{');
	json_uint(ret, "socket-id", 0);
	json_uint(ret, "core-id", index);
	json_uint(ret, "thread-id", 0);
	json_close(ret, '}');
}

static int query_cpus(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	for (unsigned i = 0; i < machine_vm(c->m)->nr_cpus; i++) {
		char path[sizeof(QMP_PROCESSOR) + 16];

		(void) snprintf(path, sizeof(path), QMP_PROCESSOR, i);
		json_open(c->ret, NULL, '{');
		json_uint(c->ret, "cpu-index", i);
		json_text(c->ret, "qom-path", path);
		json_int(c->ret, "thread-id", machine_cpu_thread(c->m, i));
		json_text(c->ret, "target", "x86_64");
		qmp_place(c->ret, i);
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(cpus, "query-cpus-fast", "", query_cpus);

static int query_memory(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '{');
	json_uint(c->ret, "base-memory", machine_vm(c->m)->mem.size);
	json_uint(c->ret, "plugged-memory", 0);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(memory, "query-memory-size-summary", "", query_memory);

static int query_uuid(const struct qmp_call *c)
{
	char text[37];

	machine_uuid(c->m, text);
	json_open(c->ret, NULL, '{');
	json_text(c->ret, "UUID", text);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(uuid, "query-uuid", "", query_uuid);

static int query_generation(const struct qmp_call *c)
{
	char text[37];

	machine_generation(c->m, text);
	json_open(c->ret, NULL, '{');
	json_text(c->ret, "guid", text);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(generation, "query-vm-generation-id", "", query_generation);

static int query_target(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '{');
	json_text(c->ret, "arch", "x86_64");
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(target, "query-target", "", query_target);

static int query_name(const struct qmp_call *c)
{
	(void) c;
	return 0; /* it has none */
}
QMP_COMMAND(name, "query-name", "", query_name);
