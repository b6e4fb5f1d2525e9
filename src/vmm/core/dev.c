/* SPDX-License-Identifier: MIT */
#include "vmm/core/dev.h"

#include <stddef.h>
#include <string.h>

#include "vmm/core/vm.h"

void dev_add(struct vm *vm, struct dev *d, const struct dev_ops *ops)
{
	d->ops = ops;
	d->next = vm->devs;
	vm->devs = d;
}

void dev_free(struct vm *vm, struct dev *d)
{
	for (struct dev **p = &vm->devs; *p != NULL; p = &(*p)->next)
		if (*p == d) {
			*p = d->next;
			d->ops->free(vm, d);
			return;
		}
}

void dev_name(struct dev *d, const char *id)
{
	size_t n = strnlen(id, DEV_ID_MAX);

	memcpy(d->id, id, n);
	d->id[n] = '\0';
}

struct dev *dev_find(const struct vm *vm, const char *id)
{
	struct dev *d = vm->devs;

	while (d != NULL && (*id == '\0' || strcmp(d->id, id) != 0))
		d = d->next;
	return d;
}

void dev_reset_all(struct vm *vm)
{
	for (struct dev *d = vm->devs; d != NULL; d = d->next)
		if (d->ops->reset != NULL)
			d->ops->reset(d);
}
