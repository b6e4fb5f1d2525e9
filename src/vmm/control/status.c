/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that ask
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/vm.h"
#include "vmm/machine/machine.h"

static int query_status(const struct qmp_call *c)
{
	bool running = machine_is_running(c->m);

	json_open(c->ret, NULL, '{');
	json_text(c->ret, "status", running ? "running" : "paused");
	json_flag(c->ret, "running", running);
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

static int query_cpus(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	for (unsigned i = 0; i < machine_vm(c->m)->nr_cpus; i++) {
		char path[32];

		(void) snprintf(path, sizeof(path), "/machine/cpu[%u]", i);
		json_open(c->ret, NULL, '{');
		json_uint(c->ret, "cpu-index", i);
		json_text(c->ret, "qom-path", path);
		json_int(c->ret, "thread-id", machine_cpu_thread(c->m, i));
		json_text(c->ret, "target", "x86_64");
		json_open(c->ret, "props", '{');
		json_uint(c->ret, "socket-id", 0);
		json_uint(c->ret, "core-id", i);
		json_uint(c->ret, "thread-id", 0);
		json_close(c->ret, '}');
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

/* There are none of these; clients ask nevertheless. */
static int query_none(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(iothreads, "query-iothreads", "", query_none);
QMP_COMMAND(chardevs, "query-chardev", "", query_none);
QMP_COMMAND(memory_devices, "query-memory-devices", "", query_none);
QMP_COMMAND(block_jobs, "query-block-jobs", "", query_none);
QMP_COMMAND(schema, "query-qmp-schema", "", query_none);

static int query_name(const struct qmp_call *c)
{
	(void) c;
	return 0; /* it has none */
}
QMP_COMMAND(name, "query-name", "", query_name);

static int compare(const void *a, const void *b)
{
	return strcmp((*(const struct qmp_command *const *) a)->name, (*(const struct qmp_command *const *) b)->name);
}

static int query_commands(const struct qmp_call *c)
{
	size_t n = (size_t) (__stop_qmp_commands - __start_qmp_commands);
	_cleanup_free_ const struct qmp_command **all = calloc(n, sizeof(*all));

	if (all == NULL)
		return err_set(c->err, -ENOMEM, "list commands");
	memcpy(all, __start_qmp_commands, n * sizeof(*all));
	qsort(all, n, sizeof(*all), compare);
	json_open(c->ret, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(c->ret, NULL, '{');
		json_text(c->ret, "name", all[i]->name);
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(commands, "query-commands", "", query_commands);
