/* SPDX-License-Identifier: MIT */
#include "vmm/machine/stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/cpus.h"
#include "vmm/machine/machine.h"

static void each(struct machine *m, unsigned cpu, accel_stat_fn *one, void *arg)
{
	machine_vm(m)->accel->ops->stats(cpus_vcpu(machine_cpus(m), cpu), one, arg);
}

static void put_text(void *arg, const char *name, uint64_t value)
{
	if (value > 0)
		str_printf(arg, ", %s %" PRIu64, name, value);
}

void stats_text(struct machine *m, struct str *ret)
{
	for (unsigned i = 0; i < machine_vm(m)->nr_cpus; i++) {
		str_printf(ret, "processor %u: %s", i, machine_accel_name(m));
		each(m, i, put_text, ret);
		str_puts(ret, "\n");
	}
	for (const struct dev *d = machine_vm(m)->devs; d != NULL; d = d->next) {
		const struct vio_dev *v = vio_of(d);

		for (unsigned q = 0; v != NULL && q < v->nr_queues; q++) {
			const struct vio_queue *vq = &v->queue[q];

			if (vq->notified + vq->returned + vq->signalled > 0)
				str_printf(ret, "device %d: %s%s%s, ring %u, notifies %" PRIu64 ", buffers %" PRIu64
					   ", interrupts %" PRIu64 "\n", pci_slot_of(machine_pci(m), d), v->ops->name,
					   d->id[0] != '\0' ? " " : "", d->id, q, vq->notified, vq->returned,
					   vq->signalled);
		}
	}
}

static void put_json(void *arg, const char *name, uint64_t value)
{
	json_open(arg, NULL, '{');
	json_text(arg, "name", name);
	json_uint(arg, "value", value);
	json_close(arg, '}');
}

void stats_processors(struct machine *m, struct str *ret)
{
	json_open(ret, NULL, '[');
	for (unsigned i = 0; i < machine_vm(m)->nr_cpus; i++) {
		char path[48];

		(void) snprintf(path, sizeof(path), "/machine/unattached/device[%u]", i); /* as query-cpus-fast says */
		json_open(ret, NULL, '{');
		json_text(ret, "provider", machine_accel_name(m));
		json_text(ret, "qom-path", path);
		json_open(ret, "stats", '[');
		each(m, i, put_json, ret);
		json_close(ret, ']');
		json_close(ret, '}');
	}
	json_close(ret, ']');
}

void stats_devices(struct machine *m, struct str *ret)
{
	json_open(ret, NULL, '[');
	for (const struct dev *d = machine_vm(m)->devs; d != NULL; d = d->next) {
		const struct vio_dev *v = vio_of(d);

		if (v == NULL)
			continue;
		json_open(ret, NULL, '{');
		json_text(ret, "name", v->ops->name);
		json_text(ret, "device", d->id);
		json_int(ret, "slot", pci_slot_of(machine_pci(m), d));
		json_open(ret, "rings", '[');
		for (unsigned q = 0; q < v->nr_queues; q++) {
			json_open(ret, NULL, '{');
			json_uint(ret, "notifies", v->queue[q].notified);
			json_uint(ret, "buffers", v->queue[q].returned);
			json_uint(ret, "interrupts", v->queue[q].signalled);
			json_close(ret, '}');
		}
		json_close(ret, ']');
		json_close(ret, '}');
	}
	json_close(ret, ']');
}
