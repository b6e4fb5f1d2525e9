/* SPDX-License-Identifier: MIT */
/*
 * A whole machine: its parts put together, and its life from power-on to power-off.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/boot/boot.h"
#include "vmm/core/vm.h"

struct accel_ops;
struct err;
struct machine;

/**
 * struct machine_config - what a machine is made of; all of it is borrowed
 * @memory: bytes
 * @accel: who executes
 * @serial_in, @serial_out: descriptors, -1 for none
 * @no_reboot: a reset ends the machine
 */
struct machine_config {
	uint64_t memory;
	bool huge_pages, no_reboot;
	unsigned nr_cpus;
	const struct accel_ops *accel;
	int serial_in, serial_out;
	struct boot_config boot;
};

/**
 * machine_new() - build it; nothing runs yet
 * @conf: borrowed until machine_free()
 * Return: 0; -errno with a message.
 */
int machine_new(const struct machine_config *conf, struct machine **ret, struct err *err);

/**
 * machine_run() - power on, and carry on until it is off
 * @ret_signal: which signal, for VM_CAUSE_SIGNAL
 * Return: enum vm_cause; -errno with a message when it could not start or go on.
 */
int machine_run(struct machine *m, int *ret_signal, struct err *err);

/** machine_free() - release; NULL is fine */
void machine_free(struct machine *m);
