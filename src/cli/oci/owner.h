/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/** oci_owner_name() - login name of a uid from the host's /etc/passwd, "#UID" when not there */
void oci_owner_name(uid_t uid, char *buf, size_t size);
