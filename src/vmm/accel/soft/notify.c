/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/eventfd.h>

#include "vmm/accel/soft/soft_internal.h"

bool soft_notify_find(struct soft *s, uint64_t gpa)
{
	int fd = -1;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	for (unsigned i = 0; i < s->nr_notify && fd < 0; i++)
		if (s->notify[i].gpa == gpa)
			fd = s->notify[i].fd;
	if (fd >= 0)
		(void) eventfd_write(fd, 1); /* full: whoever reads it has yet to come */
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
	return fd >= 0;
}

int soft_notify_add(struct accel *a, uint64_t gpa, int fd)
{
	struct soft *s = (struct soft *) a;
	int r = 0;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	if (s->nr_notify == SOFT_NOTIFY_MAX)
		r = -ENOSPC;
	else
		s->notify[s->nr_notify++] = (struct soft_notify) { .gpa = gpa, .fd = fd };
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
	return r;
}

void soft_notify_remove(struct accel *a, uint64_t gpa, int fd)
{
	struct soft *s = (struct soft *) a;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	for (unsigned i = 0; i < s->nr_notify; i++) {
		if (s->notify[i].gpa != gpa || s->notify[i].fd != fd)
			continue;
		s->notify[i] = s->notify[--s->nr_notify];
		break;
	}
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
}
