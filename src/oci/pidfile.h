/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

struct err;

/** oci_pidfile_write() - write @pid, atomically, without newline; 0 or -errno with a message */
int oci_pidfile_write(const char *path, pid_t pid, struct err *err);

/** oci_pidfd_send() - send a pidfd to the unix socket @path; 0 or -errno with a message */
int oci_pidfd_send(const char *path, int pidfd, struct err *err);
