/* SPDX-License-Identifier: MIT */
#include "vmm/accel/accel.h"

#include <stddef.h>
#include <string.h>

#include "vmm/core/trace.h"

const struct accel_ops *accel_find(const char *name)
{
	REGISTRY_FOREACH(it, accels)
		if (strcmp((*it)->name, name) == 0)
			return *it;
	return NULL;
}

void accel_irq(struct accel *a, unsigned gsi, bool level)
{
	TRACE(TRACE_LINE, "%u is %s", gsi, level ? "high" : "low");
	if (a != NULL)
		a->ops->irq_line(a, gsi, level);
}

void accel_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	TRACE(TRACE_MESSAGE, "%#x to %#llx", data, (unsigned long long) addr);
	if (a != NULL)
		a->ops->irq_msi(a, addr, data);
}
