/* SPDX-License-Identifier: MIT */
#include "vmm/machine/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/virtio.h"

/* Disks are called as QEMU calls them. */
void names_complete(struct vm *vm)
{
	for (struct dev *d = vm->devs; d != NULL; d = d->next) {
		const struct vio_dev *v = vio_of(d), *older;
		char id[DEV_ID_MAX + 1];
		unsigned n = 0;

		if (v == NULL || d->id[0] != '\0')
			continue;
		for (const struct dev *o = d->next; o != NULL; o = o->next) {
			older = vio_of(o);
			n += older != NULL && older->ops == v->ops;
		}
		do
			(void) snprintf(id, sizeof(id), "%s%u", v->ops->nick, n++);
		while (dev_find(vm, id) != NULL);
		dev_name(d, id);
	}
}

int names_check(const struct vm *vm, const char *id, struct err *err)
{
	if (id == NULL || (*id != '\0' && strlen(id) <= DEV_ID_MAX && dev_find(vm, id) == NULL))
		return 0;
	return err_msg(err, -EINVAL, "device name '%s' is taken, empty, or has more than %d bytes", id, DEV_ID_MAX);
}
