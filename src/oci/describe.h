/* SPDX-License-Identifier: MIT */
/*
 * What is known of a new container before and after its first process exists: its configuration, and what
 * state.json says.
 */
#pragma once

#include <sys/types.h>

struct err;
struct oci_container;
struct oci_create_opts;

/**
 * oci_describe() - read and check the configuration, keep a copy, fill c->spec and c->state but for the pid
 * @c: of oci_container_new()
 * Return: 0; -errno with a message.
 */
int oci_describe(struct oci_container *c, const struct oci_create_opts *opts, struct err *err);

/**
 * oci_describe_enter() - make the bundle the working directory, as paths in the configuration want it
 * @opts: its paths become absolute; what is new belongs to c->state
 * Return: 0; -errno with a message.
 */
int oci_describe_enter(struct oci_container *c, struct oci_create_opts *opts, struct err *err);

/** oci_describe_pid() - fill what c->state says of the first process and of c->cgroup; 0 or -errno with a message */
int oci_describe_pid(struct oci_container *c, pid_t pid, struct err *err);

/**
 * oci_describe_publish() - write state.json, then tell whoever wants to know of the first process
 * Return: 0; -errno with a message.
 */
int oci_describe_publish(struct oci_container *c, const struct oci_create_opts *opts, pid_t pid, int pidfd,
			 struct err *err);
