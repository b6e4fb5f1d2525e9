/* SPDX-License-Identifier: MIT */
/*
 * Kernels that virtual machines of this store boot.
 *
 *   <root>/kernels/<name>/image          uncompressed: ELF with a PVH entry; or a bzImage that has none inside
 *   <root>/kernels/<name>/modules/...    its modules, as below lib/modules/<release>
 *   <root>/kernels/<name>/kernel.json    what is known of it
 *   <root>/kernels/.default              name of the one that is used when nothing is said
 *
 * A kernel is made below tmp/ (image/store.h) and renamed: it is complete when it appears and never changes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct engine;
struct err;

#define ENG_KERNEL_NAME_MAX 128 /* bytes */
#define ENG_KERNEL_FILE_MAX (256u << 20) /* bytes of a kernel as it is given */
#define ENG_KERNEL_IMAGE_MAX (1u << 30) /* bytes it may be unpacked */
#define ENG_KERNEL_MODULES_MAX 20000 /* files */
#define ENG_KERNEL_MODULES_SIZE_MAX (4ull << 30) /* bytes of all of them */
#define ENG_KERNEL_PACKAGE "linux-image-cloud-amd64" /* what is fetched when nothing is said */

/**
 * struct eng_kernel - a kernel of the store
 * @release: as of uname -r
 * @version: the line that it greets with, without "Linux version"
 * @source: where it came from: a path, or the name of a package
 * @format: "elf" or "bzimage"
 * @size: bytes of the image
 * @modules: number of them
 * @created: ns since 1970
 */
struct eng_kernel {
	const char *name, *release, *version, *source, *format;
	uint64_t size, modules;
	int64_t created;
	bool is_default;
};

/** eng_kernel_list() - all by name, in @arena; number or -errno with a message */
int eng_kernel_list(struct engine *e, struct arena *arena, struct eng_kernel **ret, struct err *err);

/**
 * eng_kernel_find() - by name
 * @name: NULL for the default
 * Return: 0; -ENOENT; -EINVAL no valid name; -errno with a message.
 */
int eng_kernel_find(struct engine *e, const char *name, struct arena *arena, struct eng_kernel *ret,
		    struct err *err);

/** eng_kernel_path() - its directory on the host: a string in @arena; NULL without memory */
const char *eng_kernel_path(const struct engine *e, const char *name, struct arena *arena);

/**
 * struct eng_kernel_new - what a kernel is made of
 * @name: NULL: its release
 * @file: bzImage, ELF with a PVH entry, or a Debian package that has a kernel and its modules
 * @modules: directory as lib/modules/<release>; NULL for none
 * @source: NULL: @file
 */
struct eng_kernel_new {
	const char *name, *file, *modules, *source;
};

/**
 * eng_kernel_add() - unpack a kernel into the store; the first one becomes the default
 * @ret_name: its name, in @arena; also with -EEXIST
 * Return: 0; -EEXIST; -ENOEXEC no kernel; -EFBIG a limit; -errno with a message.
 */
int eng_kernel_add(struct engine *e, const struct eng_kernel_new *new, struct arena *arena,
		   const char **ret_name, struct err *err);

/**
 * eng_kernel_fetch() - have APT download a package with a kernel, and add that
 * @package: also one that only depends on a package with a kernel
 * @name: NULL: the kernel's release
 * Nothing is installed.
 * Return: as of eng_kernel_add(), -EEXIST also before anything is downloaded.
 */
int eng_kernel_fetch(struct engine *e, const char *package, const char *name, struct arena *arena,
		     const char **ret_name, struct err *err);

/** eng_kernel_set_default() - 0; -ENOENT; -errno with a message */
int eng_kernel_set_default(struct engine *e, const char *name, struct err *err);

/** eng_kernel_remove() - machines that run keep it; 0; -ENOENT; -errno with a message */
int eng_kernel_remove(struct engine *e, const char *name, struct err *err);
