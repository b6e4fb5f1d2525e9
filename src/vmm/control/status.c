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

static int query_status(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			struct err *err)
{
	bool running = machine_is_running(m);

	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '{');
	json_text(ret, "status", running ? "running" : "paused");
	json_flag(ret, "running", running);
	json_flag(ret, "singlestep", false);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(status, "query-status", query_status);

static int query_version(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			 struct err *err)
{
	(void) m;
	(void) in;
	(void) args;
	(void) err;
	str_puts(ret, QMP_VERSION);
	return 0;
}
QMP_COMMAND(version, "query-version", query_version);

static int query_kvm(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		     struct err *err)
{
	bool kvm = str_eq(machine_accel_name(m), "kvm");

	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '{');
	json_flag(ret, "enabled", kvm);
	json_flag(ret, "present", kvm);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(kvm, "query-kvm", query_kvm);

static int query_cpus(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '[');
	for (unsigned i = 0; i < machine_vm(m)->nr_cpus; i++) {
		char path[32];

		(void) snprintf(path, sizeof(path), "/machine/cpu[%u]", i);
		json_open(ret, NULL, '{');
		json_uint(ret, "cpu-index", i);
		json_text(ret, "qom-path", path);
		json_int(ret, "thread-id", machine_cpu_thread(m, i));
		json_text(ret, "target", "x86_64");
		json_open(ret, "props", '{');
		json_uint(ret, "socket-id", 0);
		json_uint(ret, "core-id", i);
		json_uint(ret, "thread-id", 0);
		json_close(ret, '}');
		json_close(ret, '}');
	}
	json_close(ret, ']');
	return 0;
}
QMP_COMMAND(cpus, "query-cpus-fast", query_cpus);

static int query_memory(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			struct err *err)
{
	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '{');
	json_uint(ret, "base-memory", machine_vm(m)->mem.size);
	json_uint(ret, "plugged-memory", 0);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(memory, "query-memory-size-summary", query_memory);

static int query_uuid(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	char text[37];

	(void) in;
	(void) args;
	(void) err;
	machine_uuid(m, text);
	json_open(ret, NULL, '{');
	json_text(ret, "UUID", text);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(uuid, "query-uuid", query_uuid);

static int query_generation(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			    struct err *err)
{
	char text[37];

	(void) in;
	(void) args;
	(void) err;
	machine_generation(m, text);
	json_open(ret, NULL, '{');
	json_text(ret, "guid", text);
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(generation, "query-vm-generation-id", query_generation);

static int query_target(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			struct err *err)
{
	(void) m;
	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '{');
	json_text(ret, "arch", "x86_64");
	json_close(ret, '}');
	return 0;
}
QMP_COMMAND(target, "query-target", query_target);

/* There are none of these; clients ask nevertheless. */
static int query_none(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	(void) m;
	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '[');
	json_close(ret, ']');
	return 0;
}
QMP_COMMAND(iothreads, "query-iothreads", query_none);
QMP_COMMAND(chardevs, "query-chardev", query_none);
QMP_COMMAND(memory_devices, "query-memory-devices", query_none);
QMP_COMMAND(block_jobs, "query-block-jobs", query_none);

static int query_name(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	(void) m;
	(void) in;
	(void) args;
	(void) ret;
	(void) err;
	return 0; /* it has none */
}
QMP_COMMAND(name, "query-name", query_name);

static int compare(const void *a, const void *b)
{
	return strcmp((*(const struct qmp_command *const *) a)->name, (*(const struct qmp_command *const *) b)->name);
}

static int query_commands(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			  struct err *err)
{
	size_t n = (size_t) (__stop_qmp_commands - __start_qmp_commands);
	_cleanup_free_ const struct qmp_command **all = calloc(n, sizeof(*all));

	(void) m;
	(void) in;
	(void) args;
	if (all == NULL)
		return err_set(err, -ENOMEM, "list commands");
	memcpy(all, __start_qmp_commands, n * sizeof(*all));
	qsort(all, n, sizeof(*all), compare);
	json_open(ret, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(ret, NULL, '{');
		json_text(ret, "name", all[i]->name);
		json_close(ret, '}');
	}
	json_close(ret, ']');
	return 0;
}
QMP_COMMAND(commands, "query-commands", query_commands);
