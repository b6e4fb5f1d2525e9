/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct engine;
struct err;
struct vm_net;

/**
 * struct vm_want - what a machine is asked to be
 * @kernel: its name in the store; NULL: the default
 * @append: added to the kernel's command line; NULL: nothing
 * @accel: "kvm", "soft"; NULL: what can be had
 * @memory: bytes, 0: ENG_VM_MEMORY; @cpus: 0: one
 */
struct vm_want {
	const char *kernel, *append, *accel;
	uint64_t memory, cpus;
};

/**
 * struct vm_machine - a machine that is about to run
 * @dir: of the instance in the run root, for its sockets; @files: of its files
 * @root: what the guest sees as its root directory
 * @image: the image as a read-only file system, which is the guest's root directory; @root is what is mounted in it then
 * @layer: directory of the writable layer, which the guest puts above @image; or none: nothing is written
 * @scratch: @layer need not survive a power failure
 * @kernel, @initramfs: descriptors of them; @modules: directory of the kernel's modules, which the guest may want later
 * @complaints: file in memory that gets what it prints on standard error
 * @pidfd, @pid: returns
 * @nets: network devices, the caller's, @nr_nets of them by its start; NULL: none are going to be
 */
struct vm_machine {
	int dir, files, root, image, layer, kernel, initramfs, modules, complaints;
	int pidfd;
	pid_t pid;
	bool scratch;
	struct vm_net *nets;
	size_t nr_nets;
};

#define VM_MACHINE_NONE { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -1, false, NULL, 0 }
#define VM_OOM "oom" /* in the instance's directory of the run root: something was killed for want of memory */
#define VM_OWN "own-files" /* likewise: the guest puts its root file system together */

/** vm_machine_prepare() - kernel and initramfs; @m->image and @m->layer are closed if the kernel cannot use them; 0 or -errno with a message */
int vm_machine_prepare(struct engine *e, const struct vm_want *want, struct vm_machine *m, struct err *err);

/** vm_machine_start() - start the machine as a child that dies with this process; 0 or -errno with a message */
int vm_machine_start(const struct vm_want *want, struct vm_machine *m, struct err *err);

/** vm_machine_wait_ready() - until the guest is connected; its connection; -errno with a message */
int vm_machine_wait_ready(const struct vm_machine *m, int listener, int signals, struct err *err);

/** vm_machine_complaint() - what it said last, "" */
void vm_machine_complaint(const struct vm_machine *m, char *ret, size_t size);

/** vm_machine_forget() - release what only its start needs */
void vm_machine_forget(struct vm_machine *m);

/** vm_machine_fini() - release the descriptors */
void vm_machine_fini(struct vm_machine *m);
