/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct request;

#define MACHINE_SHARED "/shared" /* directory for what the host shares, where that is not the root directory */

#define MACHINE_LAYER "/layer" /* of the writable layer */
#define MACHINE_IMAGE "/image" /* of what is below that */

/** machine_boot() - modules, file systems; 0 or -errno, after the kernel's log was told */
int machine_boot(void);

/** machine_has_image() - the root directory comes from an image, and MACHINE_SHARED has what is mounted in it */
bool machine_has_image(void);

/** machine_apply() - what the first program's request says of the machine: time, entropy, limits */
void machine_apply(const struct request *r);

/** machine_set_time() - to ns since 1970; 0: it stays as it is */
void machine_set_time(uint64_t ns);

/** machine_usage() - tell how much is used */
void machine_usage(int control);

/** machine_sync() - all that was written goes to the host; not to its disks */
void machine_sync(void);

/** machine_off() - end the machine */
_Noreturn void machine_off(void);
