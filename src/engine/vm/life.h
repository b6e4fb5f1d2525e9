/* SPDX-License-Identifier: MIT */
/*
 * The process that stands for the first program of a machine, whoever wants it: its machine is its child.
 */
#pragma once

#include "engine/vm/conduct.h"
#include "engine/vm/machine.h"

struct err;
struct oci_spec;

/**
 * struct vm_life - a machine and its first program
 * @machine: dir, files and root are the caller's to open
 * @program: signals, terminal and input likewise
 */
struct vm_life {
	struct vm_machine machine;
	struct vm_program program;
};

#define VM_LIFE_NONE { VM_MACHINE_NONE, VM_PROGRAM_NONE }

/**
 * vm_life_boot() - start the machine, until its guest is ready
 * @want: the machine was prepared from it
 * Context: the process becomes the machine's parent; its working directory changes.
 * Return: 0; -errno with a message: then vm_life_end().
 */
int vm_life_boot(struct vm_life *l, const struct vm_want *want, struct err *err);

/**
 * vm_life_run() - have the guest run the program of a configuration
 * The files of the instance become this process' root directory.
 * Return: 0; -errno as of execve(2); with a message.
 */
int vm_life_run(struct vm_life *l, const struct oci_spec *spec, struct err *err);

/** vm_life_keep() - close what neither the machine's life needs, before its start or then, nor the caller (@also), from descriptor 3 on */
void vm_life_keep(const struct vm_life *l, int also);

/** vm_life_end() - end the machine if there is one */
void vm_life_end(const struct vm_life *l);

/** vm_life_stay() - stand for the program until it has ended, and end with its status */
_Noreturn void vm_life_stay(struct vm_life *l);
