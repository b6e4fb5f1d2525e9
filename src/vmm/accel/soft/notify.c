/* SPDX-License-Identifier: MIT */
/**
 * DOC: writes that become writes to an eventfd
 *
 * A processor's process has the eventfds that were known when it started, at the same place of the table,
 * and writes to them itself; any other such write comes to us, which takes two switches more.  The guest says
 * where they are only after that, so those of devices that are there from the beginning are reserved.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include "vmm/accel/soft/soft_internal.h"

bool soft_notify(struct soft *s, uint64_t gpa)
{
	bool found = false;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX && !found; i++) {
		found = s->notify[i].gpa == gpa;
		if (found)
			(void) eventfd_write(s->notify[i].fd, 1); /* full: whoever reads it has yet to come */
	}
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
	return found;
}

/* A device that moves keeps its place, and with it what processes have. */
static struct world_notify *place_for(struct soft *s, int fd)
{
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++)
		if (s->notify[i].fd == fd && s->notify[i].gpa == WORLD_NOWHERE)
			return &s->notify[i];
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++)
		if (s->notify[i].fd < 0)
			return &s->notify[i];
	return NULL;
}

void soft_notify_reserve(struct accel *a, int fd)
{
	struct soft *s = (struct soft *) a;
	struct world_notify *n;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	n = s->vcpu[0].soft == NULL ? place_for(s, fd) : NULL;
	if (n != NULL)
		*n = (struct world_notify) { .gpa = WORLD_NOWHERE, .fd = fd };
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
}

void soft_notify_forget(struct accel *a, int fd)
{
	struct soft *s = (struct soft *) a;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++) {
		if (s->notify[i].fd != fd)
			continue;
		__atomic_store_n(&s->world->notify[i].fd, -1, __ATOMIC_RELEASE); /* the next with this number is another */
		__atomic_store_n(&s->world->notify[i].gpa, WORLD_NOWHERE, __ATOMIC_RELEASE);
		s->notify[i] = (struct world_notify) { .gpa = WORLD_NOWHERE, .fd = -1 };
	}
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
}

int soft_notify_add(struct accel *a, uint64_t gpa, int fd)
{
	struct soft *s = (struct soft *) a;
	struct world_notify *n;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	n = place_for(s, fd);
	if (n != NULL) {
		*n = (struct world_notify) { .gpa = gpa, .fd = fd };
		__atomic_store_n(&s->world->notify[n - s->notify].gpa, gpa, __ATOMIC_RELEASE);
	}
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
	return n != NULL ? 0 : -ENOSPC;
}

void soft_notify_remove(struct accel *a, uint64_t gpa, int fd)
{
	struct soft *s = (struct soft *) a;

	(void) pthread_mutex_lock(&s->lock); /* cannot fail */
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++) {
		if (s->notify[i].gpa != gpa || s->notify[i].fd != fd)
			continue;
		s->notify[i].gpa = WORLD_NOWHERE;
		__atomic_store_n(&s->world->notify[i].gpa, WORLD_NOWHERE, __ATOMIC_RELEASE);
	}
	(void) pthread_mutex_unlock(&s->lock); /* cannot fail */
}
