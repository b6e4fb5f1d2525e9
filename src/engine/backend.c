/* SPDX-License-Identifier: MIT */
#include "engine/backend.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const struct eng_backend *const backends[] = { &eng_container, &eng_vm };

const struct eng_backend *eng_backend_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}
