/* SPDX-License-Identifier: MIT */
#include "vmm/core/vm.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/dev.h"
#include "vmm/core/loop.h"

int vm_init(struct vm *ret, uint64_t memory, unsigned flags, struct err *err)
{
	int r;

	ret->mem.fd = -EBADF;
	(void) pthread_mutex_init(&ret->lock, NULL); /* cannot fail on Linux */
	ret->cause_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ret->cause_fd < 0)
		return err_set(err, -errno, "make eventfd");
	r = loop_new(&ret->loop, vm_lock, vm_unlock, ret, err);
	return r < 0 ? r : gmem_init(&ret->mem, memory, flags, err);
}

void vm_fini(struct vm *vm)
{
	while (vm->devs != NULL)
		dev_free(vm, vm->devs);
	gmem_fini(&vm->mem);
	loop_free(vm->loop);
	if (vm->cause_fd >= 0)
		(void) close(vm->cause_fd);
	(void) pthread_mutex_destroy(&vm->lock); /* nobody holds it */
}

void vm_lock(void *vm)
{
	(void) pthread_mutex_lock(&((struct vm *) vm)->lock); /* a plain mutex: cannot fail */
}

void vm_unlock(void *vm)
{
	(void) pthread_mutex_unlock(&((struct vm *) vm)->lock); /* held by the caller */
}

void vm_request(struct vm *vm, enum vm_cause cause)
{
	enum vm_cause none = VM_CAUSE_NONE;
	uint64_t one = 1;

	if (__atomic_compare_exchange_n(&vm->cause, &none, cause, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		(void) !write(vm->cause_fd, &one, sizeof(one)); /* full means that it was written */
}

enum vm_cause vm_cause(const struct vm *vm)
{
	return __atomic_load_n(&vm->cause, __ATOMIC_ACQUIRE);
}

void vm_request_done(struct vm *vm)
{
	uint64_t value;

	(void) !read(vm->cause_fd, &value, sizeof(value)); /* empty is fine */
	__atomic_store_n(&vm->cause, VM_CAUSE_NONE, __ATOMIC_RELEASE);
}
