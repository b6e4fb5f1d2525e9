/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that tell what kind of machine this is
 *
 * Clients ask on connecting, before they know whether they need the answer.
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
#include "vmm/machine/parts.h"

#define CPU_TYPE "host-x86_64-cpu"

/* There are none of these; clients ask nevertheless. */
static int query_none(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(block_exports, "query-block-exports", "", query_none);
QMP_COMMAND(block_jobs, "query-block-jobs", "", query_none);
QMP_COMMAND(command_line, "query-command-line-options", "*option", query_none);
QMP_COMMAND(iothreads, "query-iothreads", "", query_none);
QMP_COMMAND(jobs, "query-jobs", "", query_none);
QMP_COMMAND(memdev, "query-memdev", "", query_none);
QMP_COMMAND(memory_devices, "query-memory-devices", "", query_none);
QMP_COMMAND(tpm, "query-tpm", "", query_none);

/* Nothing of this was ever begun. */
static int query_nothing(const struct qmp_call *c)
{
	(void) c;
	return 0;
}
QMP_COMMAND(migrate, "query-migrate", "", query_nothing);

static int query_machines(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	json_open(c->ret, NULL, '{');
	json_text(c->ret, "name", "cleave");
	json_flag(c->ret, "is-default", true);
	json_uint(c->ret, "cpu-max", VM_CPUS_MAX);
	json_flag(c->ret, "hotpluggable-cpus", false);
	json_flag(c->ret, "numa-mem-supported", false);
	json_flag(c->ret, "deprecated", false);
	json_text(c->ret, "default-cpu-type", CPU_TYPE);
	json_close(c->ret, '}');
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(machines, "query-machines", "", query_machines);

static int query_current(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '{');
	json_flag(c->ret, "wakeup-suspend-support", false);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(current, "query-current-machine", "", query_current);

static int query_models(const struct qmp_call *c)
{
	static const char *const models[] = { "host", "x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4" };

	json_open(c->ret, NULL, '[');
	for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
		char type[40];

		(void) snprintf(type, sizeof(type), "%s-x86_64-cpu", models[i]);
		json_open(c->ret, NULL, '{');
		json_text(c->ret, "name", models[i]);
		json_text(c->ret, "typename", type);
		json_flag(c->ret, "static", i > 0);
		json_flag(c->ret, "migration-safe", i > 0);
		json_flag(c->ret, "deprecated", false);
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(models, "query-cpu-definitions", "", query_models);

/* All there are is there from the start. */
static int query_hotpluggable(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	for (unsigned i = machine_vm(c->m)->nr_cpus; i-- > 0;) {
		char path[sizeof(QMP_PROCESSOR) + 16];

		(void) snprintf(path, sizeof(path), QMP_PROCESSOR, i);
		json_open(c->ret, NULL, '{');
		json_text(c->ret, "type", CPU_TYPE);
		json_uint(c->ret, "vcpus-count", 1);
		json_text(c->ret, "qom-path", path);
		qmp_place(c->ret, i);
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(hotpluggable, "query-hotpluggable-cpus", "", query_hotpluggable);

static void add_chardev(struct str *ret, const char *label, const char *filename, bool open)
{
	json_open(ret, NULL, '{');
	json_text(ret, "label", label);
	json_text(ret, "filename", filename);
	json_flag(ret, "frontend-open", open);
	json_close(ret, '}');
}

static int query_chardevs(const struct qmp_call *c)
{
	const struct machine_config *conf = machine_conf(c->m);

	json_open(c->ret, NULL, '[');
	add_chardev(c->ret, "serial0", conf->serial_in >= 0 ? "stdio" : conf->serial_out >= 0 ? "file" : "null", true);
	for (unsigned i = 0; i < conf->nr_consoles; i++) {
		const struct console_port *p = &conf->console[i];
		char label[32], name[MACHINE_PATH_MAX] = "file";

		(void) snprintf(label, sizeof(label), "console0.%u", i);
		if (p->path != NULL)
			(void) snprintf(name, sizeof(name), "unix:%.900s,server=on", p->path);
		add_chardev(c->ret, label, p->path != NULL || p->in < 0 ? name : "stdio", true);
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(chardevs, "query-chardev", "", query_chardevs);

static int query_fdsets(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	for (const struct part *p = machine_parts(c->m)->first; p != NULL; p = p->next) {
		uint64_t set;

		if (p->kind != PART_FD || !str_starts(p->name, QMP_FDSET) || str_to_u64(p->name + strlen(QMP_FDSET), &set) < 0)
			continue;
		json_open(c->ret, NULL, '{');
		json_uint(c->ret, "fdset-id", set);
		json_open(c->ret, "fds", '[');
		json_open(c->ret, NULL, '{');
		json_int(c->ret, "fd", p->fd);
		json_close(c->ret, '}');
		json_close(c->ret, ']');
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(fdsets, "query-fdsets", "", query_fdsets);
