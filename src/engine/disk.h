/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct engine;

/** eng_disk_writable() - bytes of the files in the writable layer of an instance */
uint64_t eng_disk_writable(struct engine *e, const char *id);
