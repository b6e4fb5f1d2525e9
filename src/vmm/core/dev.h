/* SPDX-License-Identifier: MIT */
#pragma once

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

/** struct dev - first member of every device */
struct dev {
	const struct dev_ops *ops;
	struct dev *next;
};

/** dev_add() - make a device part of the machine, which frees it */
void dev_add(struct vm *vm, struct dev *d, const struct dev_ops *ops);

/** dev_free() - take a device out and free it */
void dev_free(struct vm *vm, struct dev *d);

/** dev_reset_all() - every device as after power-on */
void dev_reset_all(struct vm *vm);
