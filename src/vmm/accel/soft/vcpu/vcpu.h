/* SPDX-License-Identifier: MIT */
/*
 * A processor in software with what surrounds it: local APIC, timer, paravirtual clock, sleep.
 */
#pragma once

#include "vmm/accel/soft/vcpu/world.h"

struct err;
struct vcpu;

/**
 * vcpu_new() - make processor @index, as after power-on
 * @w, @ram: borrowed until vcpu_free(); @pages: likewise, struct cpu.pages, as many as @w says
 * Return: 0; -errno.
 */
int vcpu_new(struct world *w, const struct cpu_ram *ram, struct cpu_page *pages, unsigned index, struct vcpu **ret);

/** vcpu_free() - release; NULL is fine */
void vcpu_free(struct vcpu *v);

/**
 * vcpu_adopt() - the calling thread is the one that runs it: alarms are signals to it, and its waiting is what
 * the guest is told
 * Return: 0; -errno.
 */
int vcpu_adopt(struct vcpu *v);

/**
 * vcpu_do() - carry out the command in its slot; WORLD_RUN adopts the thread if none was
 * Return: 0; -errno.
 */
int vcpu_do(struct vcpu *v);

/** vcpu_main() - the process of one processor, whose number is the first argument; exit status */
int vcpu_main(int argc, char **argv);

/* Descriptors of such a process: commands come and answers go as bytes, 2 is for its last words. */
#define VCPU_FD_COMMAND 0
#define VCPU_FD_ANSWER 1
#define VCPU_FD_WORLD 3
#define VCPU_FD_PAGES 4
#define VCPU_FD_MORE 5 /* memory and eventfds, as the world says */
