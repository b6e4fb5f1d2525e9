/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_config;
struct eng_instance;
struct engine;
struct err;

/**
 * eng_update() - change limits and the restart policy of an instance
 * @change: makes the changes; Return: 0; -errno with a message
 *
 * What runs gets the new limits at once, and the configuration keeps them; both or none.
 * Return: 0; what @change returned; -errno with a message.
 */
int eng_update(struct engine *e, const struct eng_instance *i,
	       int (*change)(struct eng_config *c, void *data, struct err *err), void *data,
	       struct err *err);

/**
 * eng_update_isolation() - move an instance that does not run to another isolation, with its writable layer
 * @isolation: name of a back end
 * Return: 0; -EBUSY it runs; -EINVAL there is no such; -EOPNOTSUPP that cannot do what it asks for; -errno; with a message.
 */
int eng_update_isolation(struct engine *e, const struct eng_instance *i, const char *isolation, struct err *err);
