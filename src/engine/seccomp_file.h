/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

/**
 * eng_seccomp_file() - make a linux.seccomp of a profile as of --security-opt seccomp=FILE
 * @file: name for messages
 * @caps: of the container, bit n = capability n
 * @ret: appended to
 *
 * The profile is Docker's form: linux.seccomp, with "archMap" for "architectures", "name" for "names",
 * and rules that hold only with some capabilities, architectures or kernels ("includes", "excludes").
 * Return: 0; -EINVAL with a message naming the field; -ENOMEM.
 */
int eng_seccomp_file(const char *file, const char *text, size_t len, uint64_t caps, struct str *ret,
		     struct err *err);
