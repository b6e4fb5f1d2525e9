/* SPDX-License-Identifier: MIT */
/**
 * DOC: all of a processor in software, from outside
 *
 * Its process writes and reads it, in the shared world; what comes out is a guest's word.
 */
#include <errno.h>

#include "base/err.h"
#include "vmm/accel/soft/soft_internal.h"

int soft_state_read(struct accel_vcpu *v, struct accel_state *ret, struct err *err)
{
	struct world_slot *slot = &v->soft->world->slot[v->index];
	int r;

	slot->exit.data = v->exit.data;
	r = soft_do(v, WORLD_SAVE, err);
	if (r == -EAGAIN)
		return err_msg(err, r, "processor %u: it is in the middle of an instruction", v->index);
	*ret = slot->state;
	return r;
}

int soft_state_write(struct accel_vcpu *v, const struct accel_state *state, struct err *err)
{
	int r;

	v->soft->world->slot[v->index].state = *state;
	r = soft_do(v, WORLD_LOAD, err);
	if (r == -EINVAL)
		return err_msg(err, r, "processor %u: no processor can be in the state that was saved", v->index);
	if (r == -ENOTSUP)
		return err_msg(err, r, "processor %u: the state that was saved needs features that it does not have", v->index);
	return r;
}
