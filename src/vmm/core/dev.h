/* SPDX-License-Identifier: MIT */
#pragma once

#define DEV_ID_MAX 63 /* bytes of a name */

struct dev;
struct vm;

/**
 * struct dev_ops - what the machine does with any device, with the lock held
 * @name: for messages
 * @reset: as after power-on; the guest's processors stand still; may be NULL
 * @free: release it and what it added to the machine
 */
struct dev_ops {
	const char *name;
	void (*reset)(struct dev *d);
	void (*free)(struct vm *vm, struct dev *d);
};

/** struct dev - first member of every device; @id: what people call it, empty for none */
struct dev {
	const struct dev_ops *ops;
	struct dev *next;
	char id[DEV_ID_MAX + 1];
};

/** dev_add() - make a device part of the machine, which frees it */
void dev_add(struct vm *vm, struct dev *d, const struct dev_ops *ops);

/** dev_free() - take a device out and free it */
void dev_free(struct vm *vm, struct dev *d);

/** dev_name() - let people call a device @id; what is longer than DEV_ID_MAX is cut off */
void dev_name(struct dev *d, const char *id);

/** dev_find() - device by name; NULL there is none */
struct dev *dev_find(const struct vm *vm, const char *id);

/** dev_reset_all() - every device as after power-on */
void dev_reset_all(struct vm *vm);
