/* SPDX-License-Identifier: MIT */
#include "vmm/machine/confine.h"

#include <errno.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "sys/cap.h"

int confine(struct err *err)
{
	static const struct cap_sets none;
	int r;

	/* the bounding set needs a capability to shrink: who has none has nothing to lose */
	for (unsigned long cap = 0; cap <= (unsigned long) cap_last(); cap++)
		(void) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_set(err, -errno, "drop ambient capabilities");
	r = cap_set(&none);
	if (r < 0)
		return err_set(err, r, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "give up new privileges");
	return 0;
}
