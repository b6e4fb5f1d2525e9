/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about the tree of objects
 *
 * QEMU's clients find devices and processors by paths in it.  Ours has as much of it as the machine has parts: what
 * they are, and what the guest says of its memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/balloon.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/machine.h"

#define INTERVAL "guest-stats-polling-interval"
#define INTERVAL_MAX 3600 /* seconds */

enum kind { KIND_ROOT, KIND_MACHINE, KIND_UNATTACHED, KIND_PERIPHERAL, KIND_PROCESSOR, KIND_DEVICE };

/** struct object - @dev: a device; @balloon: if it is that */
struct object {
	enum kind kind;
	const struct vio_dev *dev;
	struct balloon *balloon;
};

static const struct {
	const char *path, *type;
} places[] = {
	[KIND_ROOT] = { "/", "container" },
	[KIND_MACHINE] = { "/machine", "cleave-machine" },
	[KIND_UNATTACHED] = { "/machine/unattached", "container" },
	[KIND_PERIPHERAL] = { "/machine/peripheral", "container" },
};

static int find_object(const struct qmp_call *c, const char *path, struct object *ret)
{
	struct vm *vm = machine_vm(c->m);
	char processor[sizeof(QMP_PROCESSOR) + 16];

	*ret = (struct object) { 0 };
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		if (str_eq(path, places[i].path)) {
			ret->kind = (enum kind) i;
			return 0;
		}
	if (str_starts(path, QMP_PERIPHERAL)) {
		ret->kind = KIND_DEVICE;
		ret->dev = vio_of(dev_find(vm, path + strlen(QMP_PERIPHERAL)));
		ret->balloon = ret->dev == (const void *) machine_balloon(c->m) ? machine_balloon(c->m) : NULL;
	}
	for (unsigned i = 0; i < vm->nr_cpus && ret->dev == NULL; i++) {
		(void) snprintf(processor, sizeof(processor), QMP_PROCESSOR, i);
		ret->kind = KIND_PROCESSOR;
		if (str_eq(path, processor))
			return 0;
	}
	return ret->dev != NULL ? 0 : qmp_no_device(c, path);
}

static void put_type(const struct object *o, struct str *ret)
{
	if (o->kind == KIND_DEVICE)
		str_printf(ret, "%s-pci", o->dev->ops->name);
	else
		str_puts(ret, o->kind == KIND_PROCESSOR ? "host-x86_64-cpu" : places[o->kind].type);
}

static void add_property(struct str *ret, const char *name, const char *type)
{
	json_open(ret, NULL, '{');
	json_text(ret, "name", name);
	json_text(ret, "type", type);
	json_close(ret, '}');
}

static void add_child(struct str *ret, const char *name, const struct object *o)
{
	_cleanup_(str_fini) struct str type = { 0 };

	str_puts(&type, "child<");
	put_type(o, &type);
	str_puts(&type, ">");
	add_property(ret, name, type.failed ? NULL : type.p);
}

static void add_children(const struct qmp_call *c, enum kind kind)
{
	const struct vm *vm = machine_vm(c->m);

	if (kind == KIND_ROOT)
		add_child(c->ret, "machine", &(struct object) { .kind = KIND_MACHINE });
	if (kind == KIND_MACHINE) {
		add_child(c->ret, "unattached", &(struct object) { .kind = KIND_UNATTACHED });
		add_child(c->ret, "peripheral", &(struct object) { .kind = KIND_PERIPHERAL });
	}
	for (unsigned i = 0; i < vm->nr_cpus && kind == KIND_UNATTACHED; i++) {
		char name[32];

		(void) snprintf(name, sizeof(name), "device[%u]", i);
		add_child(c->ret, name, &(struct object) { .kind = KIND_PROCESSOR });
	}
	for (const struct dev *d = vm->devs; d != NULL && kind == KIND_PERIPHERAL; d = d->next)
		if (vio_of(d) != NULL)
			add_child(c->ret, d->id, &(struct object) { .kind = KIND_DEVICE, .dev = vio_of(d) });
}

static int list(const struct qmp_call *c)
{
	struct object o = { 0 };
	const char *path;
	int r = qmp_need(c, "path", &path);

	if (r == 0)
		r = find_object(c, path, &o);
	if (r < 0)
		return r;
	json_open(c->ret, NULL, '[');
	add_property(c->ret, "type", "string");
	if (o.kind >= KIND_PROCESSOR)
		add_property(c->ret, "realized", "bool");
	if (o.balloon != NULL) {
		add_property(c->ret, "guest-stats", "guest statistics");
		add_property(c->ret, INTERVAL, "int");
	}
	add_children(c, o.kind);
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(qom_list, "qom-list", "path", list);

static int no_property(const struct qmp_call *c, const struct object *o, const char *name)
{
	_cleanup_(str_fini) struct str type = { 0 };

	put_type(o, &type);
	return err_msg(c->err, -ENOENT, "Property '%s.%.64s' not found", type.failed ? "" : type.p, name);
}

static int get(const struct qmp_call *c)
{
	const char *path = NULL, *name = NULL;
	_cleanup_(str_fini) struct str type = { 0 };
	struct object o = { 0 };
	int r = qmp_need(c, "path", &path);

	if (r == 0)
		r = qmp_need(c, "property", &name);
	if (r == 0)
		r = find_object(c, path, &o);
	if (r < 0)
		return r;
	if (str_eq(name, "type")) {
		put_type(&o, &type);
		json_text(c->ret, NULL, type.failed ? NULL : type.p);
	} else if (str_eq(name, "realized") && o.kind >= KIND_PROCESSOR) {
		json_flag(c->ret, NULL, true);
	} else if (str_eq(name, "guest-stats") && o.balloon != NULL) {
		json_open(c->ret, NULL, '{');
		qmp_balloon_stats(o.balloon, c->ret, true);
		json_close(c->ret, '}');
	} else if (str_eq(name, INTERVAL) && o.balloon != NULL) {
		json_uint(c->ret, NULL, balloon_interval(o.balloon, NULL));
	} else {
		return no_property(c, &o, name);
	}
	return 0;
}
QMP_COMMAND(qom_get, "qom-get", "path property", get);

static int set(const struct qmp_call *c)
{
	const char *path = NULL, *name = NULL;
	struct object o = { 0 };
	uint64_t value;
	int r = qmp_need(c, "path", &path);

	if (r == 0)
		r = qmp_need(c, "property", &name);
	if (r == 0)
		r = find_object(c, path, &o);
	if (r < 0)
		return r;
	if (!str_eq(name, INTERVAL) || o.balloon == NULL)
		return no_property(c, &o, name);
	if (!json_get_u64(c->in, c->args, "value", INTERVAL_MAX, &value))
		return qmp_read(c) < 0 ? qmp_read(c) : err_msg(c->err, -EINVAL, "Parameter 'value' is missing");
	(void) balloon_interval(o.balloon, &value);
	return 0;
}
QMP_COMMAND(qom_set, "qom-set", "path property value", set);
