/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

struct err;
struct oci_process;

/** oci_env_get() - value of a variable in process->env, NULL when absent; borrowed */
const char *oci_env_get(const struct oci_process *process, const char *name);

/**
 * oci_env_add() - append "NAME=value" to process->env
 * The old array stays; the new one and the string are never freed (the caller is about to execve()).
 * Return: 0; -ENOMEM with a message.
 */
int oci_env_add(struct oci_process *process, const char *name, const char *value, struct err *err);

/**
 * oci_env_finish() - the environment as the program gets it
 * Of a variable that is given more than once the last value counts; HOME, where missing or empty, is
 * read from /etc/passwd of the container ("/" for a uid that is not listed), as every runtime does.
 * The new array and HOME are never freed (the caller is about to execve()).
 * Context: child, inside the container's root.  The file is the image's: it may be anything.
 * Return: 0; -ENOMEM with a message.
 */
int oci_env_finish(struct oci_process *process, struct err *err);
