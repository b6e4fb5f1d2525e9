/* SPDX-License-Identifier: MIT */
/*
 * A list of device rules brought to its meaning: a default and the exceptions from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/spec.h"

#define DEVICE_RULES_MAX 4096 /* rules of one container */

enum { DEVICE_READ = 1, DEVICE_WRITE = 2, DEVICE_MKNOD = 4, DEVICE_ALL = 7 };

/* One exception; -1 = any number */
struct device_rule {
	char type; /* 'c' or 'b' */
	int64_t major, minor;
	unsigned access; /* DEVICE_* */
};

/**
 * struct device_rules - what the container may do
 * @allow: what holds for devices that no exception names
 * @v: exceptions, allowed if @allow is false and else forbidden; no two with the same numbers
 */
struct device_rules {
	bool allow;
	struct device_rule *v;
	size_t n, cap;
};

/**
 * device_rules_add() - apply one rule after those before
 *
 * A rule for type 'a' replaces everything before.
 * Return: 0; -E2BIG more than DEVICE_RULES_MAX; -EINVAL the rule takes away a part of a wildcard rule,
 * which the kernel's v1 controller would silently not do; -ENOMEM; with a message.
 */
int device_rules_add(struct device_rules *s, const struct oci_device_rule *rule, struct err *err);

/**
 * device_rules_build() - the configured rules and after them the defaults of every container
 * @ret: zero-initialised; release with device_rules_fini()
 *
 * Nothing is allowed before the first rule.  Defaults: mknod for anything, the devices that the spec
 * demands in /dev, pseudo terminals, /dev/net/tun.
 * Return: as device_rules_add().
 * Spec: runtime-spec 1.3 config-linux.md "Default Devices".
 */
int device_rules_build(const struct oci_device_rule *rules, size_t n, struct device_rules *ret,
		       struct err *err);

/** device_rules_fini() - release */
void device_rules_fini(struct device_rules *s);
