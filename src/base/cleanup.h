/* SPDX-License-Identifier: MIT */
/*
 * Scope attributes that release what a function acquired, and the two ways to keep it:
 * take_ptr() and take_fd() hand the resource on and disarm the attribute.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void cleanup_freep(void *p)
{
	free(*(void **) p);
}

static inline void cleanup_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void) close(*fd); /* nothing a reader could do about it */
	errno = saved;
}

static inline void cleanup_closedirp(DIR **d)
{
	if (*d != NULL)
		(void) closedir(*d);
}

static inline void cleanup_fclosep(FILE **f)
{
	if (*f != NULL)
		(void) fclose(*f);
}

#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_closedir_ _cleanup_(cleanup_closedirp)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)

#define take_ptr(p)                          \
	({                                   \
		typeof(p) *take_p_ = &(p);   \
		typeof(p) take_v_ = *take_p_; \
		*take_p_ = NULL;             \
		take_v_;                     \
	})

#define take_fd(fd)                    \
	({                             \
		int *take_p_ = &(fd);  \
		int take_v_ = *take_p_; \
		*take_p_ = -EBADF;     \
		take_v_;               \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
