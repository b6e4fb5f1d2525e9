/* SPDX-License-Identifier: MIT */
#include "vmm/core/dev.h"

#include <stddef.h>

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

void dev_reset_all(struct vm *vm)
{
	for (struct dev *d = vm->devs; d != NULL; d = d->next)
		if (d->ops->reset != NULL)
			d->ops->reset(d);
}
