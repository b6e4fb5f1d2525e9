/* SPDX-License-Identifier: MIT */
/*
 * Kernel files: what they are, and the ELF image that a compressed one carries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define KERNEL_RELEASE_MAX 64 /* bytes of uname -r */
#define KERNEL_VERSION_MAX 256 /* bytes of the line that a kernel greets with */

/**
 * struct kernel_image - an image that was unpacked
 * @release, @version: "" when the image does not say
 * @elf: false: it stayed a bzImage
 * @size: bytes
 */
struct kernel_image {
	char release[KERNEL_RELEASE_MAX + 1], version[KERNEL_VERSION_MAX + 1];
	bool elf;
	uint64_t size;
};

/**
 * kernel_unpack() - make what machines are started with from a kernel file
 * @in: borrows; a bzImage or an ELF file
 * @name: of it, for messages
 * @out: borrows; empty; gets the ELF image, or the bzImage when the image in it has no PVH entry
 * Return: 0; -ENOEXEC no kernel for such machines; -EBADMSG damaged; -EFBIG a limit; -errno with a message.
 */
int kernel_unpack(int in, const char *name, int out, struct kernel_image *ret, struct err *err);

/**
 * kernel_decompress() - from memory into a file: gzip, xz, lzma, zstd, lz4 by their first bytes
 * @what: for messages
 * @max: bytes of the result
 * @ret_size: bytes written
 * Return: 0; -ENOTSUP another kind; -EBADMSG damaged; -EFBIG over @max; -errno with a message.
 */
int kernel_decompress(const void *data, size_t n, const char *what, int out, uint64_t max,
		      uint64_t *ret_size, struct err *err);

/** kernel_elf_check() - it is an ELF file for x86-64 with a PVH entry: 0; -ENOEXEC with a message; -errno */
int kernel_elf_check(int fd, const char *name, struct err *err);
