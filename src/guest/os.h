/* SPDX-License-Identifier: MIT */
/* System calls that only the guest's first program needs; results as of bare/sys.h. */
#pragma once

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bare/sys.h"

#define OS0(nr) sys_call(nr, 0, 0, 0, 0, 0, 0)
#define OS1(nr, a) sys_call(nr, (long) (a), 0, 0, 0, 0, 0)
#define OS2(nr, a, b) sys_call(nr, (long) (a), (long) (b), 0, 0, 0, 0)
#define OS3(nr, a, b, c) sys_call(nr, (long) (a), (long) (b), (long) (c), 0, 0, 0)
#define OS4(nr, a, b, c, d) sys_call(nr, (long) (a), (long) (b), (long) (c), (long) (d), 0, 0)
#define OS5(nr, a, b, c, d, e) sys_call(nr, (long) (a), (long) (b), (long) (c), (long) (d), (long) (e), 0)

/** os_mount() - mount(2) */
static inline long os_mount(const char *source, const char *target, const char *type, unsigned long flags,
			    const char *data)
{
	return OS5(__NR_mount, source, target, type, flags, data);
}

/** os_mkdir() - 0 also when it is there */
long os_mkdir(const char *path, unsigned mode);

/** os_open() - open(2), close-on-exec */
long os_open(const char *path, int flags, unsigned mode);

/** os_write_file() - one write to an existing file */
long os_write_file(const char *path, const char *text, size_t n);

/** os_read_file() - the beginning of a file as a terminated text; bytes */
long os_read_file(const char *path, char *buf, size_t size);

/** os_alloc() - @n zero bytes; NULL; os_free() gives them back */
void *os_alloc(size_t n);
/** os_free() - NULL is fine */
void os_free(void *p, size_t n);

/** os_number() - the number in front of a text */
uint64_t os_number(const char *text);

/** os_find() - what follows "NAME " at the beginning of a line; NULL */
const char *os_find(const char *text, const char *name);

/** os_say() - texts for the kernel's log, up to a NULL */
void os_say(const char *text, ...);

/**
 * os_be_patient() - who wakes this process goes on first, or not
 * While many bytes come, those who bring them fill the pipe or the socket, instead of a few for each turn.
 */
void os_be_patient(bool patient);
