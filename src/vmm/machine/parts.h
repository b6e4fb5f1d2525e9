/* SPDX-License-Identifier: MIT */
/*
 * Things of the host that somebody at the control socket brought, and that devices can be made of: descriptors,
 * files for disks, networks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/dev.h"
#include "vmm/dev/usernet/usernet.h"
#include "vmm/dev/virtio/net.h"

struct err;

#define PARTS_MAX 256

enum part_kind { PART_FD, PART_FILE, PART_NET };

/**
 * struct part - one of them
 * @name: within its kind
 * @fd: PART_FD, PART_FILE: owned
 * @path, @readonly: PART_FILE: what it is called
 * @net, @user: PART_NET: what it is made of; descriptors in it are owned
 * @device: name of the device that uses it; empty for none
 */
struct part {
	struct part *next;
	enum part_kind kind;
	char name[DEV_ID_MAX + 1], device[DEV_ID_MAX + 1];
	int fd;
	char *path;
	bool readonly;
	struct net_config net;
	struct usernet_config user;
};

/** struct parts - all of them */
struct parts {
	struct part *first;
	unsigned nr;
};

/**
 * parts_add() - remember one
 * @name: 1 to DEV_ID_MAX bytes
 * Return: it, with no descriptor; NULL with a message: the name is taken or none, too many, no memory.
 */
struct part *parts_add(struct parts *p, enum part_kind kind, const char *name, struct err *err);

/** parts_find() - NULL: there is none */
struct part *parts_find(const struct parts *p, enum part_kind kind, const char *name);

/** parts_remove() - forget one and close what it has */
void parts_remove(struct parts *p, struct part *part);

/** parts_device_gone() - a device does not use any of them any more */
void parts_device_gone(struct parts *p, const char *device);

/** parts_fini() - forget all */
void parts_fini(struct parts *p);
