/* SPDX-License-Identifier: MIT */
#include "engine/disk.h"

#include <stdio.h>

#include "base/file.h"
#include "engine/engine.h"
#include "engine/instance.h"

uint64_t eng_disk_writable(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%.64s/upper", id);
	return dir_size(e->root_fd, path);
}
