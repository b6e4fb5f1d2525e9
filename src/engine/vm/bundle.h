/* SPDX-License-Identifier: MIT */
/*
 * An OCI bundle as a virtual machine: what oci/create.h and oci/exec.h do for containers.
 *
 * The container's directory holds, beside what oci/container.h says:
 *   vsock        connections to the guest
 *   console.log  what its kernel says
 */
#pragma once

struct engine;
struct err;
struct oci_container;
struct oci_create_opts;
struct oci_created;
struct oci_exec_opts;
struct oci_executed;
struct oci_resources;

/* Annotations of a configuration */
#define VM_NOTE_KERNEL "io.cleave.vm.kernel" /* its name in the store */
#define VM_NOTE_APPEND "io.cleave.vm.append" /* to the kernel's command line */
#define VM_NOTE_ACCEL "io.cleave.vm.accel" /* "kvm", "soft" */
#define VM_NOTE_CPUS "io.cleave.vm.vcpus"

/**
 * vm_bundle_create() - as oci_create()
 * @e: its store has the kernels
 * The process that stands for the program is the container's first process: a child of the caller.
 * Return: 0; -errno with a message.
 */
int vm_bundle_create(struct engine *e, const struct oci_create_opts *opts, struct oci_created *ret, struct err *err);

/** vm_bundle_exec() - as oci_exec() */
int vm_bundle_exec(struct oci_container *c, const struct oci_exec_opts *opts, struct oci_executed *ret,
		   struct err *err);

/**
 * vm_bundle_update() - limits that a running machine is to have: those of processor time and of disks are the host's
 * @res: keeps those
 * Return: 0; -EOPNOTSUPP memory or processes would change; with a message.
 */
int vm_bundle_update(const struct oci_container *c, struct oci_resources *res, struct err *err);
