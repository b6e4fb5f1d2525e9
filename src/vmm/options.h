/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

struct err;
struct machine_config;

/** struct vmm_options - the command line, as given */
struct vmm_options {
	const char *kernel, *initrd, *append, *memory, *accel, *soft, *serial, *qmp, *vsock, *sandbox, *uuid, *gdb, *cpu, *trace;
	uint64_t cpus;
	struct opt_strings disks, nets, consoles, pmems, fs, oems;
	bool no_reboot, balloon, stats, version, probe, paused, gdb_default;
	const char *dump_acpi;
};

/** vmm_options_table() - rows for opt_parse() and opt_help() */
const struct opt *vmm_options_table(void);

/**
 * vmm_options_size() - a machine without devices and files: processors and memory
 * @ret: filled; there is nothing to release
 * Return: 0; -EINVAL with a message.
 */
int vmm_options_size(const struct vmm_options *o, struct machine_config *ret, struct err *err);

/**
 * vmm_options_open() - open the files that options name, and check the rest
 * @ret: filled; release with vmm_options_close(), also after a failure
 * Return: 0; -EINVAL; -errno, with a message that names the option.
 */
int vmm_options_open(const struct vmm_options *o, struct machine_config *ret, struct err *err);

/** vmm_options_close() - release what was opened */
void vmm_options_close(struct machine_config *c);
