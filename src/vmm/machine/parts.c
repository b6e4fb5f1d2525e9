/* SPDX-License-Identifier: MIT */
#include "vmm/machine/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

struct part *parts_add(struct parts *p, enum part_kind kind, const char *name, struct err *err)
{
	size_t n = strlen(name);
	struct part *part;

	if (n == 0 || n > DEV_ID_MAX) {
		(void) err_msg(err, -EINVAL, "a name has 1 to %d bytes", DEV_ID_MAX);
		return NULL;
	}
	if (parts_find(p, kind, name) != NULL) {
		(void) err_msg(err, -EEXIST, "there is '%s' already", name);
		return NULL;
	}
	part = p->nr < PARTS_MAX ? calloc(1, sizeof(*part)) : NULL;
	if (part == NULL) {
		(void) err_msg(err, -ENOSPC, "no room for more than %d", PARTS_MAX);
		return NULL;
	}
	*part = (struct part) { .next = p->first, .kind = kind, .fd = -1 };
	memcpy(part->name, name, n);
	p->first = part;
	p->nr++;
	return part;
}

struct part *parts_find(const struct parts *p, enum part_kind kind, const char *name)
{
	struct part *part = p->first;

	while (part != NULL && (part->kind != kind || strcmp(part->name, name) != 0))
		part = part->next;
	return part;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void) close(fd); /* what was written is with the kernel */
}

void parts_remove(struct parts *p, struct part *part)
{
	struct part **at = &p->first;

	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	p->nr--;
	close_fd(part->fd);
	for (unsigned i = 0; i < part->net.pairs && part->net.user == NULL; i++)
		close_fd(part->net.tap[i]);
	for (unsigned i = 0; i < part->user.nr_forwards; i++)
		close_fd(part->user.forward[i].fd);
	free(part->path);
	free(part);
}

void parts_device_gone(struct parts *p, const char *device)
{
	for (struct part *part = p->first; part != NULL; part = part->next)
		if (strcmp(part->device, device) == 0)
			part->device[0] = '\0';
}

void parts_fini(struct parts *p)
{
	while (p->first != NULL)
		parts_remove(p, p->first);
}
