/* SPDX-License-Identifier: MIT */
#include "vmm/dev/legacy/i8042.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"

#define PORT 0x64
#define PULSE_RESET 0xFE

struct i8042 {
	struct dev dev;
	struct vm *vm;
};

/* Linux waits until the input buffer is empty (bit 1) before it asks for a reset. */
static uint64_t i8042_read(void *dev, uint64_t offset, unsigned size)
{
	(void) dev;
	(void) offset;
	return size == 1 ? 0xFD : UINT64_MAX;
}

static void i8042_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8042 *k = dev;

	(void) offset;
	if (size == 1 && value == PULSE_RESET)
		vm_request(k->vm, VM_CAUSE_RESET);
}

static const struct bus_ops i8042_bus = { .read = i8042_read, .write = i8042_write };

static void i8042_free(struct vm *vm, struct dev *d)
{
	bus_remove(&vm->pio, PORT, d);
	free(d);
}

static const struct dev_ops i8042_ops = { .name = "i8042", .free = i8042_free };

int i8042_add(struct vm *vm, struct err *err)
{
	struct i8042 *k = calloc(1, sizeof(*k));
	int r;

	if (k == NULL)
		return err_set(err, -ENOMEM, "make keyboard controller");
	k->vm = vm;
	dev_add(vm, &k->dev, &i8042_ops);
	r = bus_add(&vm->pio, PORT, 1, &i8042_bus, k);
	return r < 0 ? err_set(err, r, "give a port to the keyboard controller") : 0;
}
